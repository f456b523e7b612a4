"""What people know, module by module: everybody's first try at its quiz, counted once a day, and the rows behind it.

An attempt is graded once and never changes, so the tries until the moment of the count are the same rows whenever
they are asked for, and they add up to what was counted.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet
from django.utils import timezone

from portal.shares import percent
from portal.standing.models import Stock
from quizzes.models import Attempt
from training import services as training

OUTCOMES = ("passed", "failed")


@dataclass(frozen=True)
class Known:
    """How a module's first tries went in the whole firm. ``quiz`` None: counted before it was kept, so without rows."""

    slug: str
    title: str
    tried: int
    passed: int
    percent: int | None
    quiz: int | None = None

    @property
    def failed(self) -> int:
        return self.tried - self.passed

    @property
    def passed_percent(self) -> int | None:
        return percent(self.passed, self.tried)


@dataclass(frozen=True)
class Knowledge:
    """``on`` None: nothing has been counted yet; ``counted_at``: the moment, where it was kept."""

    on: date | None
    counted_at: datetime | None
    modules: list[Known]

    def of(self, slug: str) -> Known | None:
        return next((one for one in self.modules if one.slug == slug), None)


def take_stock(today: date) -> bool:
    """Count what is counted once a day. Return whether it was not counted yet today."""
    if Stock.objects.filter(on=today).exists():
        return False
    now = timezone.now()
    rows = [
        {"slug": one.slug, "quiz": one.quiz, "tried": one.tried, "passed": one.passed, "percent": one.percent}
        for one in training.first_tries(until=now)
    ]
    return Stock.objects.get_or_create(on=today, defaults={"first_tries": rows, "counted_at": now})[1]


def newest() -> Knowledge:
    """Return the newest count: each module of today's course in its order."""
    stock = Stock.objects.order_by("-on").first()
    if stock is None:
        return Knowledge(None, None, [])
    counted = {one["slug"]: one for one in stock.first_tries}
    named = zip(training.module_slugs(), training.module_titles(), strict=True)
    return Knowledge(
        stock.on,
        stock.counted_at,
        [
            Known(slug, title, one["tried"], one["passed"], one["percent"], one.get("quiz"))
            for slug, title in named
            if (one := counted.get(slug))
        ],
    )


def tries(known: Known, counted_at: datetime, outcome: str = "") -> QuerySet[Attempt]:
    """Return the first tries that the count is of, the lowest mark first; only those that passed or failed."""
    rows = training.tries_of(known.quiz, until=counted_at)
    if outcome in OUTCOMES:
        rows = rows.filter(passed=outcome == "passed")
    return rows.select_related("employee__department", "employee__office").order_by(
        "percent", "employee__name_en", "pk"
    )
