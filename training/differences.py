"""What differs between two editions of a course, for people: lesson by lesson, paragraph by paragraph."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html import unescape

from training.models import Edition, Lesson, Module

TOLD = {
    *("html", "text", "question", "title", "intro", "phone", "do", "why", "happened", "when", "what", "number"),
    *("cost", "lesson", "unit", "end"),
}
TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Line:
    """A passage that one of the editions has and the other has not."""

    is_new: bool
    text: str


@dataclass
class LessonDifference:
    title: str
    state: str  # new, gone, changed
    lines: list[Line] = field(default_factory=list)


@dataclass
class ModuleDifference:
    title: str
    state: str  # new, gone, changed
    lessons: list[LessonDifference]
    questions_new: int
    questions_gone: int
    questions_changed: int


def between(old: Edition, new: Edition, language: str) -> list[ModuleDifference]:
    """Return the modules that differ, in the order of the new edition; those that are gone come last.

    Told in ``language`` where an edition has it, else in its first. Ten queries, however long the course.
    """
    before, after = (_modules(edition) for edition in (old, new))
    found = [_module(before.get(slug), after.get(slug), old, new, language) for slug in {**after, **before}]
    return [difference for difference in found if difference]


def of_lesson(before: Edition, lesson: Lesson, language: str) -> LessonDifference | None:
    """Return what is another in a lesson than in an older edition, None if nothing is. Two queries."""
    module = before.modules.filter(slug=lesson.module.slug)
    old = Lesson.objects.filter(module__in=module, slug=lesson.slug).first()
    return _lesson(old, lesson, before, lesson.module.edition, language)


def _modules(edition: Edition) -> dict[str, Module]:
    return {module.slug: module for module in edition.modules.prefetch_related("lessons", "quiz__questions")}


def _module(
    old: Module | None, new: Module | None, before: Edition, after: Edition, language: str
) -> ModuleDifference | None:
    old_lessons, new_lessons = (_lessons(module) for module in (old, new))
    slugs = {**new_lessons, **old_lessons}
    lessons = [_lesson(old_lessons.get(slug), new_lessons.get(slug), before, after, language) for slug in slugs]
    lessons = [lesson for lesson in lessons if lesson]
    was, is_now = (_versions(module) for module in (old, new))
    counts = (
        len(is_now.keys() - was.keys()),
        len(was.keys() - is_now.keys()),
        sum(was[slug] != is_now[slug] for slug in was.keys() & is_now.keys()),
    )
    if not lessons and not any(counts):
        return None
    title = _told((new or old).title, after if new else before, language)
    return ModuleDifference(title, _state(old, new), lessons, *counts)


def _lesson(
    old: Lesson | None, new: Lesson | None, before: Edition, after: Edition, language: str
) -> LessonDifference | None:
    was = list(passages(_told(old.body, before, language))) if old else []
    is_now = list(passages(_told(new.body, after, language))) if new else []
    if old and new:
        was.insert(0, _told(old.title, before, language))
        is_now.insert(0, _told(new.title, after, language))
    lines = list(_lines(was, is_now))
    if old and new and not lines:
        return None
    return LessonDifference(_told((new or old).title, after if new else before, language), _state(old, new), lines)


def _state(old: object, new: object) -> str:
    return "gone" if new is None else "new" if old is None else "changed"


def _told(texts: Mapping, edition: Edition, language: str) -> str | list:
    return texts[language if language in edition.languages else edition.languages[0]]


def _lessons(module: Module | None) -> dict[str, Lesson]:
    return {lesson.slug: lesson for lesson in module.lessons.all()} if module else {}


def _versions(module: Module | None) -> dict[str, int]:
    return {question.slug: question.version for question in module.quiz.questions.all()} if module else {}


def passages(value: object, name: str = "") -> Iterator[str]:
    """Yield what a person reads of blocks, one passage a paragraph, in order."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from passages(inner, key)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from passages(inner, name)
    elif isinstance(value, str) and name in TOLD:
        for part in value.split("\n") if name == "html" else [value]:
            if text := " ".join(unescape(TAG.sub("", part)).split()):
                yield text


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from (Line(False, text) for text in old[a:b])
            yield from (Line(True, text) for text in new[c:d])
