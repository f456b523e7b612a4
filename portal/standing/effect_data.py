"""What the effect of training is computed from: people counted by month and month of completion, in the database."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date

from django.core.cache import cache
from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone

from archive import calendars
from archive.models import Finding, Record
from portal.ledger import services as ledger
from portal.standing.effect import Cell, reach
from training import services as training

MONTHS = 24  # full months up to the last one, that are looked at
KEPT_SECONDS = 24 * 60 * 60

# What people do, and a lesson can change. Left out: what a person told of themselves; client talk while not permitted,
# since training itself lifts that bar; and what is a matter of seats, feeds and machines.
KINDS = (
    Finding.Kind.OFF_CHANNEL,
    Finding.Kind.DELETION_REQUEST,
    Finding.Kind.RECALL_PATTERN,
    Finding.Kind.CONSENT_MISSING,
    Finding.Kind.AFTER_REFUSAL,
)

# A month counts for a person when their record of it is final and the feed speaks for it to its last day. People who
# completed before the first month are in no group: nothing is known of them before.
_MONTH = "(%s, %s, %s, %s, %s, %s)"
_PEOPLE = """
WITH span (n, reach, first_on, last_on, begins_at, ends_at) AS (VALUES {months}),
completed AS (
    SELECT c.employee_id, MIN(c.completed_at) AS at
    FROM training_completion c JOIN training_edition e ON e.id = c.edition_id
    WHERE e.course_id = %s GROUP BY c.employee_id
),
trained AS (
    SELECT completed.employee_id, completed.at, span.n, span.reach
    FROM completed LEFT JOIN span ON completed.at >= span.begins_at AND completed.at < span.ends_at
),
counted AS (
    SELECT r.employee_id, span.n AS month, r.sent, COALESCE(trained.n, %s) AS cohort, trained.reach
    FROM archive_record r
    JOIN span ON span.first_on = r.month AND span.last_on = r.covered_to
    LEFT JOIN trained ON trained.employee_id = r.employee_id
    WHERE r.is_final AND (trained.at IS NULL OR trained.at >= %s)
),
person AS (
    SELECT employee_id, cohort, MIN(month) AS first_month,
        CASE WHEN SUM(CASE WHEN month < cohort AND month >= cohort - reach THEN 1 ELSE 0 END) > 0
              AND SUM(CASE WHEN month > cohort AND month <= cohort + reach THEN 1 ELSE 0 END) > 0
        THEN 1 ELSE 0 END AS has_both
    FROM counted GROUP BY employee_id, cohort
)
"""
_COUNTS = """
SELECT person.cohort, person.has_both, counted.month,
    SUM(CASE WHEN counted.month = person.first_month THEN 1 ELSE 0 END), COUNT(*), SUM(counted.sent)
FROM counted JOIN person ON person.employee_id = counted.employee_id
GROUP BY person.cohort, person.has_both, counted.month
ORDER BY person.cohort, person.has_both, counted.month
"""
_FINDINGS = """
SELECT person.cohort, person.has_both, counted.month, f.kind, COUNT(*)
FROM archive_finding f
JOIN span ON f.about_on >= span.first_on AND f.about_on <= span.last_on
JOIN counted ON counted.employee_id = f.employee_id AND counted.month = span.n
JOIN person ON person.employee_id = f.employee_id
WHERE f.state <> 'dismissed' AND f.kind IN ({kinds})
GROUP BY person.cohort, person.has_both, counted.month, f.kind
"""


@dataclass(frozen=True)
class Counts:
    """``months`` in order, the first has number 1; ``findings``: what to add to the ``cells``, by kind."""

    months: tuple[date, ...]
    cells: tuple[Cell, ...]
    findings: dict[str, dict[tuple[int, bool, int], int]]

    def of(self, kind: str = "") -> list[Cell]:
        """Return the cells with the findings of one kind, or of all."""
        totals: dict[tuple[int, bool, int], int] = defaultdict(int)
        for name, found in self.findings.items():
            if kind in ("", name):
                for place, count in found.items():
                    totals[place] += count
        return [replace(cell, findings=totals[cell.cohort, cell.has_both, cell.month]) for cell in self.cells]


def counts(today: date) -> Counts | None:
    """Return what was counted; None before there is a course. Kept for a day, as long as the ledger says nothing new.

    Five queries, two of them over all of the months; three and none where it has been kept.
    """
    course = training.permit_course()
    if course is None:
        return None
    key = f"standing.effect:{course.pk}:{today}:{ledger.head_seq()}"
    found = cache.get(key)
    if found is None:
        found = count(course.pk, today)
        cache.set(key, found, KEPT_SECONDS)
    return found


def count(course_id: int, today: date) -> Counts:
    """Count the months there are. Three queries, answered with one row a cell whatever the number of people."""
    months = _months(today)
    if not months:
        return Counts((), (), {})
    people, values = _people(course_id, months)
    with connection.cursor() as cursor:
        cursor.execute(people + _COUNTS, values)
        rows = [[int(value) for value in row] for row in cursor.fetchall()]
        kinds = ", ".join(["%s"] * len(KINDS))
        cursor.execute(people + _FINDINGS.format(kinds=kinds), [*values, *(kind.value for kind in KINDS)])
        found: dict[str, dict] = defaultdict(dict)
        for cohort, has_both, month, kind, number in cursor.fetchall():
            found[kind][cohort, bool(has_both), month] = number
    cells = (Cell(cohort, bool(has_both), *rest) for cohort, has_both, *rest in rows)
    return Counts(tuple(months), tuple(cells), dict(found))


def _months(today: date) -> list[date]:
    """Return the months from the first to the last final record, in order, at most MONTHS."""
    oldest = calendars.months_on(calendars.month_of(today), -MONTHS)
    final = Record.objects.filter(is_final=True, month__gte=oldest)
    ends = final.aggregate(first=Min("month"), last=Max("month"))
    if ends["first"] is None:
        return []
    number = (ends["last"].year - ends["first"].year) * 12 + ends["last"].month - ends["first"].month
    return [calendars.months_on(ends["first"], n) for n in range(number + 1)]


def _people(course_id: int, months: list[date]) -> tuple[str, list]:
    """Return the part that both queries begin with, and its values."""
    zone, adapt = timezone.get_default_timezone(), connection.ops
    values: list = []
    for number, month in enumerate(months, start=1):
        values += [number, reach(number, len(months))]
        values += [adapt.adapt_datefield_value(day) for day in (month, calendars.last_day(month))]
        values += [adapt.adapt_datetimefield_value(moment) for moment in calendars.month_bounds(month, zone)]
    begin, later = values[4], len(months) + 1
    return _PEOPLE.format(months=", ".join([_MONTH] * len(months))), [*values, course_id, later, begin]
