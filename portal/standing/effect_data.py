"""What the effect of training is computed from: people counted by month and month of completion, in the database."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from operator import add

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
FORM = 1  # of what is kept: raised when Counts or Cell changes, so that no release reads what another one kept

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
_IS_KIND = "SUM(CASE WHEN f.kind = %s THEN 1 ELSE 0 END) AS kind_{0}"
_OF_KIND = "SUM(found.kind_{0})"
# One pass over the records: what is joined to them, or read twice, is made first (MATERIALIZED).
_CELLS = """
WITH span (n, reach, first_on, last_on, begins_at, ends_at) AS (VALUES {months}),
completed AS (
    SELECT c.employee_id, MIN(c.completed_at) AS at
    FROM training_completion c JOIN training_edition e ON e.id = c.edition_id
    WHERE e.course_id = %s GROUP BY c.employee_id
),
trained AS MATERIALIZED (
    SELECT completed.employee_id, completed.at, span.n, span.reach
    FROM completed LEFT JOIN span ON completed.at >= span.begins_at AND completed.at < span.ends_at
),
found AS MATERIALIZED (
    SELECT f.employee_id, span.n AS month, {is_kind}
    FROM archive_finding f JOIN span ON f.about_on >= span.first_on AND f.about_on <= span.last_on
    WHERE f.employee_id IS NOT NULL AND f.state <> 'dismissed' GROUP BY f.employee_id, span.n
),
counted AS MATERIALIZED (
    SELECT r.employee_id, span.n AS month, r.sent, COALESCE(trained.n, %s) AS cohort, trained.reach
    FROM archive_record r
    JOIN span ON span.first_on = r.month AND span.last_on = r.covered_to
    LEFT JOIN trained ON trained.employee_id = r.employee_id
    WHERE r.is_final AND (trained.at IS NULL OR trained.at >= %s)
),
person AS MATERIALIZED (
    SELECT employee_id, MIN(month) AS first_month,
        CASE WHEN SUM(CASE WHEN month < cohort AND month >= cohort - reach THEN 1 ELSE 0 END) > 0
              AND SUM(CASE WHEN month > cohort AND month <= cohort + reach THEN 1 ELSE 0 END) > 0
        THEN 1 ELSE 0 END AS has_both
    FROM counted GROUP BY employee_id
)
SELECT counted.cohort, person.has_both, counted.month,
    SUM(CASE WHEN counted.month = person.first_month THEN 1 ELSE 0 END), COUNT(*), SUM(counted.sent), {none}
FROM counted JOIN person ON person.employee_id = counted.employee_id
GROUP BY counted.cohort, person.has_both, counted.month
UNION ALL
SELECT counted.cohort, person.has_both, counted.month, 0, 0, 0, {of_kind}
FROM found
JOIN counted ON counted.employee_id = found.employee_id AND counted.month = found.month
JOIN person ON person.employee_id = found.employee_id
GROUP BY counted.cohort, person.has_both, counted.month
"""


@dataclass(frozen=True)
class Counts:
    """``months`` in order, the first has number 1. ``findings``: those of each cell by kind, in the order of KINDS."""

    months: tuple[date, ...]
    cells: tuple[Cell, ...]
    findings: tuple[tuple[int, ...], ...]

    def of(self, kind: str = "") -> list[Cell]:
        """Return the cells with the findings of one kind, or of all."""
        chosen = [place for place, one in enumerate(KINDS) if kind in ("", one)]
        return [
            replace(cell, findings=sum(found[place] for place in chosen))
            for cell, found in zip(self.cells, self.findings, strict=True)
        ]


def counts(today: date) -> Counts | None:
    """Return what was counted; None before there is a course. Kept for a day, as long as the ledger says nothing new.

    Two queries to know what is kept, and two to count, of which one goes over all of the months.
    """
    course = training.permit_course()
    if course is None:
        return None
    key = f"standing.effect:{FORM}:{course.pk}:{today}:{ledger.head_seq()}"
    found = cache.get(key)
    if found is None:
        found = count(course.pk, today)
        cache.set(key, found, KEPT_SECONDS)
    return found


def count(course_id: int, today: date) -> Counts:
    """Count the months there are. Two queries; the second is answered with two rows a cell, however many the people."""
    months = _months(today)
    if not months:
        return Counts((), (), ())
    with connection.cursor() as cursor:
        cursor.execute(*_query(course_id, months))
        found: dict[tuple, list[int]] = defaultdict(lambda: [0] * (3 + len(KINDS)))
        for cohort, has_both, month, *counted in cursor.fetchall():
            place = found[cohort, bool(has_both), month]
            place[:] = map(add, place, map(int, counted))
    cells = tuple(Cell(*place, *counted[:3]) for place, counted in sorted(found.items()))
    return Counts(tuple(months), cells, tuple(tuple(counted[3:]) for _place, counted in sorted(found.items())))


def _months(today: date) -> list[date]:
    """Return the months from the first to the last final record, in order, at most MONTHS."""
    oldest = calendars.months_on(calendars.month_of(today), -MONTHS)
    final = Record.objects.filter(is_final=True, month__gte=oldest)
    ends = final.aggregate(first=Min("month"), last=Max("month"))
    if ends["first"] is None:
        return []
    number = (ends["last"].year - ends["first"].year) * 12 + ends["last"].month - ends["first"].month
    return [calendars.months_on(ends["first"], n) for n in range(number + 1)]


def _query(course_id: int, months: list[date]) -> tuple[str, list]:
    """Return the statement and its values."""
    zone, adapt = timezone.get_default_timezone(), connection.ops
    values: list = []
    for number, month in enumerate(months, start=1):
        values += [number, reach(number, len(months))]
        values += [adapt.adapt_datefield_value(day) for day in (month, calendars.last_day(month))]
        values += [adapt.adapt_datetimefield_value(moment) for moment in calendars.month_bounds(month, zone)]
    begin, later = values[4], len(months) + 1
    values += [course_id, *(kind.value for kind in KINDS), later, begin]
    kinds = range(len(KINDS))
    statement = _CELLS.format(
        months=", ".join([_MONTH] * len(months)),
        is_kind=", ".join(_IS_KIND.format(number) for number in kinds),
        none=", ".join("0" for _number in kinds),
        of_kind=", ".join(_OF_KIND.format(number) for number in kinds),
    )
    return statement, values
