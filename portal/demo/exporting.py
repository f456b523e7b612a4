"""What a table of people costs as a file: time, and the most memory, each size in a process of its own."""

from collections.abc import Sequence

from portal import tables
from portal.demo import measuring
from portal.people.models import Employee
from portal.standing import exports


def measure(kind: str, sizes: Sequence[int]) -> list[dict]:
    """Return for each number of rows what writing them takes. The smallest, first, tells what any file takes."""
    return [_cost(kind, size) for size in sizes]


def _cost(kind: str, rows: int) -> dict:
    def write() -> int:
        people = Employee.objects.on_staff().order_by("pk")
        last = list(people.values_list("pk", flat=True)[rows - 1 : rows])
        chosen = people.filter(pk__lte=last[0]) if last else people
        written = tables.written(kind, *exports.people_table(chosen, sees_archive=True))
        with written.file:
            return written.rows

    cost = measuring.measured(write)
    return {"kind": kind, "rows": cost.told, "seconds": round(cost.seconds, 2), "peak_mb": cost.peak_mb}


def as_text(found: list[dict]) -> str:
    return "\n".join(
        f"{one['kind']} of {one['rows']:,} people: {one['seconds']} s, at most {one['peak_mb']} MB" for one in found
    )
