"""Item analysis: what a million answers show, computed in the database and kept for the pages to read.

A person's first try at each quiz counts, once it is graded; questions that did not count in it do not count here. The
four queries are standard SQL for both databases: through the ORM each row would need a subquery of its own.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.people.models import Employee
from quizzes import statistics
from quizzes.kinds import kind_of
from quizzes.kinds.numeric import number_in
from quizzes.kinds.text import normal
from quizzes.models import ItemFigures, Question, QuizFigures
from quizzes.statistics import Part, Sums

ANALYSE = "quizzes.tasks.analyse"
MOST_TYPED = 12  # different typed answers that are told

# Each counted answer of a first try, with x, its credit, and r, the mean credit of the try's other questions.
ANSWERS = """
WITH tries AS (
    SELECT r.attempt_id, COUNT(*) AS k, SUM(r.credit) AS earned
    FROM quizzes_response r JOIN quizzes_attempt a ON a.id = r.attempt_id
    WHERE a.number = 1 AND a.submitted_at IS NOT NULL AND r.is_counted
    GROUP BY r.attempt_id
), answers AS (
    SELECT r.question_id, r.answer, r.spent_ms, r.credit / 10000.0 AS x,
           (t.earned - r.credit) / (10000.0 * (t.k - 1)) AS r
    FROM quizzes_response r JOIN tries t ON t.attempt_id = r.attempt_id
    WHERE r.is_counted AND t.k > 1
)
"""
SUMS = f"""{ANSWERS}
SELECT question_id, COUNT(*), SUM(x), SUM(x * x), SUM(r), SUM(r * r), SUM(x * r),
       SUM(CASE WHEN answer IS NULL THEN 1 ELSE 0 END)
FROM answers GROUP BY question_id
"""  # noqa: S608 - of our own constants
CHOSEN = f"""{ANSWERS}
SELECT question_id, answer, COUNT(*), SUM(r), SUM(x) FROM answers WHERE answer IS NOT NULL GROUP BY question_id, answer
"""  # noqa: S608 - of our own constants
TIMES = (
    "SELECT r.question_id, r.spent_ms / 1000, COUNT(*) FROM quizzes_response r "
    "JOIN quizzes_attempt a ON a.id = r.attempt_id WHERE a.number = 1 AND a.submitted_at IS NOT NULL "
    "AND r.is_counted AND r.spent_ms IS NOT NULL GROUP BY r.question_id, r.spent_ms / 1000"
)
QUIZZES = """
WITH tries AS (
    SELECT a.quiz_id, a.passed, a.percent, COUNT(*) AS k, SUM(r.credit) / 10000.0 AS s,
           SUM(r.credit / 10000.0 * (r.credit / 10000.0)) AS q
    FROM quizzes_response r JOIN quizzes_attempt a ON a.id = r.attempt_id
    WHERE a.number = 1 AND a.submitted_at IS NOT NULL AND r.is_counted
    GROUP BY a.id, a.quiz_id, a.passed, a.percent
)
SELECT quiz_id, COUNT(*), SUM(k), SUM(s * s / k), SUM(s), SUM(q),
       SUM(CASE WHEN passed THEN 1 ELSE 0 END), AVG(percent)
FROM tries GROUP BY quiz_id
"""


def ask(*, by: Employee | None) -> Job:
    """Have everything computed anew by a worker; one that is under way is returned instead."""
    waiting = Job.objects.filter(kind=ANALYSE, ended_at=None).order_by("-pk").first()
    return waiting or jobs.start(kind=ANALYSE, key=timezone.now().isoformat(), by=by, total=1)


def compute_ahead(job: Job) -> None:
    """Compute outside of any transaction: SQLite has one writer, and pages may wait for it."""
    job.computed = compute()


def keep_step(job: Job) -> bool:
    """The one step of a job: keep what was computed."""
    job.result = keep(*job.computed)
    job.done = job.total = 1
    return True


def compute() -> tuple[list[ItemFigures], list[QuizFigures]]:
    """Return the figures of every question and quiz that was answered, as of now, not saved."""
    now = timezone.now()
    found = [_row(words, gathered, now) for words, gathered in _gathered().items()]
    return found, [_quiz_row(row, now) for row in _rows(QUIZZES)]


@transaction.atomic
def keep(items: list[ItemFigures], quizzes: list[QuizFigures]) -> dict[str, int]:
    """Put figures in the place of those that were kept. Return how many there are."""
    _keep(ItemFigures, items, "words", ["n", "figures", "urgency", "computed_at"])
    _keep(QuizFigures, quizzes, "quiz", ["people", "figures", "computed_at"])
    return {"questions": len(items), "quizzes": len(quizzes), "answers": sum(row.n for row in items)}


def _keep(model: type, rows: list, unique: str, fields: list[str]) -> None:
    model.objects.bulk_create(rows, batch_size=500, update_conflicts=True, unique_fields=[unique], update_fields=fields)


def _rows(query: str) -> Iterable[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(5000):
            yield from rows


class _Gathered:
    """What was found about one wording."""

    def __init__(self, question: Question) -> None:
        self.content, self.kind = question.content, kind_of(question.content)
        self.sums, self.blank = Sums(), 0
        self.chosen: Counter[str] = Counter()
        self.rest: defaultdict[str, float] = defaultdict(float)
        self.typed_credit: dict[str, float] = {}
        self.times: Counter[int] = Counter()

    def take(self, answer: object, n: int, rest: float, credit: float) -> None:
        typed = _typed(answer) if self.kind.look in ("text", "numeric") else None
        for key in self.kind.parts(self.content, answer) if typed is None else [typed]:
            self.chosen[key] += n
            self.rest[key] += rest
        if typed is not None:
            self.typed_credit[typed] = credit / n


def _typed(answer: dict) -> str:
    """Return a typed answer as it is counted: what is graded alike is one."""
    value = number_in(answer["text"]) if "unit" in answer else None
    text = normal(answer["text"]) if value is None else str(float(value)).removesuffix(".0")
    return f"{text} {answer['unit']}" if answer.get("unit") else text


def _gathered() -> dict[str, _Gathered]:
    """Return {words: what was found}."""
    words: dict[int, str] = {}
    found: dict[str, _Gathered] = {}
    fields = ("pk", "words", "kind", "stem", "options", "detail", "explanation", "shuffle")
    for question in Question.objects.only(*fields).order_by("pk").iterator(chunk_size=500):
        words[question.pk] = question.words
        found.setdefault(question.words, _Gathered(question))
    for question, *sums, blank in _rows(SUMS):
        found[words[question]].sums.add([float(value) for value in sums])
        found[words[question]].blank += blank
    for question, answer, n, rest, credit in _rows(CHOSEN):
        found[words[question]].take(json.loads(answer), n, float(rest), float(credit))
    for question, second, n in _rows(TIMES):
        found[words[question]].times[int(second)] += n
    return {one: gathered for one, gathered in found.items() if gathered.sums.n}


def _row(words: str, gathered: _Gathered, now: datetime) -> ItemFigures:
    sums = gathered.sums
    sums.n = int(sums.n)
    told = {part["key"]: part["right"] for part in gathered.kind.parts_told(gathered.content, lambda texts: "")}
    parts = [
        Part(key, right, gathered.chosen[key], _mean(gathered.rest[key], gathered.chosen[key]))
        for key, right in told.items()
    ]
    seconds = statistics.median(gathered.times)
    advice = statistics.advice(sums, parts, median_seconds=seconds)
    typed = [
        {"key": key, "n": n, "credit": round(gathered.typed_credit[key], 4)}
        for key, n in gathered.chosen.most_common(MOST_TYPED)
        if key in gathered.typed_credit
    ]
    figures = {
        "blank": gathered.blank,
        "facility": _rounded(statistics.facility(sums)),
        "discrimination": _rounded(statistics.discrimination(sums)),
        "median_seconds": seconds,
        "parts": [{"key": p.key, "right": p.is_right, "n": p.n, "rest": round(p.rest, 4)} for p in parts],
        "typed": typed,
        "advice": [{"code": one.code, "weight": one.weight, "about": one.about} for one in advice],
    }
    return ItemFigures(words=words, n=sums.n, figures=figures, urgency=advice[0].weight, computed_at=now)


def _quiz_row(row: tuple, now: datetime) -> QuizFigures:
    quiz, people, answers, between, total, squares, passed, percent = row
    found = statistics.reliability(
        people=people,
        answers=int(answers),
        between=float(between),
        total=float(total),
        mean_square_sum=float(squares),
    )
    figures = {"reliability": _rounded(found), "passed": int(passed), "percent": round(float(percent), 1)}
    return QuizFigures(quiz_id=quiz, people=people, figures=figures, computed_at=now)


def _mean(total: float, n: int) -> float:
    return total / n if n else 0.0


def _rounded(interval: statistics.Interval | None) -> list[float] | None:
    return None if interval is None else [round(value, 4) for value in interval]
