"""Signs that an attempt may not be somebody's own work: plain values in, plain values out. Signs, never verdicts.

far too fast    less than a third of the time in which the fastest readers could have read what was shown.
alike           two people gave the same wrong answers that hardly anybody else gives. Each shared wrong answer is worth
                -log2 of the share of people who give it, in bits: one that a quarter of all people give is worth 2.
two places      answers came from two devices in turn, within minutes.
"""

import heapq
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

HAN = re.compile(r"[\u3400-\u9fff]")
LETTERS_A_SECOND, HAN_A_SECOND = 40.0, 16.0  # of the fastest readers: some 480 words, 960 characters a minute
FAST_SHARE = 1 / 3
FEWEST_QUESTIONS = 4
TURN = timedelta(minutes=2)
FEWEST_TURNS = 2
FEWEST_SHARED = 3
BITS = 12.0
MOST_FOUND = 200  # pairs of one quiz and one look
MOST_ALIKE = 200  # people who gave an answer, beyond whom it is no rare one


def reading_seconds(texts: Iterable[str]) -> float:
    """Return the seconds in which the fastest readers read these texts."""
    seconds = 0.0
    for text in texts:
        han = len(HAN.findall(text))
        seconds += han / HAN_A_SECOND + (len(text) - han) / LETTERS_A_SECOND
    return seconds


def is_far_too_fast(*, taken: float, reading: float, questions: int) -> bool:
    return questions >= FEWEST_QUESTIONS and taken < reading * FAST_SHARE


def turns(saves: Sequence[tuple[datetime, str]]) -> int:
    """Return how often answers came from another device than the last one, within TURN. In order of time."""
    told = [(at, device) for at, device in saves if device]
    pairs = pairwise(told)
    return sum(first[1] != second[1] and second[0] - first[0] <= TURN for first, second in pairs)


class Alike(NamedTuple):
    """Two attempts with so many wrong answers in common, worth so many bits."""

    first: int
    second: int
    shared: int
    bits: float


def alike(
    wrong: Mapping[int, Mapping[int, str]],
    given: Mapping[tuple[int, str], int],
    asked: Mapping[int, int],
    fresh: Collection[int] | None = None,
) -> list[Alike]:
    """Return the pairs of attempts whose wrong answers are too much alike, the strangest first.

    ``wrong`` maps attempts to {question: wrong answer}; ``given`` says how many people gave an answer to a question,
    ``asked`` how many were asked it. ``fresh``: one of the two is of these; None: of all. Each fresh attempt is laid
    beside those who share a rare answer with it, at most MOST_ALIKE for each: so time grows with the fresh ones, and
    memory holds one attempt's neighbours. No more than MOST_FOUND come back: a reviewer reads no more.
    """
    rare = {key for key, n in given.items() if 2 <= n <= MOST_ALIKE}
    listed = {
        attempt: keys
        for attempt, answers in wrong.items()
        if len(keys := [key for key in answers.items() if key in rare]) >= FEWEST_SHARED
    }
    by_answer: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for attempt, keys in listed.items():
        for key in keys:
            by_answer[key].append(attempt)
    worth = {key: -math.log2(given[key] / max(asked[key[0]], given[key])) for key in by_answer}
    wanted = listed.keys() if fresh is None else listed.keys() & set(fresh)
    found = (pair for attempt in sorted(wanted) for pair in _beside(attempt, listed, by_answer, worth, wanted))
    near = (one for one in found if _few_apart(one.first, one.second, wrong, one.shared))
    return heapq.nsmallest(MOST_FOUND, near, key=lambda one: (-one.bits, one.first, one.second))


def _beside(
    attempt: int,
    listed: Mapping[int, Sequence[tuple[int, str]]],
    by_answer: Mapping[tuple[int, str], Sequence[int]],
    worth: Mapping[tuple[int, str], float],
    wanted: Collection[int],
) -> Iterator[Alike]:
    """Yield the attempts that share enough rare answers with one; a pair of two wanted ones once."""
    shared: defaultdict[int, int] = defaultdict(int)
    bits: defaultdict[int, float] = defaultdict(float)
    for key in listed[attempt]:
        for other in by_answer[key]:
            shared[other] += 1
            bits[other] += worth[key]
    for other, count in shared.items():
        is_told = other == attempt or (other in wanted and other < attempt)
        if not is_told and count >= FEWEST_SHARED and bits[other] >= BITS:
            yield Alike(min(attempt, other), max(attempt, other), count, round(bits[other], 1))


def _few_apart(first: int, second: int, wrong: Mapping[int, Mapping[int, str]], shared: int) -> bool:
    """Return whether the two share most of what either has wrong: who has everything wrong shares with everybody."""
    return shared * 2 >= len(wrong[first].keys() | wrong[second].keys())
