from collections.abc import Callable
from itertools import count

import pytest

from quizzes import services
from quizzes.models import Attempt, Quiz

numbers = count(1)


def question(slug: str, *, tag: str = "rules", kind: str = "single", right: str = "a", **fields) -> dict:
    """A question with options a, b and c (true and false have two), of which those named in ``right`` are right."""
    ids = "ab" if kind == "truefalse" else "abc"
    options = [
        {
            "id": letter,
            "right": letter in right,
            "text": {"en": f"{slug}: text of {letter}"},
            "why": {"en": f"{slug}: why {letter}"},
        }
        for letter in ids
    ]
    dull = {
        "slug": slug,
        "kind": kind,
        "tags": [tag],
        "difficulty": 1,
        "cites": ["sec-17a-4"],
        "stem": {"en": f"{slug}: stem"},
        "options": options,
        "explanation": {"en": f"{slug}: explanation"},
    }
    return dull | fields


def tokens_for(attempt: Attempt, choose: Callable[[dict], list[str]]) -> dict[int, list[str]]:
    """Answers as the page would send them. ``choose`` takes {option id: option} and returns option ids."""
    answers = {}
    for response in attempt.responses.select_related("question"):
        token_of = {option: token for token, option in response.tokens.items()}
        options = {option["id"]: option for option in response.question.options}
        answers[response.position] = [token_of[option] for option in choose(options)]
    return answers


def all_right(attempt: Attempt) -> dict[int, list[str]]:
    return tokens_for(attempt, lambda options: [name for name, option in options.items() if option.get("right")])


def all_wrong(attempt: Attempt) -> dict[int, list[str]]:
    return tokens_for(
        attempt, lambda options: [next(name for name, option in options.items() if not option.get("right"))]
    )


@pytest.fixture
def make_quiz(db) -> Callable[..., Quiz]:
    """Make a quiz. ``questions`` is a list of question(); by default four under two tags, all of them drawn."""

    def make(*, questions: list[dict] | None = None, **fields) -> Quiz:
        n = next(numbers)
        if questions is None:
            questions = [question(f"q{n}-{i}", tag="rules" if i % 2 else "habits") for i in range(4)]
        rows = services.publish_bank(
            slug=fields.pop("bank", f"bank-{n}"), title={"en": "Bank"}, questions=questions, by="system:test"
        )
        dull = {
            "slug": f"quiz-{n}",
            "title": {"en": "Quiz"},
            "draw": len(rows),
            "pass_percent": 80,
            "tries_before_wait": 3,
            "wait_minutes": 30,
        }
        return services.publish_quiz(**(dull | fields), questions=rows, by="system:test")

    return make


@pytest.fixture
def begin(make_employee) -> Callable[..., Attempt]:
    """Begin an attempt as the employee, by default a new one, on an English page."""

    def go(quiz: Quiz, employee=None, language: str = "en") -> Attempt:
        employee = employee or make_employee()
        return services.start_attempt(quiz=quiz, employee=employee, language=language, by=employee.uid)

    return go


@pytest.fixture
def hand_in(begin) -> Callable[..., Attempt]:
    """Begin an attempt and submit it at once, all right or all wrong."""

    def go(quiz: Quiz, employee, *, passed: bool) -> Attempt:
        attempt = begin(quiz, employee)
        answers = all_right(attempt) if passed else all_wrong(attempt)
        return services.submit(attempt=attempt, answers=answers, by=employee.uid)

    return go
