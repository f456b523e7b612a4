"""A person's history, read from the log: every Entry about them that the viewer may know of, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.evidence import words
from portal.ledger import rules
from portal.ledger.models import Entry
from portal.people.models import Employee
from portal.standing.files import may_see_archive


def _of(room: str, names: str) -> tuple[str, ...]:
    return tuple(f"{room}{name}" for name in names.split())


REMINDED = "standing.reminded"
# What a filter is called, and which Entries it shows.
KINDS: dict[str, tuple[Promise, tuple[str, ...]]] = {
    "training": (
        _("Training"),
        (
            *_of("training.", "assigned due_moved cycle_ended exemption_asked exemption_refused exempted"),
            *_of("training.", "edition_begun lesson_finished test_out_begun module_passed completed"),
            "training.completion_imported",
            REMINDED,
            *_of("reminders.", "sent bounced bounce_settled handled"),
        ),
    ),
    "policies": (_("Policies"), ("training.policy_signed",)),
    "quizzes": (
        _("Quizzes"),
        (*_of("quizzes.attempt_", "started submitted regraded"), "training.fresh_answered"),
    ),
    "certificates": (
        _("Certificates"),
        _of("training.certificate_", "issued signed fetched confirmed replaced revoked"),
    ),
    "standing": (_("Standing"), ("standing.changed",)),
    "findings": (
        _("Findings"),
        _of("archive.finding_", "opened grown reopened asked answered confirmed returned dismissed closed")
        + _of("standing.remedy_", "assigned done withdrawn")
        + ("reminders.sent_of_archive",),
    ),
    "slips": (_("Slips told"), ("archive.slip_reported", "archive.finding_added")),
    "people": (
        _("HR’s list"),
        _of("people.", "added changed manager_set roles_given tags_set suspended readmitted leave_set")
        + _of("scim.", "person_named person_removed")
        + _of("signon.", "linked refused link_ended"),
    ),
    "review": (
        _("Work of reviewers"),
        (*_of("archive.finding_", "claimed released taken_over noted read seconded"), "quizzes.attempt_looked_at"),
    ),
}
OF_TRAINING = {"training", "policies", "quizzes", "certificates"}
OF_ARCHIVE = {"standing", "findings"}


@dataclass(frozen=True)
class Filters:
    """What the address asks for. Empty: everything that the viewer may see."""

    kind: str = ""
    first: date | None = None
    last: date | None = None

    @classmethod
    def from_query(cls, query) -> "Filters":
        return cls(query.get("kind", ""), _day(query.get("from", "")), _day(query.get("to", "")))


@dataclass(frozen=True)
class Line:
    seq: int
    at: datetime
    sentence: str


def kinds_for(person: Employee, viewer: Employee) -> list[str]:
    """Return which kinds the viewer may read about the person, who is visible to them.

    Oneself: all but the work of reviewers. Managers above: training and the archive's part. HR: training and its own
    list. Who may read the log: all of it.
    """
    if viewer.has_perm("ledger.view_entries"):
        return list(KINDS)
    found = set(OF_TRAINING)
    if may_see_archive(person, viewer):
        found |= OF_ARCHIVE
    if viewer == person or viewer.has_perm("people.view_everyone"):
        found.add("people")
    if viewer == person:
        found.add("slips")
    return [kind for kind in KINDS if kind in found]


def entries_for(person: Employee, viewer: Employee, filters: Filters) -> QuerySet[Entry]:
    """Return the Entries about the person that fit the filters and that the viewer may read, newest first."""
    kinds = [kind for kind in kinds_for(person, viewer) if filters.kind in ("", kind)]
    rows = Entry.objects.filter(subject=person.uid, verb__in=[verb for kind in kinds for verb in KINDS[kind][1]])
    if filters.first:
        rows = rows.filter(at__gte=_begins(filters.first))
    if filters.last:
        rows = rows.filter(at__lt=_begins(filters.last + timedelta(days=1)))
    return rows.order_by("-seq")


def lines(entries: Sequence[Entry]) -> list[Line]:
    """Return Entries in words. Their Bodies are read with them: ``select_related("body")``."""
    said = {one.seq: rules.read(bytes(one.body.content)) if hasattr(one, "body") else None for one in entries}
    titles = words.titles_for(body for body in said.values() if body)
    return [Line(one.seq, one.at, words.say(one.verb, said[one.seq], titles)) for one in entries]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day < date(2200, 1, 1) else None


def _begins(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())
