"""Who owes a course: rules, assignments, exemptions. One function a verb, each with its Entry."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee
from training import audiences, deltas, looking, reasons
from training.audiences import Person
from training.deciding import Deed, Held, Opening
from training.looking import Book
from training.models import Assignment, Course, Edition, Exemption, MaterialChange, Rule, RuleVersion

logger = logging.getLogger(__name__)

BATCH = 200  # people assigned in one transaction
RUN = "training.tasks.run_rules"
STEP = 1_000  # people looked at in one step of a run
SAID = (  # what of a rule is a change when it differs, and is kept as a version
    "audience", "due_kind", "due_days", "due_date", "renewal_kind", "renewal_months", "window_days", "season",
    "grace_days", "starts_on", "is_active",
)  # fmt: skip


def ring_standing() -> None:
    """After the commit, tell the roof that something changed. Lost without harm: it looks by itself each minute."""
    transaction.on_commit(_ring_standing)


def _ring_standing() -> None:
    try:
        current_app.send_task(settings.STANDING_CATCH_UP_TASK)
    except Exception:
        logger.warning("could not ring for the standings", exc_info=True)


def lock_person(employee_id: int) -> Employee:
    """Lock a person: the first lock of everything that this room changes about them."""
    return Employee.objects.select_for_update(of=("self",), no_key=True).get(pk=employee_id)


# --- rules -------------------------------------------------------------------------------------------------------


@transaction.atomic
def set_rule(*, course: Course, name: str, due_days: int, starts_on: date, by: str, **more) -> Rule:
    """Make the rule of this name, or make it what is said here, and return it. Unchanged: no version, no Entry.

    ``more``: any other field of SAID; one that is left out stays as it is. Raises audiences.BadAudience, and
    OtherCourse where a rule of this name is about another course: a rule's history is about one.
    """
    wanted = {"due_days": due_days, "starts_on": starts_on, **more}
    audiences.check(wanted.get("audience", audiences.EVERYBODY))
    rule = Rule.objects.select_for_update(of=("self",)).filter(name=name).first() or Rule(name=name, course=course)
    if rule.course_id != course.pk:
        raise OtherCourse(name)
    if rule.pk and all(getattr(rule, field) == value for field, value in wanted.items()):
        return rule
    for field, value in wanted.items():
        setattr(rule, field, value)
    rule.version = rule.version + 1 if rule.pk else 1
    rule.save()
    terms = terms_as_json(rule)
    RuleVersion.objects.create(rule=rule, number=rule.version, terms=terms, made_at=timezone.now(), made_by=by)
    body = {"rule": name, "version": rule.version, **terms}
    ledger.append(verb="training.rule_set", actor=by, subject="system:training", body=body)
    return rule


class OtherCourse(ValueError):
    """A rule stays with its course: for another course another rule is made."""


def terms_as_json(rule: Rule) -> dict:
    said = {field: getattr(rule, field) for field in SAID}
    told = {field: value.isoformat() if isinstance(value, date) else value for field, value in said.items()}
    return told | {"course": rule.course.slug}


@transaction.atomic
def material_change(*, edition: Edition, since: date, by: str) -> MaterialChange:
    """Declare that an edition asks more than those before it: who holds an older one owes the course again.

    Returns what stands if it was declared before. The rules then open the next cycle for those in their audience.
    """
    change, is_new = MaterialChange.objects.get_or_create(
        edition=edition, defaults={"since": since, "declared_at": timezone.now()}
    )
    if is_new:
        body = {"course": edition.course.slug, "edition": edition.number, "since": since.isoformat()}
        ledger.append(verb="training.material_change", actor=by, subject="system:training", body=body)
        newest = edition.course.current
        for asked in {edition, newest}:
            deltas.prepare(asked, by=by)
    return change


# --- by hand -----------------------------------------------------------------------------------------------------


@transaction.atomic
def assign(*, employee: Employee, course: Course, due_on: date, rule: Rule | None = None, by: str) -> Assignment:
    """Assign a course to a person and return the assignment: the next cycle, or the one that is open already.

    An open one stays as it is, its due date too: nobody gets more time by being assigned twice.
    """
    lock_person(employee.pk)
    cycles = Assignment.objects.filter(employee=employee, course=course)
    if open_one := cycles.open().first():
        return open_one
    ring_standing()
    newest = cycles.aggregate(newest=Max("cycle"))["newest"] or 0
    assignment = Assignment.objects.create(
        employee=employee,
        course=course,
        cycle=newest + 1,
        due_on=due_on,
        rule=rule,
        assigned_on=timezone.localdate(),
        because={"by_hand": by, "base_due": due_on.isoformat()},
    )
    body = {"course": course.slug, "cycle": newest + 1, "due_on": due_on.isoformat()}
    body["rule"] = rule.name if rule else None
    ledger.append(verb="training.assigned", actor=by, subject=employee.uid, body=body)
    return assignment


@transaction.atomic
def exempt(
    *, employee: Employee, course: Course, reason: str, starts_on: date, ends_on: date, approved_by: Employee, by: str
) -> Exemption:
    """Free a person from a course from the first to the last day, and return the exemption. Never oneself."""
    lock_person(employee.pk)
    exemption = Exemption.objects.create(
        employee=employee,
        course=course,
        reason=reason,
        starts_on=starts_on,
        ends_on=ends_on,
        approved_by=approved_by,
    )
    body = {
        "course": course.slug,
        "reason": reason,
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
        "approved_by": approved_by.uid,
    }
    ledger.append(verb="training.exempted", actor=by, subject=employee.uid, body=body)
    ring_standing()
    return exemption


# --- by rule -----------------------------------------------------------------------------------------------------


def apply_rules(*, today: date, by: str = "system:rules") -> int:
    """Do what the rules ask about everybody, renewals and ends of cycles too. Return how many cycles were opened.

    Safe to run at any time: asked again on the same day there is nothing left to do. In batches, each of which stands
    for itself.
    """
    book, opened, after = looking.open_book(today), 0, 0
    while ids := looking.stripe(after):
        opened += _apply(ids, book, by)
        after = ids[-1]
    note_applied(book)
    return opened


def apply_to_people(*, employee_ids: Iterable[int], today: date, by: str = "system:rules") -> int:
    """Do what the rules ask about these people: HR's facts about them have changed. Return how many were opened."""
    ids, book = sorted(set(employee_ids)), looking.open_book(today)
    return sum(_settle(batch, book, by) for batch in _batches(ids))


def start_run(*, key: str, by: Employee | None = None) -> Job:
    """Ask a worker to apply the rules to everybody, and return the job. The same key is the same run."""
    total = Employee.objects.filter(employee_no__isnull=False).count()
    return jobs.start(kind=RUN, key=key, by=by, total=total)


def newest_run() -> Job | None:
    return Job.objects.filter(kind=RUN).order_by("-pk").first()


def run_step(job: Job) -> bool:
    """Look at the next people of a run. Return whether it was everybody."""
    book, ids = looking.open_book(timezone.localdate()), looking.stripe(job.cursor.get("after", 0), STEP)
    opened = _apply(ids, book, f"system:job-{job.pk}") if ids else 0
    job.result = {"opened": job.result.get("opened", 0) + opened}
    job.done += len(ids)
    if ids:
        job.cursor = {"after": ids[-1]}
        return False
    note_applied(book)
    return True


def note_applied(book: Book) -> None:
    """Keep that everybody has been looked at on this day: who comes under a rule later has moved."""
    begun = Rule.objects.filter(is_active=True, starts_on__lte=book.today)
    begun.exclude(applied_on__gte=book.today).update(applied_on=book.today)


def _apply(ids: Sequence[int], book: Book, by: str) -> int:
    busy = sorted({person.pk for person, *_rest in looking.deeds(ids, book)})
    return sum(_settle(batch, book, by) for batch in _batches(busy))


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


@dataclass(frozen=True)
class _Due:
    """A deed to be written, about whom."""

    person: Person
    course: int
    held: Held
    deed: Deed


@transaction.atomic
def _settle(ids: Sequence[int], book: Book, by: str) -> int:
    """Lock these people, look again (another worker may have been here), and write what is to be done."""
    list(Employee.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk"))
    found = [_Due(*one) for one in looking.deeds(ids, book)]
    if not found:
        return 0
    courses = Course.objects.in_bulk({one.course for one in found})
    for one in found:
        if one.deed.ends:
            _end(one, courses[one.course], by)
        elif one.deed.moves_to:
            _move(one, courses[one.course], book, by)
    opened = _open_all([one for one in found if one.deed.opens], courses, book, by)
    ring_standing()
    return opened


def _end(one: _Due, course: Course, by: str) -> None:
    mine, deed = one.held.open, one.deed
    Assignment.objects.filter(pk=mine.pk, ended_on=None).update(ended_on=deed.ended_on, ended_why=deed.ends)
    body = {"course": course.slug, "cycle": mine.cycle, "why": deed.ends, "ended_on": deed.ended_on.isoformat()}
    ledger.append(verb="training.cycle_ended", actor=by, subject=one.person.uid, body=body)


def _move(one: _Due, course: Course, book: Book, by: str) -> None:
    mine, deed = one.held.open, one.deed
    change: dict = {"due_on": deed.moves_to}
    if opening := deed.moved_by.get("opening"):
        facts = reasons.because(opening, one.person, book)
        facts["rules"] = sorted({*facts["rules"], *mine.because.get("rules", [])})
        facts["leave_from"] = book.today.isoformat()
        change |= {"rule_id": opening.terms.rule, "grace_days": opening.terms.grace_days, "because": facts}
    else:
        told = {name: _as_json(value) for name, value in deed.moved_by.items()}
        change["because"] = mine.because | told
    Assignment.objects.filter(pk=mine.pk).update(**change)
    body = {
        "course": course.slug,
        "cycle": mine.cycle,
        "due_on": deed.moves_to.isoformat(),
        "due_on_before": mine.due_on.isoformat(),
        "because": change["because"],
    }
    ledger.append(verb="training.due_moved", actor=by, subject=one.person.uid, body=body)


def _as_json(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _open_all(found: Sequence[_Due], courses: dict[int, Course], book: Book, by: str) -> int:
    """Write the next cycle of each, and its Entry. The people are locked and have no open one in their course."""
    if not found:
        return 0
    earlier = Assignment.objects.filter(employee__in={one.person.pk for one in found}, course__in=courses)
    counted = earlier.order_by().values_list("employee", "course").annotate(Max("cycle"))
    newest = {(person, course): cycle for person, course, cycle in counted}
    rows = [_row(one, one.deed.opens, newest.get((one.person.pk, one.course), 0) + 1, book) for one in found]
    Assignment.objects.bulk_create(rows)
    for one, row in zip(found, rows, strict=True):
        body = {"course": courses[one.course].slug, "cycle": row.cycle, "due_on": row.due_on.isoformat()}
        body |= {"rule": row.because["name"], "because": row.because}
        ledger.append(verb="training.assigned", actor=by, subject=one.person.uid, body=body)
    return len(rows)


def _row(one: _Due, opening: Opening, cycle: int, book: Book) -> Assignment:
    return Assignment(
        employee_id=one.person.pk,
        course_id=one.course,
        cycle=cycle,
        rule_id=opening.terms.rule,
        assigned_on=book.today,
        due_on=opening.due_on,
        grace_days=opening.terms.grace_days,
        because=reasons.because(opening, one.person, book),
    )
