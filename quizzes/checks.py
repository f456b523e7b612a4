"""Attempts are compared with the evidence log by every verification of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from portal.ledger.rows import Row, Table
from portal.ledger.rules import timestamp
from quizzes import said
from quizzes.models import Attempt, Response


def _attempts(people: Collection[str]) -> Iterator[Row]:
    rows = Attempt.objects.filter(employee__uid__in=people).select_related("quiz", "employee")
    attempts = list(rows.only("quiz__slug", "employee__uid", *COLUMNS))
    answers = _answers([one.pk for one in attempts if not one.is_open])
    for one in attempts:
        fields = {
            "quiz": one.quiz.slug,
            "number": one.number,
            "paper": one.paper_sha256,
            "closes_at": _moment(one.closes_at),
            "extra_percent": one.extra_percent,
            "started_at": _moment(one.started_at),
            "submitted_at": _moment(one.submitted_at),
            "timed_out": one.timed_out,
            "percent": one.percent,
            "pass_percent": one.pass_percent,
            "passed": one.passed,
            "right": one.right,
            "responses": answers[one.pk],
        }
        yield Row(one.employee.uid, (one.uid,), fields)


COLUMNS = (
    "uid", "number", "paper_sha256", "closes_at", "extra_percent", "started_at", "submitted_at", "timed_out", "percent",
    "pass_percent", "passed", "right",
)  # fmt: skip


def _answers(attempts: Collection[int]) -> defaultdict[int, list[dict]]:
    """Return what was answered in each attempt, in the order of its questions, as the log tells it."""
    found: defaultdict[int, list[dict]] = defaultdict(list)
    rows = Response.objects.filter(attempt__in=attempts).order_by("attempt", "position")
    columns = (
        "attempt_id", "question__slug", "question__version", "position", "answer", "answered_at", "spent_ms", "points",
        "credit", "is_right", "is_counted",
    )  # fmt: skip
    for attempt, slug, version, position, answer, answered_at, *rest in rows.values_list(*columns):
        spent_ms, points, credit, is_right, is_counted = rest
        found[attempt].append(
            {
                "position": position,
                "question": f"{slug} v{version}",  # as the question names itself
                "answer": answer,
                "answered_at": _moment(answered_at),
                "spent_ms": spent_ms,
                "points": points,
                "credit": credit,
                "is_right": is_right,
                "is_counted": is_counted,
            }
        )
    return found


def _moment(at: datetime | None) -> str | None:
    return timestamp(at) if at else None


def _owners() -> Iterable[str]:
    return Attempt.objects.order_by().values_list("employee__uid", flat=True).distinct().iterator()


ATTEMPTS = Table("attempt", (said.STARTED,), (said.SUBMITTED,), said.attempts, _attempts, _owners)
