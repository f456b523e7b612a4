"""Attempts are looked at for signs that they are not somebody's own work; a reviewer says what is in them."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes import signals
from quizzes.kinds import kind_of
from quizzes.models import Attempt, Question, Response, Signal
from quizzes.publishing import NoReason

LOOKED_BACK = timedelta(days=2)  # a look that is missed is made up for the next day
COMPARED = timedelta(days=120)
MOST_COMPARED = 20_000  # attempts at one quiz
RUN = 500  # attempts looked at together


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


def _of_single(attempts: QuerySet) -> Iterator[Signal]:
    """Yield what single attempts show. What there is to read in a question is counted once for each language."""
    now, read = timezone.now(), _Reading()
    about = ("pk", "started_at", "submitted_at", "passed", "language")
    for some in _in_runs(attempts.order_by("pk").values_list(*about).iterator(chunk_size=RUN)):
        responses: defaultdict[int, list[tuple]] = defaultdict(list)
        rows = Response.objects.filter(attempt__in=[row[0] for row in some])
        for attempt, question, saved_at, device in rows.values_list("attempt", "question", "saved_at", "device"):
            responses[attempt].append((question, saved_at, device))
        read.know({question for listed in responses.values() for question, _at, _device in listed})
        for pk, started_at, submitted_at, passed, language in some:
            shown = responses[pk]
            taken = (submitted_at - started_at).total_seconds()
            reading = sum(read.seconds(question, language) for question, _at, _device in shown)
            if passed and signals.is_far_too_fast(taken=taken, reading=reading, questions=len(shown)):
                figures = {"seconds": round(taken), "reading": round(reading)}
                yield Signal(kind=Signal.Kind.FAST, attempt_id=pk, figures=figures, found_at=now)
            saves = sorted((saved_at, device) for _question, saved_at, device in shown if saved_at)
            if (n := signals.turns(saves)) >= signals.FEWEST_TURNS:
                yield Signal(kind=Signal.Kind.PLACES, attempt_id=pk, figures={"turns": n}, found_at=now)


def _in_runs(rows: Iterable[tuple]) -> Iterator[list[tuple]]:
    waiting = iter(rows)
    while some := list(islice(waiting, RUN)):
        yield some


class _Reading:
    """How long the texts of a question take to read, by language."""

    def __init__(self) -> None:
        self.questions: dict[int, Question] = {}
        self.known: dict[tuple[int, str], float] = {}

    def know(self, pks: Collection[int]) -> None:
        if fresh := set(pks) - self.questions.keys():
            self.questions |= Question.objects.in_bulk(fresh)

    def seconds(self, pk: int, language: str) -> float:
        if (pk, language) not in self.known:
            self.known[pk, language] = signals.reading_seconds(_texts(self.questions[pk], language))
        return self.known[pk, language]


def _texts(question: Question, language: str) -> Sequence[str]:
    """Return what is to be read of a question, in the language of the paper."""

    def tell(texts: dict) -> str:
        return texts.get(language) or next(iter(texts.values()), "")

    content, kind = question.content, kind_of(question.content)
    names = dict.fromkeys(kind.order(content, random.Random(0)), "")  # noqa: S311 - any order takes as long
    shown = kind.shown(content, names, None, tell)
    options = [part["text"] for name in ("options", "items", "messages", "prompts") for part in shown.get(name, ())]
    return [tell(question.stem), *options]


def _of_pairs(quizzes: set[int], since: datetime) -> Iterator[Signal]:
    """Yield pairs of first tries that are too much alike; of the newest MOST_COMPARED of each quiz."""
    now = timezone.now()
    for quiz in sorted(quizzes):
        attempts = Attempt.objects.submitted().filter(quiz=quiz, number=1, submitted_at__gte=now - COMPARED)
        people = dict(attempts.order_by("-pk").values_list("pk", "employee")[:MOST_COMPARED])
        fresh = set(attempts.filter(submitted_at__gte=since).values_list("pk", flat=True)) & people.keys()
        if not fresh:
            continue
        compared = attempts.filter(pk__gte=min(people))
        rows = Response.objects.filter(attempt__in=compared, is_counted=True, is_right__isnull=False)
        asked = dict(rows.order_by().values_list("question").annotate(Count("pk")))
        wrong: defaultdict[int, dict[int, str]] = defaultdict(dict)
        given: Counter[tuple[int, str]] = Counter()
        told = rows.filter(is_right=False, answer__isnull=False).order_by().values_list("attempt", "question", "answer")
        for attempt, question, answer in told.iterator(chunk_size=5_000):
            key = json.dumps(answer, sort_keys=True)
            given[question, key] += 1
            wrong[attempt][question] = key
        for one in signals.alike(wrong, given, asked, fresh):
            if people.get(one.first) != people.get(one.second):
                figures = {"shared": one.shared, "bits": one.bits}
                about = {"attempt_id": one.first, "other_id": one.second, "figures": figures, "found_at": now}
                yield Signal(kind=Signal.Kind.ALIKE, **about)


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
