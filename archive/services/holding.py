"""Holds: made, lifted, counted; and what they keep from every place that takes something away.

A hold and whatever takes messages away lock all sources first, so that one is always before the other: a hold that
has been made is seen by the next step of a disposal.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count as Count_
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import calendars, rules
from archive.holding import Holds, Part, Terms
from archive.models import Hold, Identity, Message, Participant, SetAside, Source
from archive.services.casework import ReasonMissing
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee

MANAGE = "archive.manage_keeping"
COUNTED = 100_000  # messages a hold is counted to; a page says "more than" beyond
REASON_LIMIT = 500  # characters
A_DAY = timedelta(days=1)


class NothingHeld(ValueError):
    """A hold needs a person, a conversation, a contact or a day."""


class NameTaken(ValueError):
    """Another hold has this name."""


class AlreadyLifted(RuntimeError):
    """The hold was lifted before."""


@dataclass(frozen=True)
class Criteria:
    """What a hold is to hold; all that are given must be met. Days are the firm's, both included."""

    employee: Employee | None = None
    room: str = ""
    contact: str = ""
    first_on: date | None = None
    last_on: date | None = None

    @classmethod
    def of(cls, hold: Hold) -> "Criteria":
        return cls(hold.employee, hold.room, hold.contact, hold.first_on, hold.last_on)

    def terms(self) -> Terms:
        return _terms(self, _handles_ever({self.employee.pk} if self.employee else set()))


@dataclass(frozen=True)
class Count:
    """What a hold holds. ``more``: there are more messages than were counted."""

    messages: int
    more: bool
    lines: int


def something(criteria: Criteria) -> Criteria:
    """Return the criteria. Raises NothingHeld if there is none."""
    if criteria == Criteria():
        raise NothingHeld(_("Say what to hold: a person, a conversation, an outside contact, or days."))
    return criteria


def lock_sources() -> None:
    """Take every source, so that no import, no other hold and no other disposal step runs until this one has ended."""
    list(Source.objects.select_for_update().order_by("pk").values_list("pk", flat=True))


def refuse_without_permission(by: Employee) -> None:
    if not by.is_active or not by.has_perm(MANAGE):
        raise PermissionDenied


@transaction.atomic
def make_hold(*, name: str, reason: str, criteria: Criteria, by: Employee) -> Hold:
    """Hold what meets the criteria from now on. Raises NothingHeld, NameTaken, ReasonMissing, PermissionDenied."""
    refuse_without_permission(by)
    name, reason = name.strip(), reason.strip()[:REASON_LIMIT]
    something(criteria)
    if not reason:
        raise ReasonMissing(_("Say why it is held."))
    lock_sources()
    if Hold.objects.filter(name=name).exists():
        raise NameTaken(_("Another hold has this name. A hold is never deleted, so its name stays taken."))
    found = count_held(criteria)
    hold = Hold.objects.create(
        name=name,
        reason=reason,
        employee=criteria.employee,
        room=criteria.room,
        contact=criteria.contact,
        first_on=criteria.first_on,
        last_on=criteria.last_on,
        made_by=by,
        made_at=timezone.now(),
    )
    body = {**_told(hold), "reason": reason, "messages": found.messages, "more": found.more, "lines": found.lines}
    ledger.append(verb="archive.hold_made", actor=by.uid, subject=_subject(hold), body=body)
    return hold


@transaction.atomic
def make_holds(*, name: str, reason: str, criteria: Sequence[Criteria], by: Employee) -> list[Hold]:
    """Make a hold for each of the criteria, all or none. Of several people each hold's name ends with their number.

    Raises what ``make_hold`` does.
    """
    if len(criteria) == 1:
        return [make_hold(name=name, reason=reason, criteria=criteria[0], by=by)]
    most = Hold._meta.get_field("name").max_length
    ends = [f" · {one.employee.employee_no or one.employee.email}" for one in criteria]
    names = [name.strip()[: most - len(end)] + end for end in ends]
    return [
        make_hold(name=called, reason=reason, criteria=one, by=by) for called, one in zip(names, criteria, strict=True)
    ]


@transaction.atomic
def lift_hold(*, hold: Hold, reason: str, by: Employee) -> Hold:
    """End a hold. Its row stays. Raises AlreadyLifted, ReasonMissing, PermissionDenied."""
    refuse_without_permission(by)
    reason = reason.strip()[:REASON_LIMIT]
    if not reason:
        raise ReasonMissing(_("Say why it is lifted."))
    lock_sources()
    hold = Hold.objects.select_for_update(of=("self",)).select_related("employee").get(pk=hold.pk)
    if not hold.is_active:
        raise AlreadyLifted(hold.name)
    hold.lifted_by, hold.lifted_at, hold.lifted_why = by, timezone.now(), reason
    hold.save(update_fields=["lifted_by", "lifted_at", "lifted_why"])
    ledger.append(
        verb="archive.hold_lifted", actor=by.uid, subject=_subject(hold), body={**_told(hold), "reason": reason}
    )
    return hold


def _subject(hold: Hold) -> str:
    return hold.employee.uid if hold.employee else "system:archive"


def _told(hold: Hold) -> dict:
    """What an Entry says of a hold. Who is held is the Entry's subject."""
    return {
        "hold": hold.uid,
        "name": hold.name,
        "room": hold.room,
        "contact": hold.contact,
        "first_on": hold.first_on.isoformat() if hold.first_on else None,
        "last_on": hold.last_on.isoformat() if hold.last_on else None,
    }


def messages_of(criteria: Criteria) -> QuerySet[Message]:
    """Return the messages that meet the criteria: what holding.meets says, asked of the database by an index."""
    terms, found = criteria.terms(), Message.objects.all()
    if terms.employee is not None:
        theirs = Q(employee=terms.employee) | Q(employee=None, handle_folded__in=terms.handles)
        found = found.filter(pk__in=_within(Participant.objects.filter(theirs), terms).values("message"))
    if terms.contact:
        of_contact = _within(Participant.objects.filter(handle_folded=terms.contact), terms)
        found = found.filter(pk__in=of_contact.values("message"))
    if terms.room:
        found = found.of_room(terms.room)
    if terms.employee is None and not terms.contact and not terms.room:
        found = found.filter(source__in=list(Source.objects.values_list("pk", flat=True)))
    return _within(found, terms)


def _within(rows: QuerySet, terms: Terms) -> QuerySet:
    if not terms.begins and not terms.ends:
        return rows
    time = Q(sent_at__gte=terms.begins) if terms.begins else Q()
    if terms.ends:
        time &= Q(sent_at__lt=terms.ends)
    return rows.filter(time | Q(sent_at=None))


def count_held(criteria: Criteria) -> Count:
    """Return what a hold with these criteria holds, or would."""
    found = messages_of(criteria).order_by().values("pk")[: COUNTED + 1].count()
    holds = Holds({"one": criteria.terms()})
    by_file = SetAside.objects.exclude(sealed=None).order_by().values_list(*TIME_OF_FILE).annotate(count=Count_("pk"))
    lines = sum(count for *file, count in by_file if holds.on_line(*span(*file)))
    return Count(messages=min(found, COUNTED), more=found > COUNTED, lines=lines)


def active_holds() -> Holds:
    """Return what is held now, by the holds' uids. Two queries."""
    rows = list(Hold.objects.active().select_related("employee").order_by("pk"))
    handles = _handles_ever({one.employee_id for one in rows if one.employee_id})
    return Holds({one.uid: _terms(Criteria.of(one), handles) for one in rows})


def _terms(criteria: Criteria, handles: dict[int, set[str]]) -> Terms:
    zone = timezone.get_default_timezone()
    who = criteria.employee.pk if criteria.employee else None
    return Terms(
        employee=who,
        handles=frozenset(handles.get(who, ())) if who else frozenset(),
        room=criteria.room,
        contact=rules.fold(criteria.contact) if criteria.contact else "",
        begins=calendars.day_begins(criteria.first_on, zone) if criteria.first_on else None,
        ends=calendars.day_begins(criteria.last_on + A_DAY, zone) if criteria.last_on else None,
    )


def _handles_ever(employees: set[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    rows = Identity.objects.filter(employee__in=employees) if employees else Identity.objects.none()
    for who, folded in rows.values_list("employee_id", "handle_folded"):
        found.setdefault(who, set()).add(folded)
    return found


def held_among(pks: Iterable[int], holds: Holds | None = None) -> dict[int, list[str]]:
    """Return {message: uids of the holds that hold it} for those of these messages that any holds."""
    holds = active_holds() if holds is None else holds
    if not holds:
        return {}
    found, ordered = {}, sorted(set(pks))
    for begin in range(0, len(ordered), 1000):
        parts = parts_of(Message.objects.filter(pk__in=ordered[begin : begin + 1000]), holds)
        found |= {pk: names for pk, part in parts.items() if (names := holds.on(part))}
    return found


def parts_of(messages: QuerySet[Message], holds: Holds) -> dict[int, Part]:
    """Return {message: what holds look at}. Of the people only those whom any hold names are read. Two queries."""
    parts = {pk: Part(sent_at, room) for pk, sent_at, room in messages.values_list("pk", "sent_at", "room")}
    named = Q(employee__in=holds.employees) | Q(handle_folded__in=holds.handles)
    rows = Participant.objects.filter(named, message__in=messages.values("pk"))
    for pk, who, folded in rows.values_list("message_id", "employee_id", "handle_folded"):
        if pk in parts:
            add(parts[pk], who, folded)
    return parts


def add(part: Part, employee: int | None, folded: str) -> None:
    """Note one participant of a message."""
    part.handles.add(folded)
    if employee is None:
        part.strangers.add(folded)
    else:
        part.employees.add(employee)


def lines_held(lines: QuerySet[SetAside]) -> list[int]:
    """Return those set-aside lines that may be of a held message: by the time of the file they came in."""
    holds = active_holds()
    return list(_lines_kept_by(holds, lines)) if holds else []


def _lines_kept_by(holds: Holds, lines: QuerySet[SetAside]) -> Iterable[int]:
    for pk, *file in lines.values_list("pk", *TIME_OF_FILE).iterator(chunk_size=5000):
        if holds.on_line(*span(*file)):
            yield pk


TIME_OF_FILE = ("run__first_sent_at", "run__last_sent_at", "run__started_at")


def span(first: datetime | None, last: datetime | None, started_at: datetime) -> tuple[datetime | None, datetime]:
    """Return (first, last) moment of which a line in a file may be.

    The messages that were stored tell it, with a day on each side; a file of which none was stored may be of any time
    before it was read.
    """
    return (first - A_DAY, last + A_DAY) if first and last else (None, started_at)


def entries_held(seqs: Collection[int]) -> set[int]:
    """Return those Entries whose Bodies must be kept: they speak of a person on whom there is a hold, of any days.

    The ledger asks it before it disposes of what Entries say (setting LEDGER_HOLDS). Two queries.
    """
    people = Hold.objects.active().filter(employee__isnull=False).values_list("employee__uid", flat=True)
    uids, found, ordered = set(people), set(), sorted(seqs)
    for begin in range(0, len(ordered) if uids else 0, 1000):
        rows = Entry.objects.filter(seq__in=ordered[begin : begin + 1000], subject__in=uids)
        found |= set(rows.values_list("seq", flat=True))
    return found
