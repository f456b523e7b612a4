"""What a lesson page shows, and where one goes from it."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from training import blocks, differences, review
from training.differences import LessonDifference
from training.models import Lesson, Progress
from training.outline import LessonLine, ModuleLine, Outline, language_of
from training.results import sources_of
from training.rules import told


@dataclass(frozen=True)
class Part:
    """One block on the page. ``number`` counts from 0 and is what Progress.place remembers."""

    number: int
    template: str
    block: dict
    feedback: dict | None


@dataclass(frozen=True)
class Kept:
    """Who keeps the lesson true, and when it was and has to be looked at."""

    owner: str
    reviewed_on: date
    review_by: date
    is_overdue: bool

    @classmethod
    def of(cls, lesson: Lesson, today: date) -> "Kept | None":
        kept = lesson.kept
        if not {"owner", "reviewed", "review_by"} <= kept.keys():
            return None
        days = (date.fromisoformat(kept[name]) for name in ("reviewed", "review_by"))
        return cls(told(kept["owner"], lang_of(lesson)), *days, review.is_overdue(kept, today))


@dataclass(frozen=True)
class LessonPage:
    outline: Outline
    module: ModuleLine
    line: LessonLine
    title: str
    minutes: int
    lang: str
    parts: list[Part]
    go_on_from: int | None  # the block where one was last time; None: at the top, or finished
    is_finished: bool
    kept: "Kept | None"  # None: the course does not tell
    changed: LessonDifference | None  # against the edition that one knows; None: all of it is to be read
    sources: list[dict]  # what the lesson cites: {short, name, link}
    previous_url: str
    next_label: str


def lang_of(lesson: Lesson) -> str:
    """Return the language in which a lesson is told on this page."""
    return language_of(lesson.module.edition)


def title_of(lesson: Lesson) -> str:
    return lesson.title[lang_of(lesson)]


def parts_of(lesson: Lesson, answers: dict) -> list[Part]:
    """Return the blocks of a lesson as a page shows them, with what the answers earned."""
    return [_part(number, block, answers) for number, block in enumerate(told_blocks(lesson))]


def page(outline: Outline, lesson: Lesson, progress: Progress) -> LessonPage:
    module, line = _lines(outline, lesson)
    parts = parts_of(lesson, progress.answers)
    is_finished = progress.finished_at is not None
    before = [other for other in module.lessons if other.number < line.number]
    return LessonPage(
        outline=outline,
        module=module,
        line=line,
        title=line.title,
        minutes=line.minutes,
        lang=outline.lang,
        parts=parts,
        go_on_from=progress.place if 0 < progress.place < len(parts) and not is_finished else None,
        is_finished=is_finished,
        kept=Kept.of(lesson, outline.today),
        changed=differences.of_lesson(outline.before, lesson, outline.lang) if outline.before else None,
        sources=sources_of(lesson.cites, outline.edition, outline.lang),
        previous_url=before[-1].url if before else outline.url,
        next_label=_next_label(module, line),
    )


def told_blocks(lesson: Lesson) -> list[dict]:
    """Return the lesson's blocks in the language of the page, or in the course's first."""
    return lesson.body[language_of(lesson.module.edition)]


def _part(number: int, block: dict, answers: dict) -> Part:
    shown = blocks.shown(block, answers.get(block.get("name", "")))
    return Part(number, shown["template"], shown["block"], shown["feedback"])


def find_block(lesson: Lesson, name: str) -> tuple[int, dict] | None:
    """Return the number and the block of that name that asks something; None if the lesson has none."""
    named = enumerate(told_blocks(lesson))
    return next(((n, b) for n, b in named if b.get("name") == name and b["kind"] in blocks.INTERACTIVE), None)


def first_untried(lesson: Lesson, progress: Progress) -> int | None:
    """Return the number of the first block that asks for something and was not done; None if nothing is left.

    A check or a chat is done once it was answered, rightly or not; a conversation or a procedure at its end.
    """
    shown = enumerate(told_blocks(lesson))
    return next((n for n, b in shown if not blocks.is_done(b, progress.answers.get(b.get("name", "")))), None)


def after(outline: Outline, lesson: Lesson) -> str:
    """Return where to go from a lesson that was just finished: on in the module, back to what was left, its quiz.

    From the last lesson of a module that is passed already: to the course.
    """
    module, line = _lines(outline, lesson)
    following = [other for other in module.lessons if other.number > line.number]
    if following:
        return following[0].url
    left = [other for other in module.lessons if not other.is_finished]
    if left:
        return left[0].url
    return outline.url if module.is_passed else module.quiz_url


def _next_label(module: ModuleLine, line: LessonLine) -> str:
    following = [other for other in module.lessons if other.number > line.number]
    if following:
        return _("Done, next: %(title)s") % {"title": following[0].title}
    left = [other for other in module.lessons if not other.is_finished and other.pk != line.pk]
    if left:
        return _("Done, back to: %(title)s") % {"title": left[0].title}
    return _("Done, back to the course") if module.is_passed else _("Done, to the quiz")


def _lines(outline: Outline, lesson: Lesson) -> tuple[ModuleLine, LessonLine]:
    module = next(module for module in outline.modules if module.pk == lesson.module_id)
    return module, next(line for line in module.lessons if line.pk == lesson.pk)
