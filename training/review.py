"""Who keeps a lesson true, when it was last looked at against its sources, and by when it has to be again."""

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from quizzes.formats.fields import Fields, Languages, unreported

if TYPE_CHECKING:
    from training.loading import CourseText

CITED = re.compile(
    r"\[@([a-z0-9-]+)\]|^:::[ \t]*(?:rule|case)[ \t]+([a-z0-9-]+)|\bcites:[ \t]*\[([^\]]*)\]", re.MULTILINE
)


class Overdue(Exception):
    """Lessons that should have been reviewed by now: a new edition waits for that."""

    def __init__(self, lessons: list[str]) -> None:
        super().__init__(f"review is overdue: {', '.join(lessons)}")
        self.lessons = lessons


def of_course(course: Fields, languages: Languages) -> dict:
    """Return what course.yaml tells for all lessons under 'review': {owner, reviewed, review_by}."""
    given = course.take("review")
    report = course.report if given is not None else unreported
    fields = Fields(given, report, of="'review'", line=course.line("review"))
    found = {"owner": fields.texts("owner", languages)} | _days(fields, needed=True)
    fields.done()
    return found


def read(lesson: Fields) -> dict:
    """Return what a lesson's front matter tells of its own: any of owner, reviewed, review_by."""
    owner = lesson.text("owner", optional=True)
    return ({"owner": owner} if owner else {}) | _days(lesson, needed=False)


def _days(fields: Fields, *, needed: bool) -> dict[str, str]:
    found = {name: fields.day(name) for name in ("reviewed", "review_by") if needed or fields.has(name)}
    if len(found) == 2 and found["review_by"] <= found["reviewed"]:
        fields.wrong("review_by", "'review_by' is not after 'reviewed'", "Give it a day to come.")
    return {name: day.isoformat() for name, day in found.items()}


def of_lesson(own: Mapping, course: Mapping, language: str) -> dict:
    """Return what holds for a lesson: its own before the course's. ``own`` is told in ``language``."""
    told = dict(course) | {name: value for name, value in own.items() if name != "owner"}
    if own.get("owner"):
        told["owner"] = {**course.get("owner", {}), language: own["owner"]}
    return told


def cited(text: str) -> list[str]:
    """Return the ids of the sources that a lesson's text names, each once, in their order."""
    found: dict[str, None] = {}
    for inline, block, listed in CITED.findall(text):
        found |= dict.fromkeys(filter(None, (inline, block, *re.split(r"[,\s]+", listed))))
    return list(found)


def is_overdue(kept: Mapping, today: date) -> bool:
    """Return whether the day by which the lesson had to be reviewed has passed. The day itself is in time."""
    return bool(kept.get("review_by")) and date.fromisoformat(kept["review_by"]) < today


def overdue(course: "CourseText", today: date) -> list[str]:
    lessons = [(module, lesson) for module in course.modules for lesson in module.lessons]
    return [f"{module.slug}/{lesson.slug}" for module, lesson in lessons if is_overdue(lesson.kept, today)]
