"""Rules and what they have assigned, for measuring a night: fifty rules over ten courses and any number of people.

The rows are what the rules ask for, written in bulk; two of three cycles are completed, so that renewals are looked at.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from django.utils import timezone

from archive.services import bulk
from portal.people.models import Department, Employee, EmployeeTag, Office, Tag
from training import assignments, looking, reasons
from training.models import Assignment, Completion, Course, Edition, Rule

COURSES, RULES = 10, 50
JURISDICTIONS = ("CN", "HK", "US", "UK", "SG", "EU", "CN", "HK")


def fill(today: date) -> dict[str, int]:
    """Make courses, tags and rules for the people who are there, and every cycle that the rules ask for."""
    chance = random.Random("duties")  # noqa: S311 - invented, not secret
    for office, jurisdiction in zip(Office.objects.order_by("pk"), JURISDICTIONS, strict=True):
        Office.objects.filter(pk=office.pk).update(jurisdiction=jurisdiction)
    pks = list(Employee.objects.filter(employee_no__isnull=False).order_by("pk").values_list("pk", flat=True))
    tags = [Tag.objects.create(slug=f"tag-{n}", name=f"Tag {n}") for n in range(10)]
    bulk.insert(EmployeeTag, ("employee", "tag"), ((pk, chance.choice(tags).pk) for pk in pks))
    courses = [_course(n, today) for n in range(COURSES)]
    for n in range(RULES):
        assignments.set_rule(course=courses[n % COURSES], by="system:bench", **_rule(n, today))
    Rule.objects.update(applied_on=today - timedelta(1))
    return {"people": len(pks), "rules": RULES, **_assign(today, chance)}


def _course(n: int, today: date) -> Course:
    course = Course.objects.create(slug=f"bench-{n}")
    Edition.objects.create(
        course=course, number=1, fingerprint=f"{n:064}", languages=["en"], title={"en": f"Course {n}"},
        summary={"en": ""}, pass_percent=80, renewal_months=12, sources={}, published_at=timezone.now(),
    )  # fmt: skip
    return course


def _rule(n: int, today: date) -> dict:
    """Audiences as firms have them: desks, offices, places, tags, and everybody but some."""
    desks = list(Department.objects.order_by("pk").values_list("pk", flat=True))
    offices = list(Office.objects.order_by("pk").values_list("code", flat=True))
    leaf = [
        {"fact": "department", "is": desks[n % len(desks) :: 7]},
        {"fact": "office", "is": [offices[n % len(offices)]]},
        {"fact": "jurisdiction", "is": [JURISDICTIONS[n % len(JURISDICTIONS)]]},
        {"fact": "tag", "is": [f"tag-{n % 10}"]},
        {"fact": "hired_within", "is": [365]},
    ]
    one, other = leaf[n % 5], leaf[(n + 1) % 5]
    tree = ({"all": [one, {"not": other}]}, {"any": [one, other]}, {"all": [one]})[n % 3]
    kinds = ("counted", "rolling", "season")
    return {
        "name": f"Rule {n}", "audience": tree, "due_days": 20 + n, "starts_on": today - timedelta(400),
        "due_kind": ("days", "working_days")[n % 2], "renewal_kind": kinds[n % 3], "window_days": 60,
        "season": [[3, 1], [5, 31]] if n % 3 == 2 else None,
    }  # fmt: skip


def _assign(today: date, chance: random.Random) -> dict[str, int]:
    editions = dict(Edition.objects.values_list("course", "pk"))
    book, after, done = looking.open_book(today), 0, []

    def rows() -> Iterator[tuple]:
        nonlocal after
        while ids := looking.stripe(after):
            for person, course, _held, deed in looking.deeds(ids, book):
                is_done = chance.random() < 2 / 3
                day = today - timedelta(chance.randrange(1, 300))
                if is_done:
                    done.append((person.pk, course, day))
                facts = reasons.because(deed.opens, person, book)
                ended = (day, "completed") if is_done else (None, "")
                rule, due = deed.opens.terms.rule, deed.opens.due_on
                yield (person.pk, course, 1, rule, day, max(due, day), 0, facts, *ended)
            after = ids[-1]

    columns = (
        "employee", "course", "cycle", "rule", "assigned_on", "due_on", "grace_days", "because", "ended_on",
        "ended_why",
    )  # fmt: skip
    made = list(rows())
    bulk.insert(Assignment, columns, iter(made))
    ended = Assignment.objects.filter(ended_why="completed").values_list("employee", "course", "pk")
    pks = {(person, course): pk for person, course, pk in ended}
    completed = (
        "assignment", "employee", "edition", "origin", "origin_file", "completed_at", "expires_on", "percent",
        "study_seconds",
    )  # fmt: skip
    now = timezone.now()
    ends = ((*one, one[2] + timedelta(365)) for one in done)
    of_file = (
        (pks[person, course], person, editions[course], "studied", "", now - (today - day), until, 90, 60)
        for person, course, day, until in ends
    )
    bulk.insert(Completion, completed, of_file)
    return {"cycles": len(made), "completions": len(done)}
