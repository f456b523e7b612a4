"""What people owe, asked of every room for a piece of the firm at once: a constant number of queries a source."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string

from archive import calendars as months
from portal.people import calendars
from portal.people.models import Employee, Leave
from portal.reminders.rules import Days, Owed, Terms
from portal.standing import statements
from portal.standing.models import RemedyTask
from training import services as training
from training.facts import facts_in
from training.models import Assignment, Attestation, Course, Exemption
from training.rules import State, training_state

TRAINING, REMEDY, POLICY, STATEMENT, EXEMPTION = "training", "remedy", "policy", "statement", "exemption"


@dataclass(frozen=True)
class Piece:
    """Some people, and which day it is where each of them works at the moment of the round."""

    people: Mapping[int, Employee]
    days: Mapping[int, date]
    terms: Terms

    @classmethod
    def of(cls, people: Mapping[int, Employee], moment: datetime, terms: Terms) -> "Piece":
        return cls(people, {pk: calendars.local_day(one, moment) for pk, one in people.items()}, terms)

    @property
    def newest_day(self) -> date:
        return max(self.days.values())


Source = Callable[[Piece], Iterator[tuple[int, Owed]]]


@lru_cache(maxsize=4)
def _sources(names: tuple[str, ...]) -> list[Source]:
    return [import_string(name) for name in names]


def gather(piece: Piece) -> dict[int, list[Owed]]:
    """Return {person: what they owe}, for those of the piece who owe anything, by every source in the settings."""
    found: defaultdict[int, list[Owed]] = defaultdict(list)
    if piece.people:
        for source in _sources(tuple(settings.REMINDER_SOURCES)):
            for pk, owed in source(piece):
                found[pk].append(owed)
    return {pk: sorted(owed, key=lambda one: (one.due_on, one.kind, one.key)) for pk, owed in found.items()}


def leaves_of(people: Mapping[int, Employee], until: date) -> dict[int, list[Days]]:
    """Return {person: days of leave, (first, last)} that begin until the day. One query."""
    found: defaultdict[int, list[Days]] = defaultdict(list)
    rows = Leave.objects.filter(employee__in=list(people), first_on__lte=until, last_on__gte=until - timedelta(800))
    for pk, first, last in rows.values_list("employee", "first_on", "last_on"):
        found[pk].append((first, last))
    return found


# --- the sources -------------------------------------------------------------------------------------------------


def training_due(piece: Piece) -> Iterator[tuple[int, Owed]]:
    """Courses that are assigned and not completed, but for who is exempt. Five queries."""
    rows = list(
        Assignment.objects.filter(employee__in=list(piece.people))
        .open()
        .values_list("employee", "course", "course__slug", "cycle", "assigned_on", "due_on", "grace_days")
    )
    courses = {course for _pk, course, *_rest in rows}
    facts = facts_in(courses, list(piece.people)) if rows else {}
    titles = _titles(courses)
    for pk, course, slug, cycle, assigned_on, due_on, grace in rows:
        if training_state(facts[pk, course], piece.days[pk]) == State.EXEMPT:
            continue
        title = titles.get(course) or {"en": slug}
        path = reverse("training:course", args=[slug])
        yield pk, Owed(TRAINING, f"{slug}/{cycle}", title, due_on, assigned_on, grace, path)


def _titles(courses: set[int]) -> dict[int, dict]:
    named = Course.objects.filter(pk__in=courses).order_by("editions__number")
    return dict(named.values_list("pk", "editions__title")) if courses else {}


def exemptions_ending(piece: Piece) -> Iterator[tuple[int, Owed]]:
    """Exemptions whose end is near. Two queries."""
    first, last = min(piece.days.values()), piece.newest_day + piece.terms.ahead
    near = Exemption.objects.filter(employee__in=list(piece.people), ends_on__gte=first, ends_on__lte=last)
    rows = list(near.values_list("pk", "employee", "course", "course__slug", "starts_on", "ends_on"))
    titles = _titles({course for _pk, _who, course, *_rest in rows})
    for pk, who, course, slug, starts_on, ends_on in rows:
        if starts_on <= piece.days[who] <= ends_on:
            title = titles.get(course) or {"en": slug}
            path = reverse("training:course", args=[slug])
            yield who, Owed(EXEMPTION, str(pk), title, ends_on, path=path, is_notice=True)


def lessons_called_for(piece: Piece) -> Iterator[tuple[int, Owed]]:
    """Lessons that a finding calls for. Of the archive: only the person, and who sees every record, reads of them."""
    rows = RemedyTask.objects.open().filter(employee__in=list(piece.people))
    for uid, pk, at, title in rows.values_list("uid", "employee", "assigned_at", "lesson__title"):
        came_on = calendars.day_at(at, calendars.zone_name(piece.people[pk]))
        due_on = came_on + timedelta(days=piece.terms.days_to_do)
        path = reverse("standing:remedy", args=[uid])
        yield pk, Owed(REMEDY, uid, title, due_on, came_on, path=path, is_of_archive=True)


def policies_to_sign(piece: Piece) -> Iterator[tuple[int, Owed]]:
    """Versions of policies that hold and that the person has not signed. Two queries."""
    versions = training.newest_versions(piece.newest_day)
    signed = _signed(piece, version__in=versions) if versions else set()
    for version in versions:
        path = reverse("training:policy", args=[version.policy.slug])
        for pk, person in piece.people.items():
            if (pk, version.pk, "") in signed or piece.days[pk] < version.effective_from:
                continue
            came_on = max(version.effective_from, person.joined_on or version.effective_from)
            due_on = came_on + timedelta(days=piece.terms.days_to_do)
            key = f"{version.policy.slug}/{version.number}"
            yield pk, Owed(POLICY, key, version.title, due_on, came_on, path=path)


def statement_to_sign(piece: Piece) -> Iterator[tuple[int, Owed]]:
    """The statement for the quarter that is over, of who was here in it. Two queries."""
    day = piece.newest_day
    version, quarter = statements.version_on(day), statements.asked_on(day)
    if version is None:
        return
    last = months.last_day(months.months_on(statements.first_day(quarter), 2))
    came_on = max(last + timedelta(1), version.effective_from)
    due_on = came_on + timedelta(days=piece.terms.days_to_do)
    signed = {pk for pk, _version, _period in _signed(piece, version__policy=version.policy, period=quarter)}
    path = reverse("standing:statement")
    for pk, person in piece.people.items():
        if pk in signed or (person.joined_on and person.joined_on > last):
            continue
        yield pk, Owed(STATEMENT, quarter, version.title, due_on, came_on, path=path)


def _signed(piece: Piece, **which) -> set[tuple[int, int, str]]:
    rows = Attestation.objects.filter(employee__in=list(piece.people), **which)
    return set(rows.values_list("employee", "version", "period"))
