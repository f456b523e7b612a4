"""Drawing, shuffling, grading and waiting: plain values in, plain values out."""

import random
from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime, timedelta

GRACE = timedelta(seconds=30)  # after closing time: a page sent at the last second has to travel


def draw(questions: Mapping[str, str], *, count: int, seed: str, seen: Sequence[str] = ()) -> list[str]:
    """Return ``count`` of the questions, in the order in which to show them.

    ``questions`` maps each question's slug to its first tag; ``seen`` lists the slugs that the person was shown in
    earlier attempts, oldest first. Every tag gives the same number of questions, give or take one, as long as it has
    them: whoever passes was asked about everything. Within a tag, questions not seen before come first, then those
    seen longest ago; tags with unseen questions are the first to give one more. The same seed draws the same again.
    Raises ValueError if there are fewer than ``count`` questions.
    """
    if count > len(questions):
        raise ValueError(f"{count} questions wanted, {len(questions)} there")
    chance = random.Random(f"draw/{seed}")  # noqa: S311 - fairness, not secrecy
    last_seen = {slug: turn for turn, slug in enumerate(seen)}
    piles: dict[str, list[str]] = {}
    for slug in _shuffled(questions, chance):
        piles.setdefault(questions[slug], []).append(slug)
    for pile in piles.values():
        pile.sort(key=lambda slug: last_seen.get(slug, -1))  # stable: those not seen stay shuffled
    drawn: list[str] = []
    while len(drawn) < count:
        for tag in sorted(_shuffled(piles, chance), key=lambda tag: piles[tag][0] in last_seen):
            drawn.append(piles[tag].pop(0))
        piles = {tag: pile for tag, pile in piles.items() if pile}
    return _shuffled(drawn[:count], chance)


def option_order(options: Sequence[str], *, kind: str, seed: str, slug: str) -> list[str]:
    """Return the option ids as they are to be shown. True stands before false; all else is shuffled."""
    if kind == "truefalse":
        return list(options)
    return _shuffled(options, random.Random(f"options/{seed}/{slug}"))  # noqa: S311 - as above


def is_right(chosen: Collection[str] | None, key: Collection[str]) -> bool:
    """Return whether exactly the right options were chosen. No part credit; not answered is wrong."""
    return chosen is not None and set(chosen) == set(key)


def percent(right: int, of: int) -> int:
    """Return the share of right answers as a whole percent, rounded down: 100 always means every question."""
    if not 0 <= right <= of or of == 0:
        raise ValueError(f"{right} right of {of}")
    return right * 100 // of


def passes(percent_right: int, pass_percent: int) -> bool:
    """Return whether the pass mark is reached. The mark itself passes."""
    return percent_right >= pass_percent


def wait_until(
    ended: Sequence[tuple[datetime, bool]], *, tries_before_wait: int, wait_minutes: int, now: datetime
) -> datetime | None:
    """Return the moment from which the next try may begin, or None if it may begin now.

    ``ended`` holds (submitted_at, passed) of the person's attempts at this quiz, oldest first. When the last
    ``tries_before_wait`` of them all failed, the next may begin ``wait_minutes`` after the last. So after the first
    wait each further failure asks for another one, until a pass.
    """
    last = ended[-tries_before_wait:]
    if len(last) < tries_before_wait or any(passed for _, passed in last):
        return None
    until = last[-1][0] + timedelta(minutes=wait_minutes)
    return until if now < until else None


def is_late(closes_at: datetime | None, now: datetime) -> bool:
    """Return whether an answer that reaches the server now comes too late. GRACE after closing still counts."""
    return closes_at is not None and now > closes_at + GRACE


def _shuffled(items: Collection[Hashable], chance: random.Random) -> list:
    """Return the items in an order that depends on them and on chance alone, not on the order they came in."""
    ordered = sorted(items)
    chance.shuffle(ordered)
    return ordered
