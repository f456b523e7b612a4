import json
import time
from datetime import date
from io import StringIO
from pathlib import Path

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from archive.models import Finding
from portal import tables
from portal.demo import exporting, looking, measuring, timing, volume
from portal.people import roles
from portal.people.models import Employee
from portal.standing import knowledge, trend
from training.models import Course

TOUCHED = (25, 1_000)  # people whom one import touches


class Command(BaseCommand):
    help = "Measure the pages of people, firm and findings in a firm of many people, in a scratch database of its own."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--people", type=int, default=5_000)
        parser.add_argument("--repeat", type=int, default=9)
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *, people: int, repeat: int, verbosity: int, **options) -> None:
        with measuring.Scratch():
            today, began = timezone.localdate(), time.perf_counter()
            found = self._firm(people, today)
            self.stdout.write(f"{connection.vendor}, {people:,} people: made in {time.perf_counter() - began:.0f} s")
            rows = [timing.of_page(label, path, email, repeat) for label, path, email in found]
            self.stdout.write(timing.as_table(rows))
            if verbosity > 1:
                self._tell_slowest(rows)
            began = time.perf_counter()
            counted = trend.take(today)
            took = round((time.perf_counter() - began) * 1000)
            self.stdout.write(f"{counted} ends of months counted in {took} ms")
            looks = looking.measure(tuple(min(size, people // 4) for size in TOUCHED))
            self.stdout.write(looking.as_text(looks))
            exported = [one for kind in tables.KINDS for one in exporting.measure(kind, (100, people))]
            self.stdout.write(exporting.as_text(exported))
        told = {
            "database": connection.vendor,
            "people": people,
            "pages": rows,
            "month_ends_ms": took,
            "looks": looks,
            "exports": exported,
        }
        if options["json"]:
            options["json"].write_text(json.dumps(told, indent=1), encoding="utf-8")

    def _tell_slowest(self, rows: list[dict]) -> None:
        for row in rows:
            for one in row["slowest"]:
                self.stdout.write(f"{row['page']}: {one['ms']} ms  {one['sql']}")

    def _firm(self, people: int, today: date) -> list[tuple[str, str, str | None]]:
        """Make the firm. Return (label, path, who asks) of each page."""
        roles.sync_roles()
        course = self._course()
        volume.fill(people, course, today)
        self._analyze()
        knowledge.take_stock(today)
        officer = Employee.objects.create(email="officer@example.com", name_en="Officer")
        officer.groups.set(Group.objects.filter(name=roles.COMPLIANCE))
        # Who leads a division: 4 999 people below them, or everybody where the firm is smaller.
        head = Employee.objects.filter(employee_no=f"V{volume.DIVISION:06}").first()
        head = head or Employee.objects.get(employee_no="V000000")
        person = Employee.objects.below(head).order_by("pk").last()
        finding = Finding.objects.open().order_by("due_on", "pk").first()
        return [
            ("healthz (reference)", reverse("healthz"), None),
            ("today of a head", reverse("standing:today"), head.email),
            ("today of compliance", reverse("standing:today"), officer.email),
            ("team of a division", reverse("standing:team"), head.email),
            ("findings of a team", reverse("standing:team_findings"), head.email),
            ("person", reverse("standing:person", args=[person.uid]), head.email),
            ("firm", reverse("standing:firm"), officer.email),
            ("people", reverse("standing:people"), officer.email),
            ("findings desk", reverse("standing:finding_list"), officer.email),
            ("one finding", reverse("standing:finding", args=[finding.uid]), officer.email),
        ]

    def _course(self) -> Course:
        call_command("load_courses", stdout=StringIO())
        return Course.objects.get(slug="wechat-archiving")

    def _analyze(self) -> None:
        """As the database does by itself after so many rows; here there is no time to wait for it."""
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
