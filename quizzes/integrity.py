"""Attempts are looked at for signs that they are not somebody's own work; a reviewer says what is in them."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes import signals
from quizzes.kinds import kind_of
from quizzes.models import Attempt, Quiz, Response, Signal
from quizzes.publishing import NoReason

LOOKED_BACK = timedelta(days=2)  # a look that is missed is made up for the next day
COMPARED = timedelta(days=120)
MOST_COMPARED = 20_000  # attempts at one quiz


class AlreadyJudged(ValueError):
    """Somebody has said what is in it."""


def look() -> int:
    """Look at the attempts that were handed in lately, and keep what is found. Return how many signals are new."""
    since = timezone.now() - LOOKED_BACK
    fresh = Attempt.objects.submitted().filter(submitted_at__gte=since)
    found = [*_of_single(fresh), *_of_pairs(set(fresh.values_list("quiz", flat=True)), since)]
    before = Signal.objects.count()
    Signal.objects.bulk_create(found, ignore_conflicts=True, batch_size=200)
    return Signal.objects.count() - before


def _of_single(attempts) -> list[Signal]:
    found, now = [], timezone.now()
    rows = attempts.prefetch_related("responses__question").order_by("pk")
    for attempt in rows.iterator(chunk_size=200):
        responses = list(attempt.responses.all())
        taken = (attempt.submitted_at - attempt.started_at).total_seconds()
        reading = signals.reading_seconds(text for response in responses for text in _texts(response, attempt.language))
        if attempt.passed and signals.is_far_too_fast(taken=taken, reading=reading, questions=len(responses)):
            figures = {"seconds": round(taken), "reading": round(reading)}
            found.append(Signal(kind=Signal.Kind.FAST, attempt=attempt, figures=figures, found_at=now))
        saves = sorted((r.saved_at, r.device) for r in responses if r.saved_at)
        if (n := signals.turns(saves)) >= signals.FEWEST_TURNS:
            found.append(Signal(kind=Signal.Kind.PLACES, attempt=attempt, figures={"turns": n}, found_at=now))
    return found


def _texts(response: Response, language: str) -> Sequence[str]:
    """Return what was to be read of a question, in the language of the paper."""
    question = response.question

    def tell(texts: dict) -> str:
        return texts.get(language) or next(iter(texts.values()), "")

    content = question.content
    names = {name: "" for name in response.order}
    shown = kind_of(content).shown(content, names, None, tell)
    options = [part["text"] for name in ("options", "items", "messages", "prompts") for part in shown.get(name, ())]
    return [tell(question.stem), *options]


def _of_pairs(quizzes: set[int], since) -> list[Signal]:
    found, now = [], timezone.now()
    for quiz in Quiz.objects.filter(pk__in=quizzes):
        attempts = Attempt.objects.submitted().filter(quiz=quiz, number=1, submitted_at__gte=now - COMPARED)
        people = dict(attempts.order_by("-pk").values_list("pk", "employee")[:MOST_COMPARED])
        fresh = set(attempts.filter(submitted_at__gte=since).values_list("pk", flat=True))
        wrong: defaultdict[int, dict[int, str]] = defaultdict(dict)
        given: Counter[tuple[int, str]] = Counter()
        asked: Counter[int] = Counter()
        rows = Response.objects.filter(attempt__quiz=quiz, attempt__number=1, is_counted=True, is_right__isnull=False)
        for attempt, question, answer, is_right in rows.values_list(
            "attempt", "question", "answer", "is_right"
        ).iterator():  # fmt: skip
            asked[question] += 1
            if answer is None or is_right or attempt not in people:
                continue
            key = json.dumps(answer, sort_keys=True)
            given[question, key] += 1
            wrong[attempt][question] = key
        for one in signals.alike(wrong, given, asked):
            if people[one.first] != people[one.second] and {one.first, one.second} & fresh:
                figures = {"shared": one.shared, "bits": one.bits}
                about = {"attempt_id": one.first, "other_id": one.second, "figures": figures, "found_at": now}
                found.append(Signal(kind=Signal.Kind.ALIKE, **about))
    return found


@transaction.atomic
def judge(*, signal: Signal, verdict: str, note: str, by: Employee) -> Signal:
    """Note what a reviewer found in a signal. No result changes by it. Raises AlreadyJudged, NoReason."""
    signal = Signal.objects.select_for_update(of=("self",)).select_related("attempt__employee").get(pk=signal.pk)
    if signal.verdict:
        raise AlreadyJudged(signal.uid)
    if not note.strip():
        raise NoReason(signal.uid)
    signal.verdict, signal.note = verdict, note.strip()[:1000]
    signal.judged_by, signal.judged_at = by, timezone.now()
    signal.save(update_fields=["verdict", "note", "judged_by", "judged_at"])
    body = {"signal": signal.kind, "attempt": signal.attempt.uid, "figures": _whole(signal.figures)}
    body |= {"verdict": verdict, "note": signal.note}
    ledger.append(verb="quizzes.signal_judged", actor=by.uid, subject=signal.attempt.employee.uid, body=body)
    return signal


def _whole(figures: dict) -> dict:
    """Return figures as an Entry takes them: it holds no floats."""
    return {name: round(value) for name, value in figures.items()}
