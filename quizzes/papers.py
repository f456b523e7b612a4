"""What pages show of an attempt, as plain data. Nothing about right answers leaves the server before grading."""

from django.conf import settings

from quizzes import rules
from quizzes.models import Attempt, Question, Response


class NotSubmitted(Exception):
    """An open attempt has no result to show."""


def paper(attempt: Attempt, language: str) -> dict:
    """Return what the page of an attempt needs, and not a word more. Two queries.

    {uid, number, title, pass_percent, started_at, closes_at, total, answered, lang, questions: [{position, kind,
    multiple, stem, answered, options: [{token, text, chosen}]}]}. ``lang`` is the language of the questions' text:
    ``language`` where the questions have it. Options stand in the order in which the attempt froze them; the tokens
    are random and say nothing.
    """
    responses = _responses(attempt)
    lang = _lang(responses, language)
    questions = [_question(response, lang) | {"options": _offered(response, lang)} for response in responses]
    return _heading(attempt, lang) | {
        "answered": sum(question["answered"] for question in questions),
        "questions": questions,
    }


def result(attempt: Attempt, language: str) -> dict:
    """Return the graded attempt, explained question by question. Two queries. Raises NotSubmitted.

    As ``paper``, and besides: right, percent, passed, submitted_at; per question is_right, explanation and cites
    (source ids); per option right and why instead of the token.
    """
    if attempt.is_open:
        raise NotSubmitted(attempt.uid)
    responses = _responses(attempt)
    lang = _lang(responses, language)
    return _heading(attempt, lang) | {
        "right": attempt.right,
        "percent": attempt.percent,
        "passed": attempt.passed,
        "submitted_at": attempt.submitted_at,
        "questions": [_graded(response, lang) for response in responses],
    }


def _responses(attempt: Attempt) -> list[Response]:
    return list(attempt.responses.select_related("question").order_by("position"))


def _lang(responses: list[Response], language: str) -> str:
    """One language for the whole paper: questions in two would only confuse."""
    everywhere = set.intersection(*(set(response.question.stem) for response in responses))
    return rules.language_of(everywhere, language, settings.LANGUAGE_CODE)


def _heading(attempt: Attempt, lang: str) -> dict:
    return {
        "uid": attempt.uid,
        "number": attempt.number,
        "title": _told(attempt.quiz.title, lang),
        "pass_percent": attempt.pass_percent,
        "started_at": attempt.started_at,
        "closes_at": attempt.closes_at,
        "total": attempt.quiz.draw,
        "lang": lang,
    }


def _told(texts: dict, lang: str) -> str:
    return texts[rules.language_of(texts, lang, settings.LANGUAGE_CODE)]


def _question(response: Response, lang: str) -> dict:
    question = response.question
    return {
        "position": response.position,
        "kind": question.kind,
        "multiple": question.kind == Question.Kind.MULTIPLE,
        "stem": _told(question.stem, lang),
        "answered": response.chosen is not None,
    }


def _offered(response: Response, lang: str) -> list[dict]:
    options = {option["id"]: option for option in response.question.options}
    token_of = {option: token for token, option in response.tokens.items()}
    chosen = response.chosen or []
    return [
        {"token": token_of[option], "text": _told(options[option]["text"], lang), "chosen": option in chosen}
        for option in response.order
    ]


def _graded(response: Response, lang: str) -> dict:
    question = response.question
    options = {option["id"]: option for option in question.options}
    chosen = response.chosen or []
    return _question(response, lang) | {
        "is_right": response.is_right,
        "explanation": _told(question.explanation, lang),
        "cites": question.cites,
        "options": [
            {
                "text": _told(options[option]["text"], lang),
                "why": _told(options[option]["why"], lang),
                "chosen": option in chosen,
                "right": bool(options[option].get("right")),
            }
            for option in response.order
        ],
    }
