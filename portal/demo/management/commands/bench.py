import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from archive.models import Import
from portal.demo import answers, packs, sitting, timing, wire
from portal.ledger import measuring
from portal.people.models import Employee
from quizzes.models import Attempt
from training.models import Certificate, Lesson

REFERENCE = ("healthz (reference)", "healthz", None)
PAGES = [
    ("today", "standing:today", "employee@example.com"),
    ("courses", "training:course_list", "employee@example.com"),
    ("record", "standing:record", "employee@example.com"),
    ("certificates", "training:certificate_list", "finished@example.com"),
    ("team", "standing:team", "manager@example.com"),
    ("people", "standing:people", "hr@example.com"),
    ("export", "training:export_list", "hr@example.com"),
    ("firm", "standing:firm", "compliance@example.com"),
    ("imports", "archive:import_list", "compliance@example.com"),
    ("evidence", "ledger:evidence", "compliance@example.com"),
    ("evidence log", "evidence:find", "compliance@example.com"),
    ("evidence packs", "evidence:pack_list", "compliance@example.com"),
    ("history", "evidence:history", "employee@example.com"),
]


class Command(BaseCommand):
    help = (
        "Measure every page of the demo firm: queries, median ms on the server, and ms against the health page; "
        "and a quiz with many people at once, on a database of its own."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("--repeat", type=int, default=15)
        parser.add_argument("--json", type=Path, help="write the figures to this file too")
        parser.add_argument(
            "--section",
            choices=("pages", "ledger", "packs", "quiz", "analysis"),
            action="append",
            help="only this; may be repeated",
        )
        parser.add_argument("--rounds", type=int, default=5, help="quiz: attempts that each person makes")
        parser.add_argument("--answers", type=int, default=1_000_000, help="analysis: answers that are analysed")

    def handle(self, *, repeat: int, rounds: int, section: list[str] | None, **options) -> None:
        found = {}
        if not section or "pages" in section:
            found["pages"] = self._pages(repeat)
        if not section or "ledger" in section:
            found["ledger"] = self._ledger()
        if section and "packs" in section:
            found["packs"] = packs.measure()
            for row in found["packs"]:
                self.stdout.write(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items()))
        if not section or "quiz" in section:
            found["quiz"] = self._quiz(rounds)
        if not section or "analysis" in section:
            found["analysis"] = answers.measure(answers=options["answers"], tell=self.stdout.write)
            self.stdout.write(", ".join(f"{name.replace('_', ' ')} {n}" for name, n in found["analysis"].items()))
        if options["json"]:
            options["json"].write_text(json.dumps(found, indent=1), encoding="utf-8")

    def _quiz(self, rounds: int) -> list[dict]:
        rows = sitting.measure(rounds=rounds, tell=self.stdout.write)
        for row in rows:
            self.stdout.write(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row.items()))
        return rows

    def _pages(self, repeat: int) -> list[dict]:
        if not Employee.objects.filter(email="employee@example.com").exists():
            raise CommandError("The demo firm is not here. Run make demo first.")
        rows = []
        for label, name, email in [REFERENCE, *PAGES, *self._pages_about_something()]:
            path = reverse(name[0], args=name[1]) if isinstance(name, tuple) else reverse(name)
            rows.append(timing.of_page(label, path, email, repeat))
        self.stdout.write(timing.as_table(rows))
        self._first_loads()
        return rows

    def _first_loads(self) -> None:
        """Tell what the heaviest lesson of a course just begun brings over the wire at its first load."""
        email = "employee@example.com"
        lessons = Lesson.objects.filter(module__edition__assignments__employee__email=email).select_related(
            "module__edition__course"
        )
        loads = [
            wire.first_load(
                reverse("training:lesson", args=[one.module.edition.course.slug, one.module.slug, one.slug]), email
            )
            for one in lessons.distinct()
        ]
        heaviest = max(loads, key=lambda load: load["kb"])
        requests = max(load["requests"] for load in loads)
        self.stdout.write(
            f"\nfirst load of a lesson, the heaviest of {len(loads)}: {heaviest['kb']} KB over the wire, "
            f"{requests} requests, {heaviest['fonts']} fonts ({heaviest['page']})"
        )

    def _ledger(self) -> dict:
        log = measuring.figures()
        self.stdout.write(
            f"\nledger: an entry adds {log['append_ms']} ms to a request, a proof takes {log['proof_ms']} ms;"
        )
        pace = f"{log['verified_per_cpu_second']:,} entries verified a second of one core"
        self.stdout.write(f"{pace} ({log['entries']:,} entries here)")
        return log

    def _pages_about_something(self) -> list[tuple]:
        """Pages whose address names a row: one row of each kind that the demo firm has."""
        below = Employee.objects.below(Employee.objects.get(email="manager@example.com"))
        lesson = Lesson.objects.filter(module__edition__course__slug="wechat-archiving").order_by("pk").first()
        course, module = lesson.module.edition.course.slug, lesson.module.slug
        attempt = Attempt.objects.submitted().filter(employee__email="employee@example.com").order_by("pk").first()
        certificate = Certificate.objects.filter(completion__employee__email="finished@example.com").first()
        run = Import.objects.order_by("-lines").first()
        learner, compliance = "employee@example.com", "compliance@example.com"
        return [
            ("person", ("standing:person", [below.order_by("pk").first().uid]), "manager@example.com"),
            ("course", ("training:course", [course]), learner),
            ("lesson", ("training:lesson", [course, module, lesson.slug]), learner),
            ("quiz", ("training:quiz", [course, module]), learner),
            ("result", ("training:result", [attempt.uid]), learner),
            ("verify", ("training:verify", [certificate.serial]), None),
            ("import", ("archive:import", [run.uid]), compliance),
            ("source", ("archive:source", [run.source.name]), compliance),
        ]
