"""Decisions about people, as plain functions."""

from collections.abc import Iterator, Mapping


class ManagerCycle(ValueError):
    """Following the managers upward comes back to the same person."""


def in_language(language: str | None, english: str, chinese: str) -> str:
    """Return the Chinese text on a Chinese page if there is one, else the English."""
    return chinese if chinese and (language or "").startswith("zh") else english


def reporting_lines(manager_of: Mapping[int, int | None]) -> Iterator[tuple[int, int, int]]:
    """Yield (manager, report, depth) for every pair in which one is above the other.

    ``manager_of`` maps each employee to the direct manager, None at the top. Raises ManagerCycle.
    """
    for report in manager_of:
        above, depth, seen = manager_of[report], 1, {report}
        while above is not None:
            if above in seen:
                raise ManagerCycle(f"the reporting line of {report} comes back to {above}")
            seen.add(above)
            yield above, report, depth
            above, depth = manager_of.get(above), depth + 1
