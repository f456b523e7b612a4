import json
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import django
from django.core.management.base import BaseCommand

from portal.demo import rivals

WARM = 3  # certificates made before the clock runs: fonts are read once by each


class Command(BaseCommand):
    help = "Measure how many certificates a CPU second makes, beside other ways. Nothing is stored, nothing is cached."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--count", type=int, default=400)
        parser.add_argument("--workers", type=int, default=2, help="processes of the last line")
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *, count: int, workers: int, **options) -> None:
        rows = []
        for way in rivals.WAYS:
            rows.append(
                {"way": way.name, "leaves_out": way.leaves_out, **of(way.name, max(10, int(count * way.share)))}
            )
            self._tell(rows)
        rows.append({"way": f"ours, {workers} processes", "leaves_out": "nothing", **of_many(count, workers)})
        self._tell(rows)
        if options["json"]:
            options["json"].write_text(json.dumps(rows, indent=1), encoding="utf-8")

    def _tell(self, rows: list[dict]) -> None:
        row = rows[-1]
        times = row["per_cpu_second"] / rows[0]["per_cpu_second"]
        self.stdout.write(
            f"{row['way']:<42}{row['per_cpu_second']:>7.1f} a CPU second{times:>6.1f} x"
            f"{row['per_second']:>7.1f} a second{row['kilobytes']:>5} KB   without: {row['leaves_out']}"
        )


def of(name: str, count: int) -> dict:
    """Make that many by one way, in this process."""
    way = next(way for way in rivals.WAYS if way.name == name)
    list(way.make(rivals.samples(WARM)))
    some = rivals.samples(count + WARM)[WARM:]
    began, cpu = time.perf_counter(), cpu_seconds()
    sizes = [len(pdf) for pdf in way.make(some)]
    return _figures(sizes, time.perf_counter() - began, cpu_seconds() - cpu)


def of_many(count: int, workers: int) -> dict:
    """Make that many in several processes, each its share; what they take to start is not counted."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=django.setup) as pool:
        list(pool.map(of, ["ours, as issued"] * workers, [WARM] * workers))  # begun, with their fonts read
        began = time.perf_counter()
        found = list(pool.map(of, ["ours, as issued"] * workers, [count // workers] * workers))
        seconds = time.perf_counter() - began
    made, cpu = sum(one["made"] for one in found), sum(one["cpu_seconds"] for one in found)
    kilobytes = max(one["kilobytes"] for one in found)
    return {"made": made, "cpu_seconds": cpu, "per_cpu_second": made / cpu, "per_second": made / seconds,
            "kilobytes": kilobytes}  # fmt: skip


def _figures(sizes: list[int], seconds: float, cpu: float) -> dict:
    return {
        "made": len(sizes),
        "cpu_seconds": cpu,
        "per_cpu_second": len(sizes) / cpu,
        "per_second": len(sizes) / seconds,
        "kilobytes": max(sizes) // 1000,
    }


def cpu_seconds() -> float:
    """Return the CPU seconds of this process, all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
