"""A course that is not published, as pages: what `make preview` and an uploaded ZIP show. Nothing is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from quizzes import banks
from quizzes.formats.fields import Fault
from training import blocks
from training.lessons import Part
from training.loading import CourseText, LessonText, ModuleText
from training.rules import told

UP = "../../"  # from a lesson or its questions to the course: both doors lay their pages out alike


class NotThere(LookupError):
    """The course has no such module or lesson."""


@dataclass(frozen=True)
class Mistake:
    """A mistake with the line of the file that it is about; ``source``: that line as it stands there."""

    file: str
    line: int
    what: str
    remedy: str
    source: str


@dataclass
class Draft:
    """A course as it was just read. ``texts``: its files, to show the lines that mistakes are about."""

    course: CourseText | None
    faults: Sequence[Fault] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def mistakes(self) -> list[Mistake]:
        return [_mistake(fault, self.texts) for fault in self.faults]

    def mistakes_in(self, *files: str) -> list[Mistake]:
        return [one for one in self.mistakes if one.file in files]

    def module(self, slug: str) -> ModuleText:
        found = next((one for one in self.course.modules if one.slug == slug), None) if self.course else None
        if found is None:
            raise NotThere(slug)
        return found

    def lesson(self, module: str, slug: str) -> LessonText:
        found = next((one for one in self.module(module).lessons if one.slug == slug), None)
        if found is None:
            raise NotThere(slug)
        return found


def _mistake(fault: Fault, texts: Mapping[str, str]) -> Mistake:
    lines = texts.get(fault.file, "").split("\n")
    source = lines[fault.line - 1][:300] if 0 < fault.line <= len(lines) else ""
    return Mistake(fault.file, fault.line, fault.what, fault.remedy, source)


def language_of(draft: Draft, wanted: str) -> str:
    languages = draft.course.languages if draft.course else []
    return wanted if wanted in languages or not languages else languages[0]


def overview(draft: Draft, lang: str) -> dict:
    """Return what the page of the whole course shows."""
    course = draft.course
    return {
        "title": told(course.title, lang) if course else "",
        "summary": told(course.summary, lang) if course else "",
        "slug": course.slug if course else "",
        "mistakes": draft.mistakes,
        "lang": lang,
        "languages": course.languages if course else [],
        "modules": [_module(module, lang, draft) for module in course.modules] if course else [],
    }


def _module(module: ModuleText, lang: str, draft: Draft) -> dict:
    return {
        "slug": module.slug,
        "title": told(module.title, lang),
        "questions": len(module.questions),
        "lessons": [
            {
                "slug": lesson.slug,
                "title": told(lesson.title, lang),
                "minutes": lesson.minutes,
                "mistakes": len(draft.mistakes_in(*files_of(module.slug, lesson.slug, draft))),
            }
            for lesson in module.lessons
        ],
    }


def files_of(module: str, lesson: str, draft: Draft) -> list[str]:
    return [f"{module}/{language}/{lesson}.md" for language in (draft.course.languages if draft.course else ())]


def lesson_page(draft: Draft, module: str, slug: str, lang: str, sent: Mapping[str, str] | None = None) -> dict:
    """Return what the page of a lesson shows. ``sent``: what was just tried in one of its blocks. Raises NotThere."""
    lesson, of_module = draft.lesson(module, slug), draft.module(module)
    parts = [_part(number, block, sent or {}) for number, block in enumerate(lesson.body.get(lang, ()))]
    place = of_module.lessons.index(lesson)
    return {
        "title": told(lesson.title, lang),
        "minutes": lesson.minutes,
        "lang": lang,
        "parts": parts,
        "mistakes": draft.mistakes_in(*files_of(module, slug, draft)),
        "module": {"slug": module, "title": told(of_module.title, lang)},
        "back_url": UP,
        "next_url": f"../{of_module.lessons[place + 1].slug}/" if place + 1 < len(of_module.lessons) else "",
        "tried": next((part.number for part in parts if sent and part.block.get("name") == sent.get("block")), None),
    }


def _part(number: int, block: dict, sent: Mapping[str, str]) -> Part:
    answer = None
    if block.get("name") and block["name"] == sent.get("block"):
        try:
            answer = blocks.read_answer(block, sent)
        except blocks.BadAnswer:
            answer = None
    shown = blocks.shown(block, answer)
    return Part(number, shown["template"], shown["block"], shown["feedback"])


def questions_page(draft: Draft, module: str, lang: str) -> dict:
    """Return what the page of a module's questions shows: each with what is right, and why. Raises NotThere."""
    of_module = draft.module(module)
    return {
        "title": told(of_module.title, lang),
        "lang": lang,
        "module": {"slug": module, "title": told(of_module.title, lang)},
        "back_url": UP,
        "questions": [
            {"slug": one["slug"], "tags": one["tags"], "shown": banks.explained(banks.unsaved(one), lang)}
            for one in of_module.questions
        ],
        "mistakes": draft.mistakes_in(f"{module}/questions.yaml", f"{module}/module.yaml"),
    }
