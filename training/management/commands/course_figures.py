from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from training import figures
from training.loading import CourseText, read_courses

KINDS = ("chat", "branch", "steps", "case", "check", "rule")
HEAD = ("", "lessons", "words", "characters", "minutes", *KINDS, "questions", "quiz min")


class Command(BaseCommand):
    help = (
        "Print, for each course, module and language, the words, the minutes and how much there is to do: chats, "
        "branches, procedures, cases, checks and questions. --lessons prints each lesson too."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=settings.COURSES_DIR, metavar="DIR")
        parser.add_argument("--lessons", action="store_true", help="a line for each lesson as well")

    def handle(self, *args, folder: Path, lessons: bool, **options) -> None:
        courses, faults = read_courses(folder, [code for code, _ in settings.LANGUAGES])
        if faults:
            raise CommandError(f"{len(faults)} mistakes; load_courses --check names them.")
        for course in courses:
            for language in course.languages:
                self.stdout.write(f"{course.slug}, {language}")
                rows = list(_rows(course, language, lessons))
                widths = [max(len(row[n]) for row in [HEAD, *rows]) for n in range(len(HEAD))]
                for row in [HEAD, *rows]:
                    cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)]
                    self.stdout.write("  ".join(cells).rstrip())


def _rows(course: CourseText, language: str, lessons: bool) -> Iterator[tuple[str, ...]]:
    whole, quizzes, count, asked = figures.Figures(), figures.Figures(), 0, 0
    for module in course.modules:
        found, quiz = figures.of_module(module, language), figures.of_quiz(course, module, language)
        yield _row(module.slug, found, len(module.lessons), str(len(module.questions)), quiz)
        for lesson in module.lessons if lessons else ():
            told = figures.of_lesson(lesson, language)
            yield _row(f"  {lesson.slug} ({lesson.minutes})", told, 1, "", None)
        whole, quizzes = whole + found, quizzes + quiz
        count, asked = count + len(module.lessons), asked + len(module.questions)
    yield _row("all", whole, count, str(asked), quizzes)


def _row(
    name: str, found: figures.Figures, lessons: int, questions: str, quiz: figures.Figures | None
) -> tuple[str, ...]:
    kinds = [str(found.kinds[kind]) for kind in KINDS]
    figure = [str(lessons), str(found.words), str(found.characters), f"{found.minutes:.1f}"]
    return (name, *figure, *kinds, questions, f"{quiz.minutes:.1f}" if quiz else "")
