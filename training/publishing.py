"""A course that was read becomes an Edition. All or nothing, and nothing at all for files that did not change."""

from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from quizzes import services as quizzes
from quizzes.models import Quiz
from training import review
from training.loading import CourseText, ModuleText
from training.models import Course, Edition, Lesson, Module


@transaction.atomic
def publish(*, course: CourseText, by: str, change: str = Edition.Change.MATERIAL) -> tuple[Edition, bool]:
    """Return the newest edition of the course and whether it was published now.

    Files that are those of the newest edition publish nothing. Going back to older files is a change like any other.
    ``change``: whether it is minor or material for who knows the edition before it. Raises review.Overdue: what nobody
    has looked at in time is not published anew; a course that has no edition yet is.
    """
    Course.objects.get_or_create(slug=course.slug)
    row = Course.objects.select_for_update().get(slug=course.slug)
    newest = row.current
    if newest and newest.fingerprint == course.fingerprint:
        return newest, False
    late = review.overdue(course, timezone.localdate())
    if newest and late:
        raise review.Overdue(late)
    edition = Edition.objects.create(
        course=row,
        number=newest.number + 1 if newest else 1,
        fingerprint=course.fingerprint,
        languages=course.languages,
        title=course.title,
        summary=course.summary,
        pass_percent=course.pass_percent,
        renewal_months=course.renewal_months,
        sources=course.sources,
        published_at=timezone.now(),
        change=change,
    )
    for position, module in enumerate(course.modules, start=1):
        _publish_module(edition, course, module, position, by)
    _record(edition, course, by)
    return edition, True


def _publish_module(edition: Edition, course: CourseText, module: ModuleText, position: int, by: str) -> None:
    row = Module.objects.create(
        edition=edition,
        slug=module.slug,
        position=position,
        title=module.title,
        summary=module.summary,
        objectives=module.objectives,
        quiz=_publish_quiz(edition, course, module, by),
    )
    Lesson.objects.bulk_create(
        Lesson(
            module=row,
            slug=lesson.slug,
            position=number,
            minutes=lesson.minutes,
            title=lesson.title,
            body=lesson.body,
            kept=lesson.kept,
            cites=lesson.cites,
        )
        for number, lesson in enumerate(module.lessons, start=1)
    )


def _publish_quiz(edition: Edition, course: CourseText, module: ModuleText, by: str) -> Quiz:
    # An underscore parts the names: it is in no slug, so no two modules of any courses share a bank.
    questions = quizzes.publish_bank(
        slug=f"{course.slug}_{module.slug}", title=module.title, questions=module.questions, by=by
    )
    return quizzes.publish_quiz(
        slug=f"{course.slug}_{edition.number}_{module.slug}",
        title=module.title,
        questions=questions,
        pass_percent=course.pass_percent,
        blueprint=module.blueprint,
        by=by,
        **course.quiz,
    )


def _record(edition: Edition, course: CourseText, by: str) -> None:
    body = {
        "course": course.slug,
        "edition": edition.number,
        "fingerprint": edition.fingerprint,
        "languages": edition.languages,
        "change": edition.change,
        "modules": [module.slug for module in course.modules],
        "lessons": sum(len(module.lessons) for module in course.modules),
        "questions": sum(len(module.questions) for module in course.modules),
    }
    ledger.append(verb="training.edition_published", actor=by, subject="system:training", body=body)
