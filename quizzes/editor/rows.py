"""Rows of a form: how many there are, their ids, and forms with more of them, fewer, or in another order."""

from collections.abc import Iterable, Mapping

from quizzes.editor.shapes import SHAPES, Rows
from quizzes.formats.base import ids
from quizzes.formats.fields import is_slug

DEEDS = ("more", "remove", "up")
MORE = 2  # rows that one click adds


def count(data: Mapping[str, str], path: str, rows: Rows) -> int:
    """Return how many rows of a list are on the page."""
    text = data.get(f"{path}-rows", "")
    return min(int(text), rows.most) if text.isascii() and text.isdigit() and len(text) < 4 else rows.fewest


def ids_of(data: Mapping[str, str], path: str, rows: Rows) -> list[str]:
    """Return an id for each row: its own, else the first that is free."""
    found = [data.get(f"{path}-{place}-id", "") for place in range(count(data, path, rows))]
    taken = {name for name in found if is_slug(name)}
    names = (f"{rows.first_id}{n}" for n in range(1, 99)) if rows.first_id else iter(ids(99))
    free = (name for name in names if name not in taken)
    seen: set[str] = set()
    listed = []
    for name in found:
        own = name if is_slug(name) and name not in seen else next(free)
        seen.add(own)
        listed.append(own)
    return listed


def changed_rows(data: Mapping[str, str]) -> dict[str, str] | None:
    """Return the form as its button of rows wants it: "more", "remove" or "up"; None if none was pressed."""
    deed = next((deed for deed in DEEDS if deed in data), None)
    if deed is None:
        return None
    path, _, place = data[deed].rpartition(":") if deed != "more" else (data[deed], "", "0")
    data = {name: value for name, value in data.items() if name not in DEEDS}
    rows = _at(data, path)
    places = list(range(count(data, path, rows))) if rows else []
    if rows is None or not place.isdecimal() or (deed != "more" and int(place) not in places):
        return data
    return _with_rows(data, path, rows, _wanted(deed, places, int(place), rows.most))


def _wanted(deed: str, places: list[int], place: int, most: int) -> list[int | None]:
    if deed == "more":
        return [*places, *[None] * MORE][:most]
    if deed == "remove":
        return [one for one in places if one != place]
    if place > 0:
        places[place - 1], places[place] = places[place], places[place - 1]
    return list(places)


def _at(data: Mapping[str, str], path: str) -> Rows | None:
    """Return the rows that a path names: "options", or "scenes-3-choices"."""
    shape = SHAPES.get(data.get("kind", ""))
    first, _, rest = path.partition("-")
    found = next((rows for rows in shape.rows if rows.name == first), None) if shape else None
    if found and rest:
        place, _, name = rest.partition("-")
        within = found.within
        return within if within and name == within.name and place.isdigit() else None
    return found


def _with_rows(data: Mapping[str, str], path: str, rows: Rows, places: Iterable[int | None]) -> dict[str, str]:
    """Return the form in which the rows of a list are those of these places; None: an empty one."""
    named = dict(zip(range(rows.most), ids_of(data, path, rows), strict=False))
    out = {name: value for name, value in data.items() if not name.startswith(f"{path}-")}
    wanted = list(places)
    for new, old in enumerate(wanted):
        if old is None:
            continue
        before = f"{path}-{old}-"
        out |= {f"{path}-{new}-{name[len(before) :]}": value for name, value in data.items() if name.startswith(before)}
        out[f"{path}-{new}-id"] = named[old]
    return out | {f"{path}-rows": str(len(wanted))}
