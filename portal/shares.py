"""Shares in whole percent, the same on every page and in every file."""


def percent(part: int, whole: int) -> int | None:
    """Return the part in percent of the whole, rounded, half up; None of nothing.

    100 always means all and 0 always none, so what would round to them and is not stays at 99 or 1.
    """
    if not whole:
        return None
    rounded = (200 * part + whole) // (2 * whole)
    return min(rounded, 99) if part < whole and rounded >= 100 else max(rounded, 1) if part > 0 else rounded
