"""Waiting for something that another process does."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(
    reached: Callable[[], Any], what: str, *, seconds: float = 60, who: Any = None, pause: float = 0.05
) -> None:
    """Wait until it is so. Fails after a while, or when the process ``who`` has ended, with what that said."""
    ends = time.monotonic() + seconds
    while not reached():
        said = who.log.read_text()[-3000:] if who is not None and who.log.is_file() else ""
        assert who is None or who.is_running, f"{who.name} has ended before this: {what}\n{said}"
        assert time.monotonic() < ends, f"not so within {seconds} seconds: {what}\n{said}"
        time.sleep(pause)
