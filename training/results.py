"""Where an attempt belongs in a course, and its result with the sources that its questions cite."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from quizzes import papers
from quizzes.models import Attempt
from training.models import Assignment, Edition, Module
from training.outline import ModuleLine, Outline, language_of, outlines
from training.rules import told


@dataclass(frozen=True)
class Where:
    """The module of an attempt. ``outline`` and ``line`` are None for an edition left behind, and before the end."""

    edition: Edition
    course_title: str
    course_url: str
    module_title: str
    quiz_url: str
    outline: Outline | None
    line: ModuleLine | None


def place_of(attempt: Attempt, *, is_ended: bool = True) -> Where | None:
    """Return where the attempt belongs, None if its quiz is of no course.

    What to do next (``outline``, ``line``) is looked up where the attempt has ended: before, a paper has no use for it.
    """
    of_quiz = Q(quiz=attempt.quiz_id) | Q(delta_modules__quiz=attempt.quiz_id)
    module = Module.objects.filter(of_quiz).select_related("edition__course").first()
    if module is None:
        return None
    edition = module.edition
    lang = language_of(edition)
    outline = _outline(attempt, edition) if is_ended else None
    return Where(
        edition=edition,
        course_title=told(edition.title, lang),
        course_url=reverse("training:course", args=[edition.course.slug]),
        module_title=told(module.title, lang),
        quiz_url=reverse("training:quiz", args=[edition.course.slug, module.slug]),
        outline=outline,
        line=next((line for line in outline.modules if line.pk == module.pk), None) if outline else None,
    )


def _outline(attempt: Attempt, edition: Edition) -> Outline | None:
    mine = Assignment.objects.filter(employee=attempt.employee_id, course=edition.course).latest().for_list()
    return next((found for found in outlines(mine, timezone.localdate()) if found.edition == edition), None)


def explained(attempt: Attempt, edition: Edition) -> dict:
    """Return quizzes.papers.result() for its person, with ``sources`` for each question: [{short, name, link}]."""
    result = papers.result(attempt, language_of(edition), with_key=papers.key_is_open(attempt))
    for question in result["questions"]:
        question["sources"] = sources_of(question["cites"], edition, result["lang"])
    return result


def sources_of(cites: list[str], edition: Edition, lang: str) -> list[dict]:
    known = [edition.sources[one] for one in cites if one in edition.sources]
    return [
        {
            "short": told(source["short"], lang),
            "name": told(source["name"], lang),
            "link": source["link"],
            "where": told(source.get("where", {}), lang),
        }
        for source in known
    ]
