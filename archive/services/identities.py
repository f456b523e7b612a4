"""Which employee a handle means, and when. A change of it re-matches the messages concerned."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from archive import calendars, rules
from archive.models import Identity, Message, Participant, Robot, Unmatched
from archive.models.messages import PartyKind
from archive.services.due import mark_due
from archive.services.turns import take_turn
from portal.ledger import services as ledger
from portal.people.models import Employee

CHANNEL = "wecom"


@dataclass(frozen=True)
class Known:
    """The identities of some handles: who was meant when; and those of them that were declared to be no person."""

    spans: dict[str, list[tuple[datetime | None, datetime | None, int]]]
    robots: dict[str, list[tuple[datetime | None, datetime | None]]] = field(default_factory=dict)

    def whom(self, folded: str, at: datetime | None) -> int | None:
        """Return the employee whom the handle meant then; without a time, whom it means if it only ever meant one."""
        spans = self.spans.get(folded, ())
        if at is None:
            return spans[0][2] if len(spans) == 1 else None
        return next((employee for begins, ends, employee in spans if _holds(begins, ends, at)), None)

    def who(self, handle: str, at: datetime | None) -> tuple[str, int | None]:
        """Return (kind, employee). The staff list goes before what was declared, and that before any shape."""
        folded = rules.fold(handle)
        if employee := self.whom(folded, at):
            return PartyKind.EMPLOYEE, employee
        if any(_holds(begins, ends, at) for begins, ends in self.robots.get(folded, ())):
            return PartyKind.ROBOT, None
        return rules.kind_by_shape(handle), None


def _holds(begins: datetime | None, ends: datetime | None, at: datetime | None) -> bool:
    return at is None or ((begins is None or begins <= at) and (ends is None or at < ends))


def known(folded: Iterable[str]) -> Known:
    handles, spans, robots = set(folded), defaultdict(list), defaultdict(list)
    rows = Identity.objects.filter(channel=CHANNEL, handle_folded__in=handles)
    for handle, begins, ends, employee in rows.values_list("handle_folded", "valid_from", "valid_to", "employee_id"):
        spans[handle].append((begins, ends, employee))
    declared = Robot.objects.filter(channel=CHANNEL, handle_folded__in=handles)
    for handle, begins, ends in declared.values_list("handle_folded", "valid_from", "valid_to"):
        robots[handle].append((begins, ends))
    return Known(dict(spans), dict(robots))


@transaction.atomic
def sync_identities(*, by: str, now: datetime | None = None) -> set[int]:
    """Make the identities what HR's list says of userids and re-match what that changes. Return the messages touched.

    A userid that HR gives to somebody new ends the old identity now and begins the new one; that of a leaver ends
    with the leaving day. The first identity of a handle reaches back to the beginning. What a person has matched
    by hand stays as it is: HR's list only says whom the handle means afterwards.
    """
    take_turn()
    now, wanted, changed = now or timezone.now(), _as_hr_tells(), set()
    newest: dict[str, Identity] = {}
    ordered = Identity.objects.select_for_update().filter(channel=CHANNEL)
    for one in ordered.order_by(F("valid_to").asc(nulls_last=True), "pk"):
        newest[one.handle_folded] = one  # the one that reaches farthest
    for folded in wanted.keys() | newest.keys():
        if _settle(newest.get(folded), wanted.get(folded), now):
            changed.add(folded)
    if not changed:
        return set()
    touched = rematch(changed)
    ledger.append(
        verb="archive.identities_synced", actor=by, subject="system:archive", body={"handles": sorted(changed)}
    )
    return touched


def _settle(newest: Identity | None, told: tuple[Employee, datetime | None] | None, now: datetime) -> bool:
    """Make the newest identity of one handle what HR tells. Return whether anything changed."""
    if told is None:
        return newest.origin == Identity.Origin.HR and newest.valid_to is None and _end(newest, now)
    employee, ends = told
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
        channel=CHANNEL,
        handle=employee.wecom_userid,
        handle_folded=rules.fold(employee.wecom_userid),
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


def _as_hr_tells() -> dict[str, tuple[Employee, datetime | None]]:
    """Return {folded userid: (employee, moment at which it ends or None)}."""
    zone = timezone.get_default_timezone()
    people = Employee.objects.filter(employee_no__isnull=False).exclude(wecom_userid="")
    return {
        rules.fold(one.wecom_userid): (
            one,
            calendars.day_begins(one.left_on + timedelta(1), zone) if one.left_on else None,
        )
        for one in people.only("pk", "wecom_userid", "left_on")
    }


def rematch(folded: Iterable[str]) -> set[int]:
    """Match the participants with these handles again and mark the records concerned as due. Return the messages."""
    handles = set(folded)
    now_known, due, moved = known(handles), set(), []
    stale = Participant.objects.filter(handle_folded__in=handles).select_related("message").order_by("pk")
    for one in stale.iterator(chunk_size=2000):
        kind, employee = now_known.who(one.handle, one.sent_at)
        if (one.kind, one.employee_id) == (kind, employee):
            continue
        due |= {(person, one.sent_at) for person in (one.employee_id, employee) if person and one.sent_at}
        one.kind, one.employee_id = kind, employee
        moved.append(one)
    Participant.objects.bulk_update(moved, ["kind", "employee"], batch_size=300)
    touched = {one.message_id for one in moved}
    corrected = _correct_messages(touched)
    others = Participant.objects.filter(message__in=corrected, employee__isnull=False, sent_at__isnull=False)
    mark_due(due | set(others.values_list("employee_id", "sent_at")))
    lost = {(one.message.source_id, one.handle_folded): one.handle for one in moved if one.kind == PartyKind.UNKNOWN}
    Unmatched.objects.bulk_create(
        [Unmatched(source_id=source, handle=handle, handle_folded=folded) for (source, folded), handle in lost.items()],
        ignore_conflicts=True,
        batch_size=400,
    )
    still = Participant.objects.filter(kind=PartyKind.UNKNOWN, handle_folded__in=handles).values("handle_folded")
    Unmatched.objects.filter(handle_folded__in=handles).exclude(handle_folded__in=still).delete()
    return touched


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
        Message.objects.bulk_update(changed, ["contacts", "sender_kind", "is_external"], batch_size=200)
    return corrected


def handles_of(employees: Iterable[int], begins: datetime, ends: datetime) -> dict[int, set[str]]:
    """Return {employee: folded handles that meant them at some moment of the time}."""
    found = defaultdict(set)
    valid = (Q(valid_from=None) | Q(valid_from__lt=ends)) & (Q(valid_to=None) | Q(valid_to__gt=begins))
    rows = Identity.objects.filter(valid, employee__in=list(employees), channel=CHANNEL)
    for employee, folded in rows.values_list("employee_id", "handle_folded"):
        found[employee].add(folded)
    return found
