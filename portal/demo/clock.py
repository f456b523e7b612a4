"""A clock that the demo firm's past is played by. See docs/decisions on time in the demo firm."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from celery import current_app
from django.utils import timezone

TICK = timedelta(milliseconds=1)


class Clock:
    """Tells the time of the story. It never goes back, and no two looks at it are the same moment."""

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def read(self) -> datetime:
        self.at += TICK
        return self.at

    def move_to(self, moment: datetime) -> None:
        """Go on to the moment; where the story has come further already, it stays there."""
        self.at = max(self.at, moment.astimezone(UTC))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the whole site, services and automatic columns alike, tell its time by this clock."""
        real = timezone.now
        timezone.now = self.read
        try:
            yield
        finally:
            timezone.now = real


@contextmanager
def no_bells() -> Iterator[None]:
    """Ring for no worker meanwhile: what the story leaves to do stands in the tables, and the sweepers find it."""
    app = current_app._get_current_object()
    real = app.send_task
    app.send_task = lambda name, *args, **kwargs: None
    try:
        yield
    finally:
        app.send_task = real
