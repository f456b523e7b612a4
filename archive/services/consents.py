"""What contacts have said about being archived, by what is stored: messages, lists and notices alike."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.utils import timezone

from archive import calendars, policy
from archive.consent import AGREED, Said
from archive.models import ConsentWord, RoomMember, Source

DEFAULT = ConsentWord.Word.DEFAULT
LISTED = 20  # contacts on a page
MOST_CHATS = 200  # chats of one contact that a page shows


def said_by(contacts: Iterable[str], *, until: datetime | None = None) -> list[Said]:
    """Return the words of the contacts, up to and with the moment. WeCom's default counts only if policy says so."""
    wanted, said = sorted(set(contacts)), []
    words = ConsentWord.objects.all() if until is None else ConsentWord.objects.filter(said_at__lte=until)
    words = words if policy.current().default_agree_counts else words.exclude(word=DEFAULT)
    columns = ("employee_folded", "contact", "room", "word", "said_at")
    for at in range(0, len(wanted), 5000):
        rows = words.filter(contact__among=wanted[at : at + 5000]).values_list(*columns)
        said += [
            Said(handle, contact, room, AGREED if word == DEFAULT else word, said_at)
            for handle, contact, room, word, said_at in rows.iterator()
        ]
    return said


def rooms_of(
    handles: Mapping[int, Collection[str]], begins: datetime | None = None, ends: datetime | None = None
) -> dict[int, set[str]]:
    """Return the rooms that each person was in at some moment of the time, as the copies of who is in a room tell."""
    folded = {one for mine in handles.values() for one in mine}
    members = RoomMember.objects.filter(handle_folded__among=folded)
    members = members if ends is None else members.filter(since__lt=ends)
    members = members if begins is None else members.filter(Q(gone_at=None) | Q(gone_at__gt=begins))
    rooms: dict[str, set[str]] = {}
    for handle, room in members.values_list("handle_folded", "room__room"):
        rooms.setdefault(handle, set()).add(room)
    return {who: set().union(*(rooms.get(one, ()) for one in mine)) for who, mine in handles.items()}


@dataclass(frozen=True)
class Standing:
    """What a contact had said last in one chat by the end of a day. ``employee`` is a folded handle."""

    contact: str
    employee: str
    room: str
    word: str
    said_at: datetime
    origin: str
    copy_id: int | None

    @property
    def word_display(self) -> str:
        return str(ConsentWord.Word(self.word).label)

    @property
    def origin_display(self) -> str:
        return str(ConsentWord.Origin(self.origin).label)


def as_at(source: Source, day: date, *, whom: str = "", page: str | None = None) -> Page:
    """Return, contact by contact, what each had said last in each chat by the end of the day. A page of contacts.

    ``whom`` narrows it to one contact or one employee's handle. The number of queries does not depend on either.
    """
    until = calendars.day_begins(day + timedelta(1), timezone.get_default_timezone())
    words = ConsentWord.objects.filter(source=source, said_at__lt=until)
    if whom:
        words = words.filter(Q(contact=whom) | Q(employee_folded=whom.casefold()))
    contacts = words.order_by("contact").values_list("contact", flat=True).distinct()
    found = Paginator(contacts, LISTED).get_page(page)
    rows = words.filter(contact__in=list(found.object_list)).order_by("contact", "-said_at", "-word", "pk")
    last: dict[tuple[str, str, str], Standing] = {}
    columns = ("contact", "employee_folded", "room", "word", "said_at", "origin", "copy_id")
    for row in rows.values_list(*columns)[: LISTED * MOST_CHATS]:
        last.setdefault(row[:3], Standing(*row))  # the newest first; of two at one moment, the refusal
    found.object_list = list(last.values())
    return found
