"""Whether the clock ticks and the workers answer: a task that the clock rings for each minute leaves the time."""

from datetime import datetime

from django.core.cache import cache
from django.utils import timezone

KEY = "operations:tick"


def tick() -> None:
    cache.set(KEY, timezone.now().isoformat(), None)


def last_tick() -> datetime | None:
    """Return when clock and workers were last seen at work, None if never."""
    told = cache.get(KEY)
    return datetime.fromisoformat(told) if told else None
