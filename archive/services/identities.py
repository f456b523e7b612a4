"""Which employee a handle means, and when. A change of it re-matches the messages concerned."""

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from archive import calendars, rules
from archive.models import Identity, Message, Participant, Robot, Source, Unmatched
from archive.models.messages import PartyKind
from archive.services import bulk
from archive.services.due import Why, mark_due
from archive.services.turns import take_turn
from archive.sources.kinds import short_handle
from portal.ledger import services as ledger
from portal.people.models import Employee, opaque_id

CHANNEL = "wecom"
MAIL = "mail"  # the channel in which HR's e-mail addresses are handles, wherever they turn up


@dataclass(frozen=True)
class Ways:
    """How the handles of a source are matched, beside exactly.

    ``own_domains``: the firm's, None where handles are no addresses. ``lacks_zeros``: tables cut leading zeros off.
    """

    own_domains: frozenset[str] | None = None
    lacks_zeros: bool = False


def ways_of(source: Source, run_uid: str = "") -> Ways:
    """Return how the source's handles are matched. With a run the staff list's domains are read once for it."""
    if source.kind == Source.Kind.WECOM:
        return Ways()
    told = source.mapping.get("own_domains")
    domains = frozenset(one.casefold() for one in told) if told else _domains_of_staff(run_uid or opaque_id())
    return Ways(domains, source.kind == Source.Kind.CSV)


@lru_cache(maxsize=8)
def _domains_of_staff(_run_uid: str) -> frozenset[str]:
    """Return the domains of HR's addresses. Kept for the run: its name is random, so no other one meets it."""
    staff = Employee.objects.filter(employee_no__isnull=False)
    return rules.domains_of(staff.values_list("email", flat=True).iterator(chunk_size=5000))


@dataclass(frozen=True)
class Known:
    """The identities of some handles: who was meant when; and those of them that were declared to be no person."""

    spans: dict[tuple[str, str], list[tuple[datetime | None, datetime | None, int]]]  # by channel and folded handle
    robots: dict[tuple[str, str], list[tuple[datetime | None, datetime | None]]] = field(default_factory=dict)
    always: dict[tuple, tuple[str, int | None]] = field(default_factory=dict)  # who it is at any time, once asked

    def whom(self, channel: str, folded: str, at: datetime | None) -> int | None:
        """Return the employee whom the handle meant then; without a time, whom it means if it only ever meant one."""
        spans = self.spans.get((channel, folded), ())
        if at is None:
            return spans[0][2] if len(spans) == 1 else None
        return next((employee for begins, ends, employee in spans if _holds(begins, ends, at)), None)

    def who(self, handle: str, at: datetime | None, channel: str, ways: Ways = Ways()) -> tuple[str, int | None]:
        """Return (kind, employee). The staff list goes before what was declared, and that before any shape of a handle;
        the channel goes before mail.
        """
        key = handle, channel, ways
        if (settled := self.always.get(key)) is not None:
            return settled
        folded = rules.fold(handle)
        employee = self.whom(channel, folded, at) or self.whom(MAIL, folded, at)
        if employee is None and ways.lacks_zeros and (whole := self._with_zeros(channel, folded)):
            employee = self.whom(channel, whole, at)
        # Plain text, not PartyKind: a database driver looks up the type of everything else, for every row.
        if employee:
            found = "employee", employee
        elif any(_holds(begins, ends, at) for begins, ends in self.robots.get((channel, folded), ())):
            found = "robot", None
        else:
            found = rules.kind_by_shape(handle, ways.own_domains), None
        if not ways.lacks_zeros and not (self._has_bounds(channel, folded) or self._has_bounds(MAIL, folded)):
            self.always[key] = found
        return found

    def _has_bounds(self, channel: str, folded: str) -> bool:
        spans = [*self.spans.get((channel, folded), ()), *self.robots.get((channel, folded), ())]
        return any(begins or ends for begins, ends, *_employee in spans)

    def _with_zeros(self, channel: str, folded: str) -> str | None:
        """Return the one handle of the staff list that this number was before its zeros were cut off.

        None if there are two, or if the number as it stands has ever been a handle: that would be guessing.
        """
        if (channel, folded) in self.spans:
            return None
        found = [whole for whole in rules.with_zeros(folded) if (channel, whole) in self.spans]
        return found[0] if len(found) == 1 else None


def _holds(begins: datetime | None, ends: datetime | None, at: datetime | None) -> bool:
    return at is None or ((begins is None or begins <= at) and (ends is None or at < ends))


def known(folded: Iterable[str], *, channels: Set[str] | None = None, lacks_zeros: bool = False) -> Known:
    """Return the identities of the handles in the channels and in mail, and what was declared of them.

    ``channels`` None: in all channels.
    """
    wanted = set(folded)
    if lacks_zeros:
        wanted |= {whole for one in wanted for whole in rules.with_zeros(one)}
    rows, declared = (model.objects.filter(handle_folded__in=wanted) for model in (Identity, Robot))
    if channels is not None:
        rows, declared = rows.filter(channel__in={*channels, MAIL}), declared.filter(channel__in=channels)
    spans, robots = defaultdict(list), defaultdict(list)
    columns = ("channel", "handle_folded", "valid_from", "valid_to", "employee_id")
    for channel, handle, begins, ends, employee in rows.values_list(*columns):
        spans[channel, handle].append((begins, ends, employee))
    for channel, handle, begins, ends in declared.values_list(*columns[:-1]):
        robots[channel, handle].append((begins, ends))
    return Known(dict(spans), dict(robots))


@transaction.atomic
def sync_identities(*, by: str, now: datetime | None = None) -> set[int]:
    """Make the identities what HR's list says of userids, and of e-mail addresses where any feed may have them, and
    re-match what that changes. Return the messages touched.

    A userid that HR gives to somebody new ends the old identity now and begins the new one; that of a leaver ends
    with the leaving day. The first identity of a handle reaches back to the beginning. What a person has matched
    by hand stays as it is: HR's list only says whom the handle means afterwards.
    """
    take_turn()
    now, changed = now or timezone.now(), set()
    for channel in _CHANNELS_OF_HR:
        wanted = _as_hr_tells(channel)
        newest: dict[str, Identity] = {}
        ordered = Identity.objects.select_for_update().filter(channel=channel)
        for one in ordered.order_by(F("valid_to").asc(nulls_last=True), "pk"):
            newest[one.handle_folded] = one  # the one that reaches farthest
        for folded in wanted.keys() | newest.keys():
            if _settle(channel, newest.get(folded), wanted.get(folded), now):
                changed.add(folded)
    if not changed:
        return set()
    touched = rematch(changed)
    ledger.append(
        verb="archive.identities_synced", actor=by, subject="system:archive", body={"handles": sorted(changed)}
    )
    return touched


_CHANNELS_OF_HR = {CHANNEL: "wecom_userid", MAIL: "email"}


@dataclass(frozen=True)
class Told:
    """What HR's list says of one handle: whose it is, and when it ends, None if it does not."""

    handle: str
    employee: Employee
    ends: datetime | None


def _settle(channel: str, newest: Identity | None, told: Told | None, now: datetime) -> bool:
    """Make the newest identity of one handle what HR tells. Return whether anything changed."""
    if told is None:
        return newest.origin == Identity.Origin.HR and newest.valid_to is None and _end(newest, now)
    employee, ends = told.employee, told.ends
    by_hand = newest is not None and newest.origin != Identity.Origin.HR
    if by_hand and newest.valid_to is None:
        return False
    if newest is not None and not by_hand and newest.employee_id == employee.pk:
        return newest.valid_to != ends and _end(newest, ends)
    if newest is not None and newest.valid_to is None:
        _end(newest, now)
    begins = newest.valid_to if newest else None
    if begins is not None and ends is not None and ends <= begins:
        return False  # had left before the handle was free
    Identity.objects.create(
        channel=channel,
        handle=told.handle,
        handle_folded=rules.fold(told.handle),
        employee=employee,
        valid_from=begins,
        valid_to=ends,
    )
    return True


def _end(identity: Identity, moment: datetime | None) -> bool:
    if moment is not None and identity.valid_from is not None and moment <= identity.valid_from:
        moment = identity.valid_from + timedelta(microseconds=1)  # it meant nobody, but it was there
    if identity.valid_to == moment:
        return False
    identity.valid_to = moment
    identity.save(update_fields=["valid_to"])
    return True


def _as_hr_tells(channel: str) -> dict[str, Told]:
    """Return what HR tells of each folded handle of the channel.

    Addresses are handles only where a feed may have them: a firm that has none but WeCom's keeps no second list.
    """
    if channel == MAIL and not Source.objects.exclude(kind=Source.Kind.WECOM).exists():
        return {}
    field, zone = _CHANNELS_OF_HR[channel], timezone.get_default_timezone()
    people = Employee.objects.filter(employee_no__isnull=False).exclude(**{field: ""})
    found = {}
    for one in people.only("pk", field, "left_on").order_by("pk"):
        handle = short_handle(getattr(one, field))
        ends = calendars.day_begins(one.left_on + timedelta(1), zone) if one.left_on else None
        found[rules.fold(handle)] = Told(handle, one, ends)
    return found


def rematch(folded: Iterable[str]) -> set[int]:
    """Match the participants with these handles again and mark the records concerned as due. Return the messages."""
    handles = set(folded)
    handles |= {short for one in handles for short in rules.without_zeros(one)}
    now_known, due, moved = known(handles, lacks_zeros=True), set(), []
    touched: set[int] = set()
    lost: dict[tuple[int, str], str] = {}
    once = opaque_id()
    ways = {source.pk: ways_of(source, once) for source in Source.objects.all()}
    stale = Participant.objects.filter(handle_folded__in=handles).select_related("message").order_by("pk")
    for one in stale.iterator(chunk_size=2000):
        kind, employee = now_known.who(one.handle, one.sent_at, one.message.channel, ways[one.message.source_id])
        if (one.kind, one.employee_id) == (kind, employee):
            continue
        due |= {(person, one.sent_at) for person in (one.employee_id, employee) if person and one.sent_at}
        touched.add(one.message_id)
        if kind == PartyKind.UNKNOWN:
            lost[one.message.source_id, one.handle_folded] = one.handle
        moved.append((kind, employee, one.pk))  # no more of each: a whole archive may be matched at once
    bulk.update(Participant, ("kind", "employee"), moved)
    corrected = _correct_messages(touched)
    others = Participant.objects.filter(message__pk__among=corrected, employee__isnull=False, sent_at__isnull=False)
    mark_due(due | set(others.values_list("employee_id", "sent_at")), Why.IDENTITY)
    Unmatched.objects.bulk_create(
        [Unmatched(source_id=source, handle=handle, handle_folded=folded) for (source, folded), handle in lost.items()],
        ignore_conflicts=True,
        batch_size=400,
    )
    still = Participant.objects.filter(kind=PartyKind.UNKNOWN, handle_folded__in=handles).values("handle_folded")
    Unmatched.objects.filter(handle_folded__in=handles).exclude(handle_folded__in=still).delete()
    return touched


def forget_unmatched(strangers: Iterable[tuple[int, str]]) -> None:
    """Forget the unmatched handles, by source, that no message of the source has any more."""
    told = set(strangers)
    here = Participant.objects.filter(
        kind=PartyKind.UNKNOWN, handle_folded__in={folded for _source, folded in told}
    ).values_list("message__source", "handle_folded")
    for source, folded in told - set(here):
        Unmatched.objects.filter(source=source, handle_folded=folded).delete()


def _correct_messages(pks: set[int]) -> list[int]:
    """Write anew what a message keeps of its participants: the sender's kind and the outside contacts.

    Return the messages whose contacts are others now: they count differently for everybody who took part.
    """
    ordered, corrected = sorted(pks), []
    for at in range(0, len(ordered), 1000):
        changed = []
        chunk = Message.objects.in_bulk(ordered[at : at + 1000])
        parties = defaultdict(list)
        for one in Participant.objects.filter(message_id__in=chunk).order_by("pk"):
            parties[one.message_id].append(one)
        for pk, message in chunk.items():
            kinds = {one.handle: one.kind for one in parties[pk]}
            contacts = [handle for handle, kind in kinds.items() if kind == PartyKind.CONTACT]
            sender_kind = kinds.get(message.sender, message.sender_kind)
            if message.contacts != contacts:
                corrected.append(pk)
            if (message.contacts, message.sender_kind) != (contacts, sender_kind):
                message.contacts, message.sender_kind, message.is_external = contacts, sender_kind, bool(contacts)
                changed.append(message)
        rows = ((one.contacts, one.sender_kind, one.is_external, one.pk) for one in changed)
        bulk.update(Message, ("contacts", "sender_kind", "is_external"), rows)
    return corrected


def handles_of(employees: Iterable[int], begins: datetime, ends: datetime) -> dict[int, set[str]]:
    """Return {employee: folded handles that meant them at some moment of the time}."""
    found = defaultdict(set)
    valid = (Q(valid_from=None) | Q(valid_from__lt=ends)) & (Q(valid_to=None) | Q(valid_to__gt=begins))
    rows = Identity.objects.filter(valid, employee__in=list(employees), channel=CHANNEL)
    for employee, folded in rows.values_list("employee_id", "handle_folded"):
        found[employee].add(folded)
    return found
