from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from quizzes.services import BadQuestion
from training import review
from training.loading import CourseText, read_courses
from training.models import Edition
from training.publishing import NothingMaterial, publish


class Command(BaseCommand):
    help = (
        "Read the courses in a folder, check everything, and publish those that changed as new editions. "
        "With one mistake anywhere nothing is published; each is printed as 'file:line: what – remedy'."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", nargs="?", type=Path, default=settings.COURSES_DIR, metavar="DIR",
            help="a folder of courses, or one course; default: COURSES_DIR",
        )  # fmt: skip
        change = parser.add_mutually_exclusive_group()
        change.add_argument(
            "--minor", action="store_true",
            help="what changed is minor, as without either: who knows the edition before is not disturbed",
        )  # fmt: skip
        change.add_argument(
            "--material",
            action="store_true",
            help="what changed is material: the rules ask it of who knows an older edition, and nothing but it",
        )
        parser.add_argument("--check", action="store_true", help="read and check only; publish nothing")

    def handle(self, *args, folder: Path, check: bool, material: bool, **options) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        courses, faults = read_courses(folder, [code for code, _ in settings.LANGUAGES])
        for fault in faults:
            self.stderr.write(f"{_near(folder)}/{fault}")
        if faults:
            raise CommandError(f"{len(faults)} mistake{'s' if len(faults) > 1 else ''}; nothing was published.")
        if not courses:
            raise CommandError(f"{folder} holds no course: a course is a folder with a course.yaml.")
        if check:
            for course in courses:
                self.stdout.write(f"{course.slug}: no mistakes ({_size(course)})")
        else:
            try:
                self._publish(courses, Edition.Change.MATERIAL if material else Edition.Change.MINOR)
            except review.Overdue as error:
                raise CommandError(f"{error}. Look at them, and set 'reviewed' and 'review_by' anew.") from error

    def _publish(self, courses: list[CourseText], change: str) -> None:
        said = []
        with transaction.atomic():
            for course in courses:
                try:
                    edition, is_new = publish(course=course, by="system:load_courses", change=change)
                except NothingMaterial as error:
                    raise CommandError(f"{error}: no lesson and no question changed; publish it as minor.") from error
                except BadQuestion as error:  # of what the files hold, too much was withdrawn
                    raise CommandError(f"{error}; nothing was published.") from error
                state = "published" if is_new else "unchanged"
                said.append(f"{course.slug}: edition {edition.number} {state} ({_size(course)})")
        self.stdout.write("\n".join(said))


def _near(folder: Path) -> Path:
    """Return the folder as one would name it from here, so that a terminal can open what is printed."""
    full, here = folder.resolve(), Path.cwd()
    return full.relative_to(here) if full.is_relative_to(here) else full


def _size(course: CourseText) -> str:
    lessons = sum(len(module.lessons) for module in course.modules)
    questions = sum(len(module.questions) for module in course.modules)
    return f"{len(course.modules)} modules, {lessons} lessons, {questions} questions"
