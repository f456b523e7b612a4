"""A course that was read becomes an Edition. All or nothing, and nothing at all for files that did not change."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from quizzes import services as quizzes
from quizzes.models import Question, Quiz
from training import assignments, deltas, review, supply
from training.loading import CourseText, ModuleText
from training.models import Course, Edition, Lesson, Module
from training.supply import Supply

# Of an Edition, and of a Module: what the next edition takes over where only questions have changed.
EDITION_FIELDS = ("fingerprint", "languages", "title", "summary", "pass_percent", "renewal_months", "sources")
MODULE_FIELDS = ("slug", "position", "title", "summary", "objectives")
LESSON_FIELDS = ("slug", "position", "minutes", "title", "body", "kept", "cites")


class NothingMaterial(ValueError):
    """A material change was declared, and no lesson and no question is another: nobody would have anything to do."""


@transaction.atomic
def publish(*, course: CourseText, by: str, change: str = Edition.Change.MINOR) -> tuple[Edition, bool]:
    """Return the newest edition of the course and whether it was published now.

    Files that are those of the newest edition publish nothing. Going back to older files is a change like any other.
    What was accepted in the browser since stays, where the files say the same as before: see supply. Raises
    quizzes.services.BadQuestion where too few questions are left.
    ``change``: minor disturbs nobody who knows the edition before it; material asks them for what changed, by the
    rules. Raises NothingMaterial where no lesson and no question changed. Raises review.Overdue: what nobody has looked
    at in time is not published anew; a course that has no edition yet is.
    """
    Course.objects.get_or_create(slug=course.slug)
    row = Course.objects.select_for_update().get(slug=course.slug)
    newest = row.current
    if newest and newest.fingerprint == course.fingerprint:
        return newest, False
    late = review.overdue(course, timezone.localdate())
    if newest and late:
        raise review.Overdue(late)
    given = _given(course, newest, by)
    blueprints = {module.slug: module.blueprint for module in course.modules}
    found = supply.supplies(row, given, blueprints, course.languages)
    about = {name: getattr(course, name) for name in EDITION_FIELDS}
    about["change"] = change if newest else Edition.Change.MATERIAL
    edition = new_edition(row, newest, about, found)
    for position, module in enumerate(course.modules, start=1):
        terms = course.quiz | {"pass_percent": course.pass_percent}
        quiz = publish_quiz(edition, module.slug, module.title, found[module.slug], terms, by)
        _publish_module(edition, module, position, quiz, given[module.slug])
    _record(edition, course, found, by)
    tell_who_knows_older(edition, newest, by)
    return edition, True


def tell_who_knows_older(edition: Edition, before: Edition | None, by: str) -> None:
    """Make what is asked of who knows an older edition; have the rules ask it where the change is a material one.

    Raises NothingMaterial.
    """
    if before and edition.change == Edition.Change.MATERIAL:
        if not deltas.changes(before, edition):
            raise NothingMaterial(edition.course.slug)
        assignments.material_change(edition=edition, since=timezone.localdate(), by=by)
        assignments.start_run(key=f"edition-{edition.pk}")
    else:
        deltas.prepare(edition, by=by)


def _given(course: CourseText, newest: Edition | None, by: str) -> dict[str, dict[str, list]]:
    """Bring the modules' own banks up to date, and return what the files say of each question."""
    before = dict(newest.modules.values_list("slug", "given")) if newest else {}
    given = {}
    for module in course.modules:
        slug = supply.own_bank(course.slug, module.slug)
        rows = quizzes.publish_bank(slug=slug, title=module.title, questions=module.questions, by=by)
        versions = Question.objects.filter(bank__slug=slug).order_by("version").values_list("slug", "version")
        given[module.slug] = supply.given_by_files(rows, before.get(module.slug, {}), dict(versions))
    return given


def new_edition(course: Course, newest: Edition | None, about: Mapping, found: Mapping[str, Supply]) -> Edition:
    return Edition.objects.create(
        course=course,
        number=newest.number + 1 if newest else 1,
        questions_sha256=supply.print_of(found),
        published_at=timezone.now(),
        **about,
    )


def publish_quiz(
    edition: Edition, module: str, title: Mapping[str, str], given: Supply, terms: Mapping[str, int | None], by: str
) -> Quiz:
    """Publish the quiz of a module. ``terms``: draw, pass_percent, tries_before_wait, … as quizzes takes them."""
    return quizzes.publish_quiz(
        slug=f"{edition.course.slug}_{edition.number}_{module}",
        title=title,
        questions=given.questions,
        blueprint=given.blueprint,
        by=by,
        **terms,
    )


def _publish_module(edition: Edition, module: ModuleText, position: int, quiz: Quiz, given: Mapping) -> None:
    about = {name: getattr(module, name) for name in ("slug", "title", "summary", "objectives")}
    row = Module.objects.create(edition=edition, position=position, quiz=quiz, given=given, **about)
    told = ("slug", "minutes", "title", "body", "kept", "cites")
    write_lessons(row, [{name: getattr(lesson, name) for name in told} for lesson in module.lessons])


def write_lessons(module: Module, lessons: Sequence[Mapping]) -> None:
    Lesson.objects.bulk_create(
        Lesson(module=module, **({"position": number} | dict(lesson))) for number, lesson in enumerate(lessons, start=1)
    )


def _record(edition: Edition, course: CourseText, found: Mapping[str, Supply], by: str) -> None:
    body = {
        "course": course.slug,
        "edition": edition.number,
        "fingerprint": edition.fingerprint,
        "questions_sha256": edition.questions_sha256,
        "languages": edition.languages,
        "change": edition.change,
        "modules": [module.slug for module in course.modules],
        "lessons": sum(len(module.lessons) for module in course.modules),
        "questions": sum(len(one.questions) for one in found.values()),
    }
    ledger.append(verb="training.edition_published", actor=by, subject="system:training", body=body)
