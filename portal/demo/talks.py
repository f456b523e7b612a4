"""Who talks with whom in the demo firm: rooms, clients, seats in the archive, and what each client said of it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.demo import payloads
from portal.demo.conduct import SILENT, UNSEATED
from portal.demo.people import CLIENT_FACING, SOMETIMES_FACING, Person

LANGUAGES = {"shanghai": ("zh",), "hong-kong": ("zh", "zh", "en"), "new-york": ("en",)}
SILENT_SINCE = timedelta(days=40)  # how long those have been silent who used to write a lot
NEVER_SEEN = "0000318"  # has a seat, and not one message


@dataclass(frozen=True)
class Client:
    """An outside contact. ``consent``: known before the feed begins, told in it, or missing."""

    handle: str
    consent: str
    refuses_on: date | None = None


@dataclass(frozen=True)
class Talk:
    """A standing conversation. ``weekly`` is how many times a week it comes to life, on average."""

    kind: str  # client, client_room, team, colleagues
    room: str
    members: tuple[Person, ...]
    clients: tuple[Client, ...]
    language: str
    weekly: float
    since: date
    until: date | None = None  # the first day without it


@dataclass(frozen=True)
class World:
    talks: tuple[Talk, ...]
    seats: Mapping[str, tuple[date, date | None]]  # userid: from, and the first day without
    people: Mapping[str, Person]  # by number

    def has_seat(self, userid: str, day: date) -> bool:
        first, end = self.seats.get(userid, (date.max, None))
        return first <= day and (end is None or day < end)


def world(
    people: Sequence[Person], conducts: Mapping[str, str], *, start: date, today: date, chance: random.Random
) -> World:
    """Return everybody's conversations over the time of the feed."""
    seats = _seats(people, conducts, start, today, chance)
    talks = [
        *_client_talks(people, conducts, seats, start, today, chance),
        *_client_rooms(people, conducts, start, today, chance),
        *_team_rooms(people, start, today, chance),
        *_colleagues(people, start, chance),
    ]
    return World(tuple(talks), seats, {person.number: person for person in people})


def ready_on(person: Person, start: date) -> date:
    """The first day on which a person's talk is heard: newcomers need some days."""
    return max(start, person.joined_on + timedelta(days=10))


def _seats(
    people: Sequence[Person], conducts: Mapping[str, str], start: date, today: date, chance: random.Random
) -> dict[str, tuple[date, date | None]]:
    """Who deals with clients has a seat; elsewhere some have. One of those who lack it is given it late."""
    seats, late = {}, iter([today - timedelta(days=25)])
    for person in people:
        share = 1.0 if person.department in CLIENT_FACING else 0.85 if person.department in SOMETIMES_FACING else 0.4
        wanted = chance.random() < share or person.userid == NEVER_SEEN or person.level < 3
        first = max(start, person.joined_on + timedelta(days=6))
        if conducts.get(person.number) == UNSEATED:
            first = next(late, date.max)
            wanted = first < date.max
        if wanted and person.userid:
            seats[person.userid] = (first, None)
    return seats


def _client(chance: random.Random, consent: str, refuses_on: date | None = None) -> Client:
    prefix = "wo" if chance.random() < 0.12 else "wm"
    return Client(f"{prefix}DeMo{payloads.token(chance, 26)}", consent, refuses_on)


def _client_talks(
    people: Sequence[Person],
    conducts: Mapping[str, str],
    seats: Mapping,
    start: date,
    today: date,
    chance: random.Random,
) -> list[Talk]:
    talks, missing, refusers = [], 0, 0
    for number, person in enumerate(people):
        if person.userid not in seats or person.userid == NEVER_SEEN or conducts.get(person.number) == UNSEATED:
            continue
        count = chance.randint(3, 5) if person.talks_to_clients else chance.choice([0, 1, 2])
        if person.department not in CLIENT_FACING | SOMETIMES_FACING:
            continue
        for n in range(count):
            since = ready_on(person, start)
            consent, refuses_on = "known", None
            if chance.random() < 0.2:  # a new client; at first a word on the archive
                room = max((today - since).days - 10, 1)
                since, consent = since + timedelta(days=chance.randrange(room)), "told"
            if n == 0 and conducts.get(person.number) == "after_refusal":
                refuses_on = since + timedelta(days=max((today - since).days * 2 // 3, 1))
            elif n == 1 and refusers < 3 and person.level == 4 and not conducts.get(person.number):
                refusers += 1  # these clients refuse, and are left in peace
                refuses_on = since + timedelta(days=max((today - since).days // 2, 1))
            elif n == 2 and missing < 7 and number % 7 == 4:
                missing, consent = missing + 1, "missing"
            client = _client(chance, consent, refuses_on)
            language = chance.choice(LANGUAGES[person.office])
            until = today - SILENT_SINCE if conducts.get(person.number) == SILENT else None
            talks.append(Talk("client", "", (person,), (client,), language, 0.62, since, until))
    return talks


def _room(chance: random.Random) -> str:
    return f"wrDeMo{payloads.token(chance, 26)}"


def _client_rooms(
    people: Sequence[Person], conducts: Mapping[str, str], start: date, today: date, chance: random.Random
) -> list[Talk]:
    """A leader, one or two of the team, one or two clients. Whoever lacks a seat is in one of them."""
    talks = []
    for leader in (person for person in people if person.level == 3 and person.talks_to_clients):
        team = [p for p in people if p.manager == leader.number and p.userid and conducts.get(p.number) != SILENT]
        team = [p for p in team if p.joined_on < start]
        unseated = [p for p in team if conducts.get(p.number) == UNSEATED]
        for n in range(2):
            members = [leader, *chance.sample(team, min(2, len(team)))]
            members += [p for p in unseated if n == 0 and p not in members]
            if n == 1:
                members = [p for p in members if p not in unseated]
            clients = tuple(_client(chance, "known") for _ in range(chance.randint(1, 2)))
            language = chance.choice(LANGUAGES[leader.office])
            weekly = 1.6 if n == 0 and unseated else 1.0
            talks.append(Talk("client_room", _room(chance), tuple(members), clients, language, weekly, start))
    return talks


def _team_rooms(people: Sequence[Person], start: date, today: date, chance: random.Random) -> list[Talk]:
    talks = []
    for leader in (person for person in people if person.level <= 3):
        team = [p for p in people if p.manager == leader.number and p.userid not in ("", NEVER_SEEN)]
        if team:
            language = chance.choice(LANGUAGES[leader.office])
            members = (leader, *team)
            talks.append(Talk("team", _room(chance), members, (), language, 3.2, start))
    return talks


def _colleagues(people: Sequence[Person], start: date, chance: random.Random) -> list[Talk]:
    """Two people of one office who write to each other."""
    talks = []
    reachable = [p for p in people if p.userid not in ("", NEVER_SEEN) and p.joined_on < start]
    for one in reachable:
        others = [p for p in reachable if p.office == one.office and p is not one]
        if others and chance.random() < 0.6:
            other = chance.choice(others)
            language = chance.choice(LANGUAGES[one.office])
            talks.append(Talk("colleagues", "", (one, other), (), language, 1.1, start))
    return talks
