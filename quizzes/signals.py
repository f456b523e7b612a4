"""Signs that an attempt may not be somebody's own work: plain values in, plain values out. Signs, never verdicts.

far too fast    less than a third of the time in which the fastest readers could have read what was shown.
alike           two people gave the same wrong answers that hardly anybody else gives. Each shared wrong answer is worth
                -log2 of the share of people who give it, in bits: one that a quarter of all people give is worth 2.
two places      answers came from two devices in turn, within minutes.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import NamedTuple

HAN = re.compile(r"[\u3400-\u9fff]")
LETTERS_A_SECOND, HAN_A_SECOND = 40.0, 16.0  # of the fastest readers: some 480 words, 960 characters a minute
FAST_SHARE = 1 / 3
FEWEST_QUESTIONS = 4
TURN = timedelta(minutes=2)
FEWEST_TURNS = 2
FEWEST_SHARED = 3
BITS = 12.0
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
    wrong: Mapping[int, Mapping[int, str]], given: Mapping[tuple[int, str], int], asked: Mapping[int, int]
) -> list[Alike]:
    """Return the pairs of attempts whose wrong answers are too much alike, the strangest first.

    ``wrong`` maps attempts to {question: wrong answer}; ``given`` says how many people gave an answer to a question,
    ``asked`` how many were asked it.
    """
    by_answer: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for attempt, answers in wrong.items():
        for question, answer in answers.items():
            by_answer[question, answer].append(attempt)
    bits: defaultdict[tuple[int, int], float] = defaultdict(float)
    shared: defaultdict[tuple[int, int], int] = defaultdict(int)
    for key, attempts in by_answer.items():
        if not 2 <= len(attempts) <= MOST_ALIKE:
            continue
        worth = -math.log2(max(given[key], 1) / max(asked[key[0]], 1))
        for pair in combinations(sorted(attempts), 2):
            bits[pair] += worth
            shared[pair] += 1
    found = [
        Alike(*pair, shared[pair], round(bits[pair], 1))
        for pair in bits
        if bits[pair] >= BITS and shared[pair] >= FEWEST_SHARED and _few_apart(*pair, wrong, shared[pair])
    ]
    return sorted(found, key=lambda one: -one.bits)


def _few_apart(first: int, second: int, wrong: Mapping[int, Mapping[int, str]], shared: int) -> bool:
    """Return whether the two share most of what either has wrong: who has everything wrong shares with everybody."""
    return shared * 2 >= len(wrong[first].keys() | wrong[second].keys())
