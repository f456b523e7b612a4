import json
import statistics
import time
from functools import partial
from pathlib import Path

from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from portal.demo import bulk_duties, measuring, volume
from portal.people.models import Department, Employee
from training import assignments

CHANGED = 1_000  # people whom an HR file moved


class Command(BaseCommand):
    help = "Measure a night of fifty rules over many people, in a scratch database of its own."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--people", type=int, default=100_000)
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *, people: int, **options) -> None:
        with measuring.Scratch():
            today = timezone.localdate()
            volume.hire(people)
            told = {"database": connection.vendor, **bulk_duties.fill(today)}
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
            self.stdout.write(", ".join(f"{name} {value}" for name, value in told.items()))
            apply = partial(assignments.apply_rules, today=today)
            assignments.apply_rules(today=today)  # renewals that the spread of days made due
            for name, work in {"a quiet night": apply, "after an HR file": partial(_moved, apply)}.items():
                cost = measuring.measured(work)
                told[name] = cost.as_dict()
                self.stdout.write(f"{name}: {cost.seconds:.1f} s, {cost.peak_mb} MB, {cost.told}")
            told["one person, ms"] = _one_person(today)
            self.stdout.write(f"one person: median {told['one person, ms']} ms")
        if options["json"]:
            options["json"].write_text(json.dumps(told, indent=1, default=str), encoding="utf-8")


def _moved(apply) -> measuring.Cost:
    """Move people to other desks, as HR's file does; only what the rules make of it is measured."""
    desks = list(Department.objects.order_by("pk").values_list("pk", flat=True))
    pks = list(Employee.objects.filter(employee_no__isnull=False).order_by("pk").values_list("pk", flat=True))
    moved = pks[:: max(len(pks) // CHANGED, 1)][:CHANGED]
    for n, pk in enumerate(moved):
        Employee.objects.filter(pk=pk).update(department=desks[(n * 7 + 3) % len(desks)])
    began, cpu = time.perf_counter(), time.process_time()
    opened = apply()
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    return measuring.Cost(seconds, spent, 0, f"{len(moved)} people moved, {opened} cycles opened")


def _one_person(today) -> float:
    """Return the median of what a changed person takes, in milliseconds: each moves, and the rules are applied."""
    desks = list(Department.objects.order_by("pk").values_list("pk", flat=True))
    times = []
    for n, pk in enumerate(Employee.objects.order_by("-pk").values_list("pk", flat=True)[:30]):
        Employee.objects.filter(pk=pk).update(department=desks[n % len(desks)])
        began = time.perf_counter()
        assignments.apply_to_people(employee_ids=[pk], today=today)
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)
