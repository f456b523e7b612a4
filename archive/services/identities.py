"""Which employee a handle means, and when. A change of it re-matches the messages concerned."""

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from django.db.models import Q

from archive import rules
from archive.models import Identity, Message, Participant, Robot, Source, Unmatched
from archive.models.messages import PartyKind
from archive.services import bulk
from archive.services.due import Why, mark_due
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
    # Who a handle is at any time, once asked, by channel and way of matching.
    always: dict[tuple[str, Ways], dict[str, tuple[str, int | None]]] = field(default_factory=dict)

    def whom(self, channel: str, folded: str, at: datetime | None) -> int | None:
        """Return the employee whom the handle meant then; without a time, whom it means if it only ever meant one."""
        spans = self.spans.get((channel, folded), ())
        if at is None:
            return spans[0][2] if len(spans) == 1 else None
        return next((employee for begins, ends, employee in spans if _holds(begins, ends, at)), None)

    def settled(self, channel: str, ways: Ways) -> dict[str, tuple[str, int | None]]:
        """Return what ``who`` has found so far that holds at any time, by handle. It goes on filling it."""
        return self.always.setdefault((channel, ways), {})

    def who(self, handle: str, at: datetime | None, channel: str, ways: Ways = Ways()) -> tuple[str, int | None]:
        """Return (kind, employee). The staff list goes before what was declared, and that before any shape of a handle;
        the channel goes before mail.
        """
        settled = self.settled(channel, ways)
        if (found := settled.get(handle)) is not None:
            return found
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
            settled[handle] = found
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
    rows, declared = (model.objects.filter(handle_folded__among=wanted) for model in (Identity, Robot))
    if channels is not None:
        rows, declared = rows.filter(channel__in={*channels, MAIL}), declared.filter(channel__in=channels)
    spans, robots = defaultdict(list), defaultdict(list)
    columns = ("channel", "handle_folded", "valid_from", "valid_to", "employee_id")
    for channel, handle, begins, ends, employee in rows.values_list(*columns):
        spans[channel, handle].append((begins, ends, employee))
    for channel, handle, begins, ends in declared.values_list(*columns[:-1]):
        robots[channel, handle].append((begins, ends))
    return Known(dict(spans), dict(robots))


def rematch(folded: Iterable[str]) -> set[int]:
    """Match the participants with these handles again and mark the records concerned as due. Return the messages."""
    handles = set(folded)
    handles |= {short for one in handles for short in rules.without_zeros(one)}
    now_known, due, moved = known(handles, lacks_zeros=True), set(), []
    touched: set[int] = set()
    lost: dict[tuple[int, str], str] = {}
    once = opaque_id()
    ways = {source.pk: ways_of(source, once) for source in Source.objects.all()}
    stale = Participant.objects.filter(handle_folded__among=handles).select_related("message").order_by("pk")
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
    still = Participant.objects.filter(kind=PartyKind.UNKNOWN, handle_folded__among=handles).values("handle_folded")
    Unmatched.objects.filter(handle_folded__among=handles).exclude(handle_folded__in=still).delete()
    return touched


def forget_unmatched(strangers: Iterable[tuple[int, str]]) -> None:
    """Forget the unmatched handles, by source, that no message of the source has any more."""
    told = set(strangers)
    here = Participant.objects.filter(
        kind=PartyKind.UNKNOWN, handle_folded__among={folded for _source, folded in told}
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
    rows = Identity.objects.filter(valid, employee__pk__among=employees, channel=CHANNEL)
    for employee, folded in rows.values_list("employee_id", "handle_folded"):
        found[employee].add(folded)
    return found
