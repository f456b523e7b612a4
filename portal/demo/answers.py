"""A million answers: what `bench` measures of item analysis and of integrity signals, on a database of its own."""

import random
import resource
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from portal.people.models import Employee
from quizzes import analysis, integrity
from quizzes import services as quizzes
from quizzes.models import Attempt, Quiz, Response

QUESTIONS, QUIZZES, DRAWN = 200, 10, 10


def measure(*, answers: int, tell: Callable[[str], None]) -> dict:
    """Return how long it takes to compute and to keep the figures of so many answers, in seconds."""
    tell(f"item analysis: preparing {answers:,} answers beside {connection.vendor}")
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        for quiz in _quizzes():
            _answer(quiz, answers // (QUIZZES * DRAWN))
        began, cpu = time.perf_counter(), time.process_time()
        computed = analysis.compute()
        after = time.perf_counter()
        kept = analysis.keep(*computed)
        found = {
            "answers": kept["answers"],
            "compute_s": round(after - began, 2),
            "keep_s": round(time.perf_counter() - after, 2),
            "cpu_s": round(time.process_time() - cpu, 2),
        }
        return found | _signals()
    finally:
        connection.creation.destroy_test_db(str(name), verbosity=0)


def _signals() -> dict:
    """Return how long a look at all these attempts takes, as if every one of them were of today."""
    began, cpu, before = time.perf_counter(), time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = integrity.look()
    return {
        "attempts_looked_at": Attempt.objects.count(),
        "signals": found,
        "signals_s": round(time.perf_counter() - began, 2),
        "signals_cpu_s": round(time.process_time() - cpu, 2),
        "signals_more_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
    }


def _quizzes() -> list[Quiz]:
    questions = quizzes.publish_bank(
        slug="bench", title={"en": "Bench"}, questions=[_question(n) for n in range(QUESTIONS)], by="system:bench"
    )
    size = QUESTIONS // QUIZZES
    return [
        quizzes.publish_quiz(
            slug=f"bench-{n}",
            title={"en": "Bench"},
            questions=questions[n * size : (n + 1) * size],
            draw=DRAWN,
            pass_percent=80,
            tries_before_wait=3,
            wait_minutes=30,
            by="system:bench",
        )
        for n in range(QUIZZES)
    ]


def _question(number: int) -> dict:
    options = [
        {"id": letter, "right": letter == "a", "text": {"en": letter}, "why": {"en": letter}} for letter in "abcd"
    ]
    about = {"slug": f"q{number}", "kind": "single", "tags": [f"tag-{number % 5}"], "difficulty": 1, "cites": []}
    return about | {"stem": {"en": f"Question {number}?"}, "options": options, "explanation": {"en": "So."}}


def _answer(quiz: Quiz, people: int) -> None:
    """Let so many people answer the quiz once, some of them better than others."""
    chance = random.Random(quiz.slug)  # noqa: S311 - figures, not secrets
    questions, now = list(quiz.questions.all()), timezone.now()
    names = [f"{quiz.slug}-{n}" for n in range(people)]
    known = Employee.objects.bulk_create(
        (Employee(email=f"{name}@example.com", name_en="P", employee_no=name) for name in names),
        batch_size=1000,
    )  # fmt: skip
    about = {"seed": "0", "language": "en", "pass_percent": 80, "started_at": now - timedelta(hours=1)}
    about |= {"submitted_at": now, "right": 8, "percent": 80, "passed": True, "number": 1}
    for first in range(0, people, 1000):
        attempts = Attempt.objects.bulk_create(
            Attempt(quiz=quiz, employee=person, **about) for person in known[first : first + 1000]
        )
        Response.objects.bulk_create(
            (_response(attempt, place, question, ability, chance)
             for attempt in attempts
             for ability in (chance.random(),)
             for place, question in enumerate(chance.sample(questions, DRAWN), start=1)),
            batch_size=2000,
        )  # fmt: skip


def _response(attempt: Attempt, place: int, question, ability: float, chance: random.Random) -> Response:
    is_right = chance.random() < 0.4 + ability / 2
    return Response(
        attempt=attempt,
        position=place,
        question=question,
        order=["a", "b", "c", "d"],
        tokens={},
        answer=["a" if is_right else chance.choice("bcd")],
        answered_at=attempt.submitted_at,
        is_complete=True,
        spent_ms=chance.randint(3_000, 90_000),
        is_right=is_right,
        credit=10_000 if is_right else 0,
    )
