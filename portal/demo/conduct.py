"""Who of the demo firm does what should not be done, so that every kind of finding occurs, and where it changes."""

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from portal.demo.people import Person

OFF_CHANNEL, DELETION, RECALLS, AFTER_REFUSAL = "off_channel", "deletion", "recalls", "after_refusal"
UNSEATED, SILENT = "unseated", "silent"
LONG_ENOUGH = timedelta(days=200)

# (what, in which team): each falls to the next person of the team who is nobody else in the story. A small firm has
# the first teams only, so every kind comes early. Team 0 is the one in trouble.
CAST = (
    (OFF_CHANNEL, 0),
    (UNSEATED, 0),
    (OFF_CHANNEL, 1),
    (RECALLS, 1),
    (AFTER_REFUSAL, 2),
    (SILENT, 2),
    (DELETION, 2),
    (OFF_CHANNEL, 0),
    (DELETION, 0),
    (AFTER_REFUSAL, 0),
    (OFF_CHANNEL, 2),
    (OFF_CHANNEL, 6),
    (UNSEATED, 7),
    (OFF_CHANNEL, 7),
    (OFF_CHANNEL, 9),
    (OFF_CHANNEL, 12),
    (OFF_CHANNEL, 14),
    (SILENT, 10),
    (OFF_CHANNEL, 21),
    (UNSEATED, 22),
    (OFF_CHANNEL, 22),
    (OFF_CHANNEL, 23),
)
EARLY = 3  # what falls to these teams happens even if they are too small: to somebody else who talks to clients
STUBBORN = 3  # of those who go off channel: every third is never trained, and goes on


def conducts(people: Sequence[Person], today: date) -> dict[str, str]:
    """Return number -> what this person does. Nobody has two."""
    given: dict[str, str] = {}
    for what, team in CAST:
        free = [person for person in people if _is_free(person, today) and person.number not in given]
        here = [person for person in free if person.team == team]
        if chosen := here or [person for person in free if team < EARLY and person.talks_to_clients]:
            given[chosen[0].number] = what
    return given


def _is_free(person: Person, today: date) -> bool:
    here_for_long = person.joined_on < today - LONG_ENOUGH
    return person.level == 4 and not person.key and bool(person.userid) and here_for_long


def stubborn(given: Mapping[str, str]) -> set[str]:
    """Return who goes off channel and does not take the course."""
    return set([number for number, what in given.items() if what == OFF_CHANNEL][::STUBBORN])


def slips(
    what: str, *, trained_on: date | None, start: date, today: date, chance: random.Random
) -> list[tuple[date, str]]:
    """Return (day, kind of phrase) of each slip. After the course there are hardly any: that is what it is for."""
    kind = {OFF_CHANNEL: "off_channel", DELETION: "deletion"}.get(what)
    if kind is None:
        return []
    days, day = [], start + timedelta(days=chance.randint(2, 12))
    while day < today:
        if trained_on is None or day < trained_on or chance.random() < 0.06:
            days.append((day, kind))
        day += timedelta(days=chance.randint(14, 34))
    if not days:
        days.append((start + timedelta(days=1), kind))
    return days
