"""The digests of one day in one time zone, a piece of the firm at a time: worked out, not written."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from portal.people.models import Employee, Office
from portal.people.rules import in_language
from portal.reminders import escalating, owed, rules
from portal.reminders.escalating import Late, jurisdiction_of
from portal.reminders.models import Bounce, CalendarEntry, Delivery
from portal.reminders.rules import Owed, Terms
from training.rules import told

PIECE = 500  # people in one transaction
MOST_PEOPLE = 50  # of those late below a manager who are named; how many more there are is said


@dataclass(frozen=True)
class Occasion:
    """The round's day in a zone. ``since``: the day of the round before it. ``moment``: when it is due."""

    zone: str
    on: date
    since: date
    moment: datetime
    terms: Terms

    @classmethod
    def of(cls, zone: str, on: date, since: date, terms: Terms) -> "Occasion":
        at = datetime.combine(on, time(terms.hour), ZoneInfo(zone))
        return cls(zone, on, since, at, terms)


@dataclass(frozen=True)
class Draft:
    """What one person would be told: plain values that can be stored."""

    employee: Employee
    language: str
    items: list[dict]
    people: list[dict]
    more_people: int
    done: list[dict]
    calendar: list[dict]
    channels: list[tuple[str, str]]  # (channel, address)

    @property
    def content(self) -> dict:
        return {
            "items": self.items,
            "people": self.people,
            "more_people": self.more_people,
            "done": self.done,
            "calendar": self.calendar,
        }

    @property
    def is_of_archive(self) -> bool:
        return bool(self.items) and not self.people and not self.done and all(one["archive"] for one in self.items)


def zones() -> list[str]:
    """Return every time zone in which somebody may work. One query."""
    return sorted({settings.TIME_ZONE, *Office.objects.values_list("time_zone", flat=True)})


def people_in(zone: str, on: date) -> QuerySet[Employee]:
    """Return who is on staff that day and works in the zone; who is in no office works where the firm is."""
    there = Q(office__time_zone=zone)
    if zone == settings.TIME_ZONE:
        there |= Q(office=None)
    bounced = Bounce.objects.open().filter(employee=OuterRef("pk"), address=OuterRef("email"), is_lasting=True)
    rows = Employee.objects.on_staff(on).filter(there).exclude(joined_on__gt=on)
    return rows.select_related("office").annotate(is_bounced=Exists(bounced)).order_by("pk")


def next_piece(occasion: Occasion, after: int) -> list[Employee]:
    return list(people_in(occasion.zone, occasion.on).filter(pk__gt=after)[:PIECE])


def drafts(people: list[Employee], occasion: Occasion) -> list[Draft]:
    """Return what these people are told on the occasion, of those who are told anything. Constant queries a piece."""
    piece = owed.Piece.of({one.pk: one for one in people}, occasion.moment, occasion.terms)
    leaves = owed.leaves_of(piece.people, occasion.on)
    at_work = [one for one in people if rules.is_at_work(occasion.on, jurisdiction_of(one), leaves.get(one.pk, ()))]
    piece = replace(piece, people={one.pk: one for one in at_work})
    owes = owed.gather(piece)
    late = escalating.below(list(piece.people), occasion.moment, occasion.terms)
    entries = standing_entries(list(piece.people))
    found = []
    for one in at_work:
        since = rules.caught_up_since(occasion.on, occasion.since, jurisdiction_of(one), leaves.get(one.pk, ()))
        draft = _draft(one, owes.get(one.pk, []), late.get(one.pk, []), entries.get(one.pk, []), occasion, since)
        if draft is not None:
            found.append(draft)
    return found


def standing_entries(people: list[int]) -> dict[int, list[CalendarEntry]]:
    """Return {person: what stands in their calendar by our doing}. One query."""
    found: defaultdict[int, list[CalendarEntry]] = defaultdict(list)
    for entry in CalendarEntry.objects.filter(employee__in=people, closed_on=None).order_by("pk"):
        found[entry.employee_id].append(entry)
    return found


def _draft(
    person: Employee,
    owes: list[Owed],
    late: list[Late],
    entries: list[CalendarEntry],
    occasion: Occasion,
    since: date,
) -> Draft | None:
    terms, today = occasion.terms, occasion.on
    called = [one for one in owes if rules.calls_for_reminder(one, terms, since, today, jurisdiction_of(person))]
    people = escalating.told(person.pk, late, terms, since)
    gone = _not_owed_any_more(entries, owes)
    done = [entry for entry in gone if entry.due_on >= today]
    if not called and not people and not done:
        return None
    spoken = [one for one in owes if one in called or rules.is_spoken_of(one, terms, today)]
    language = language_of(person)
    return Draft(
        employee=person,
        language=language,
        items=[_item(one, language) for one in spoken],
        people=[_late_person(one, language) for one in people[:MOST_PEOPLE]],
        more_people=len(people[MOST_PEOPLE:]),
        done=[{"kind": entry.kind, "title": entry.title} for entry in done],
        calendar=_calendar(spoken, entries, gone, today, language),
        channels=channels_of(person),
    )


def _item(one: Owed, language: str) -> dict:
    return {
        "kind": one.kind,
        "key": one.key,
        "title": told(one.title, language),
        "due_on": one.due_on.isoformat(),
        "grace": one.grace_days,
        "path": one.path,
        "archive": one.is_of_archive,
    }


def _late_person(one: Late, language: str) -> dict:
    return {
        "uid": one.employee.uid,
        "name": in_language(language, one.employee.name_en, one.employee.name_zh),
        "level": one.level,
        "late": [
            {"kind": what.kind, "title": told(what.title, language), "due_on": what.due_on.isoformat()}
            for what in one.owed
        ],
    }


def _not_owed_any_more(entries: list[CalendarEntry], owes: list[Owed]) -> list[CalendarEntry]:
    still = {(one.kind, one.key) for one in owes}
    return [entry for entry in entries if (entry.kind, entry.key) not in still]


def _calendar(
    spoken: list[Owed], entries: list[CalendarEntry], gone: list[CalendarEntry], today: date, language: str
) -> list[dict]:
    """Return what the mail does to the calendar: what is new or moved, and what goes. Nothing that is there already."""
    there = {(entry.kind, entry.key): entry for entry in entries}
    changes = []
    for one in spoken:
        entry = there.get((one.kind, one.key))
        if one.is_notice or one.is_of_archive or one.due_on < today:
            continue  # colleagues may read a calendar: what the archive calls for is not put there
        if entry is None or entry.due_on != one.due_on or entry.digest_id is None:
            changes.append({
                "do": "put", "kind": one.kind, "key": one.key, "uid": entry.uid if entry else "",
                "sequence": entry.sequence + 1 if entry else 0, "title": told(one.title, language),
                "on": one.due_on.isoformat(), "path": one.path,
            })  # fmt: skip
    changes += [
        {
            "do": "cancel", "kind": entry.kind, "key": entry.key, "uid": entry.uid, "sequence": entry.sequence + 1,
            "title": entry.title, "on": entry.due_on.isoformat(), "path": "",
        }
        for entry in gone
        if entry.due_on >= today
    ]  # fmt: skip
    return changes


def language_of(person: Employee) -> str:
    """Return the language that the person chose; before that Chinese for who has a Chinese name in mainland China."""
    if person.language:
        return person.language
    return "zh-hans" if person.name_zh and jurisdiction_of(person) == "CN" else settings.LANGUAGE_CODE


def channels_of(person: Employee) -> list[tuple[str, str]]:
    """Return by what the person is written to, as the site and what is known of the person have it.

    An address that mail came back from is not written to. Nothing: the person cannot be reached.
    """
    by_mail = [] if getattr(person, "is_bounced", False) else [(Delivery.Channel.MAIL.value, person.email)]
    way = settings.REMINDERS_BY
    if way == "mail" or not person.wecom_userid:
        return by_mail
    wecom = [(settings.REMINDERS_WECOM, person.wecom_userid)]
    return by_mail + wecom if way == "both" else wecom


def is_time(zone: str, terms: Terms, now: datetime) -> date | None:
    """Return the day in the zone if its round is due now: between the hour that HR set and the end of office hours."""
    local = timezone.localtime(now, ZoneInfo(zone))
    last = max(rules.LATEST_HOUR, terms.hour + 1)
    return local.date() if terms.is_on and terms.hour <= local.hour < last else None
