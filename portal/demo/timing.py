"""What a page costs on the server: queries, milliseconds and bytes."""

import statistics
import time

from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.people.models import Employee

SLOWEST = 5  # queries of a page that are told


def of_page(label: str, path: str, email: str | None, repeat: int) -> dict:
    """Ask for the page as that person, or as a visitor; the median of ``repeat`` answers after two that warm up.

    ``cpu_ms`` is the processor time of this process alone: with SQLite all of it, whatever else the machine does; with
    PostgreSQL without what the database takes.
    """
    client = Client(HTTP_HOST="localhost")
    if email:
        client.force_login(Employee.objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(path)
    if response.status_code != 200:
        raise CommandError(f"{label}: {path} answered {response.status_code}")
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    queries = len(captured)  # now: the next request empties the log
    slowest = sorted(((float(one["time"]) * 1000, one["sql"]) for one in captured), reverse=True)[:SLOWEST]
    times, spent = [], []
    for _ in range(repeat):
        began, cpu = time.perf_counter(), time.process_time()
        client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        spent.append((time.process_time() - cpu) * 1000)
    return {
        "page": label,
        "queries": queries,
        "median_ms": round(statistics.median(times), 1),
        "best_ms": round(min(times), 1),
        "cpu_ms": round(statistics.median(spent), 1),
        "kb": round(len(response.content) / 1024, 1),
        "slowest": [{"ms": round(ms), "sql": sql} for ms, sql in slowest],
    }


def as_table(rows: list[dict]) -> str:
    """Return the rows as text, each median beside that of the first row, the reference."""
    base = rows[0]["median_ms"]
    heads = (("queries", 8), ("median ms", 11), ("best ms", 9), ("CPU ms", 8), ("KB", 8), ("× reference", 13))
    lines = [f"{'page':<22}" + "".join(f"{name:>{width}}" for name, width in heads)]
    for row in rows:
        row["times_reference"] = round(row["median_ms"] / base, 1)
        told = (row[key] for key in ("queries", "median_ms", "best_ms", "cpu_ms", "kb", "times_reference"))
        figures = "".join(f"{value:>{width}}" for value, (_name, width) in zip(told, heads, strict=True))
        lines.append(f"{row['page']:<22}{figures}")
    return "\n".join(lines)
