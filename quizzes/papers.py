"""What pages show of an attempt, as plain data. Nothing about right answers leaves the server before grading."""

from collections.abc import Callable
from functools import partial

from django.conf import settings

from quizzes import grading, rules
from quizzes.answering import names_of
from quizzes.kinds import kind_of
from quizzes.models import Attempt, Response


class NotSubmitted(Exception):
    """An open attempt has no result to show."""


def paper(attempt: Attempt, language: str) -> dict:
    """Return what the page of an attempt needs, and not a word more. Two queries.

    {uid, number, title, pass_percent, started_at, closes_at, total, answered, lang, questions: [question()]}. ``lang``
    is the language of the questions' text: ``language`` where all of them have it.
    """
    responses = _responses(attempt)
    lang = lang_of(attempt, responses, language)
    questions = [question(response, lang) for response in responses]
    return heading(attempt, responses, lang) | {
        "answered": sum(question["answered"] for question in questions),
        "questions": questions,
    }


def question(response: Response, lang: str) -> dict:
    """Return one question of an open paper: {position, kind, look, stem, answered, begun, revision, points, must_pass,
    fields}, and what its kind shows (quizzes/kinds).

    Options stand in the order in which the attempt froze them, under names that are random and say nothing.
    ``answered``: nothing is left to do in it; ``begun``: something is. ``fields``: the names of its form fields.
    """
    content, names = response.question.content, names_of(response)
    kind = kind_of(content)
    prefix = f"q{response.position}"
    return {
        **_asked(response, lang),
        "answered": response.is_complete,
        "begun": response.answer is not None and not response.is_complete,
        "revision": response.revision,
        "fields": [prefix, f"{prefix}-unit", *(f"{prefix}-{name}" for name in names.values()), f"r{response.position}"],
        **kind.shown(content, names, response.answer, partial(told, lang=lang)),
    }


def key_is_open(attempt: Attempt) -> bool:
    """Return whether its person may see what is right: once they have passed the quiz, in this try or another.

    Before, the key of a failed try would be the answers of the next one. Costs a query if this try failed.
    """
    same = Attempt.objects.filter(employee=attempt.employee_id, quiz=attempt.quiz_id, passed=True)
    return attempt.passed or same.exists()


def result(attempt: Attempt, language: str, *, with_key: bool = True) -> dict:
    """Return the graded attempt, explained question by question. Two queries. Raises NotSubmitted.

    Without the key a question that is not right tells what was answered, and nothing of what would have been
    (``is_closed``).

    The heading as in ``paper``, and besides: right, percent, passed, timed_out, submitted_at, points {earned, of},
    in_part (whether any earned part of its points), left_out (questions that do not count), missed (must-pass questions
    that are not right); per question is_right, is_counted, earned, explanation, cites
    (source ids), and what its kind explains (quizzes/kinds).
    """
    if attempt.is_open:
        raise NotSubmitted(attempt.uid)
    responses = _responses(attempt)
    lang = lang_of(attempt, responses, language)
    counted = [response for response in responses if response.is_counted]
    return heading(attempt, responses, lang) | {
        "total": len(counted),
        "right": attempt.right,
        "percent": attempt.percent,
        "passed": attempt.passed,
        "timed_out": attempt.timed_out,
        "submitted_at": attempt.submitted_at,
        "in_part": any(0 < response.credit < grading.WHOLE for response in counted),
        "left_out": len(responses) - len(counted),
        "missed": sum(response.must_pass and not response.is_right for response in counted),
        "points": {
            "earned": points_text(sum(response.points * response.credit for response in counted)),
            "of": sum(response.points for response in counted),
        },
        "with_key": with_key,
        "questions": [_graded(response, lang, with_key) for response in responses],
    }


def points_text(ten_thousandths: int) -> str:
    """Return points as one reads them, rounded down to hundredths: "7", "6.5", "0.33"."""
    whole, rest = divmod(ten_thousandths * 100 // grading.WHOLE, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") if rest else str(whole)


def lang_of(attempt: Attempt, responses: list[Response], language: str) -> str:
    """Return the one language of the whole paper: questions in two would only confuse."""
    everywhere = attempt.languages or set.intersection(*(set(response.question.stem) for response in responses))
    return rules.language_of(everywhere, language, settings.LANGUAGE_CODE)


def told(texts: dict, lang: str) -> str:
    return texts[rules.language_of(texts, lang, settings.LANGUAGE_CODE)] if texts else ""


def heading(attempt: Attempt, responses: list[Response], lang: str) -> dict:
    return {
        "uid": attempt.uid,
        "number": attempt.number,
        "title": told(attempt.quiz.title, lang),
        "pass_percent": attempt.pass_percent,
        "started_at": attempt.started_at,
        "closes_at": attempt.closes_at,
        "extra_percent": attempt.extra_percent,
        "total": len(responses),
        "lang": lang,
        "languages": attempt.languages,
        "has_points": any(response.points != 1 for response in responses),
    }


def _responses(attempt: Attempt) -> list[Response]:
    return list(attempt.responses.select_related("question").order_by("position"))


def _asked(response: Response, lang: str) -> dict:
    return {
        "position": response.position,
        "kind": response.question.kind,
        "look": kind_of(response.question.content).look,
        "stem": told(response.question.stem, lang),
        "points": response.points,
        "must_pass": response.must_pass,
    }


def _graded(response: Response, lang: str, with_key: bool) -> dict:
    content, kind = response.question.content, kind_of(response.question.content)
    tell: Callable = partial(told, lang=lang)
    graded = _asked(response, lang) | {
        "answered": response.answer is not None,
        "is_right": response.is_right,
        "is_counted": response.is_counted,
        "in_part": not response.is_right and response.credit > 0,
        "earned": points_text(response.points * response.credit),
        "cites": response.question.cites,
    }
    if with_key or response.is_right:
        told_why = tell(response.question.explanation)
        explained = kind.explained(content, response.order, response.answer, tell)
        return graded | {"is_closed": False, "explanation": told_why} | explained
    rows = kind.told(content, response.order, response.answer, tell)
    given = [(row["shown"], row["answered"]) for row in rows if row["answered"]]
    return graded | {"is_closed": True, "given": given}
