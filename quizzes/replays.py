"""An attempt drawn again as it was shown, years later, and the proof that it is that."""

from dataclasses import dataclass
from functools import partial

from django.utils import translation

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from quizzes import papers
from quizzes.kinds import kind_of
from quizzes.models import Attempt, Response, Showing
from quizzes.publishing import is_unchanged
from quizzes.starting import paper_sha256


@dataclass(frozen=True)
class Proof:
    """Whether what is drawn is what was shown. ``seq``: the Entry that says so; None: begun before that was kept.

    ``changed``: the questions (as "slug v2") whose rows are not what was published.
    """

    paper_sha256: str
    seq: int | None
    is_same: bool
    changed: list[str]


def replay(attempt: Attempt) -> dict:
    """Return a submitted attempt as it was shown and graded. Six queries. Raises papers.NotSubmitted.

    {attempt, name, employee_no, proof, showings, papers}; ``papers``: one for each language in which it was shown, in
    the order in which they were: {the heading as in papers.result, questions: [{position, stem, points, must_pass,
    version, lines: [{shown, answered, right}], earned, is_right, is_counted, answered_at, seconds, language}]}.
    """
    if attempt.is_open:
        raise papers.NotSubmitted(attempt.uid)
    responses = list(attempt.responses.select_related("question").order_by("position"))
    showings = list(attempt.showings.all())
    return {
        "attempt": attempt,
        "name": attempt.employee.name,
        "employee_no": attempt.employee.employee_no or "",
        "proof": proof_of(attempt, responses),
        "showings": _timeline(showings),
        "papers": [_paper(attempt, responses, lang) for lang in _languages(attempt, responses, showings)],
    }


def proof_of(attempt: Attempt, responses: list[Response]) -> Proof:
    """Compare what is stored now with the Entry that was written when the attempt was begun."""
    changed = [str(response.question) for response in responses if not is_unchanged(response.question)]
    entries = Entry.objects.filter(verb="quizzes.attempt_started", subject=attempt.employee.uid)
    begun = entries.filter(at__gte=attempt.started_at).order_by("seq")[:5]
    said = next(((e.seq, body) for e in begun if (body := ledger.body_of(e)) and body["attempt"] == attempt.uid), None)
    now = paper_sha256(attempt, responses)
    if said is None or "paper" not in said[1]:
        return Proof(now, None, False, changed)
    return Proof(now, said[0], said[1]["paper"] == now and not changed, changed)


def _languages(attempt: Attempt, responses: list[Response], showings: list[Showing]) -> list[str]:
    shown = [showing.language for showing in showings] or [papers.lang_of(attempt, responses, attempt.language)]
    return list(dict.fromkeys(shown))


def _timeline(showings: list[Showing]) -> list[dict]:
    """Return [{at, language, device}], devices numbered in the order in which they came."""
    devices = list(dict.fromkeys(showing.device for showing in showings))
    return [{"at": s.shown_at, "language": s.language, "device": devices.index(s.device) + 1} for s in showings]


def _paper(attempt: Attempt, responses: list[Response], lang: str) -> dict:
    """Return the paper in one language; the words of the portal in it are of that language too."""
    with translation.override(lang):
        questions = [_question(response, lang) for response in responses]
    return papers.heading(attempt, responses, lang) | {"questions": questions}


def _question(response: Response, lang: str) -> dict:
    content = response.question.content
    tell = partial(papers.told, lang=lang)
    return {
        "position": response.position,
        "stem": tell(response.question.stem),
        "points": response.points,
        "must_pass": response.must_pass,
        "version": str(response.question),
        "lines": kind_of(content).told(content, response.order, response.answer, tell),
        "earned": papers.points_text(response.points * response.credit),
        "is_right": response.is_right,
        "is_counted": response.is_counted,
        "answered_at": response.answered_at,
        "seconds": None if response.spent_ms is None else round(response.spent_ms / 1000),
        "language": response.language,
    }
