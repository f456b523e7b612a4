"""What was accepted in the question banks becomes the next Edition of a course; its lessons stay as they are."""

from dataclasses import dataclass
from typing import NamedTuple

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes.models import Bank, Question
from training import kept, publishing, review, supply
from training.models import Connection, Course, Edition, Module
from training.supply import Supply

TERMS = ("draw", "pass_percent", "tries_before_wait", "wait_minutes", "time_limit_minutes")


class NothingNew(ValueError):
    """The banks hold what the newest edition asks already."""


class ChangedMeanwhile(ValueError):
    """Something was accepted, withdrawn or connected since the difference was shown."""


class NotEnough(ValueError):
    """A quiz would be impossible; the page says which and why."""


class AlreadyConnected(ValueError):
    """The bank is connected with the module, under this tag."""


class Change(NamedTuple):
    """A question in another version than the newest edition asks. ``old`` or ``new`` None: it is new, or goes."""

    old: Question | None
    new: Question | None
    why: str = ""  # it goes: supply.WITHDRAWN, supply.UNTOLD, supply.SAME_NAME, or "" where no bank holds it any more


@dataclass
class ModuleDifference:
    """What the next edition would change in the quiz of a module."""

    module: Module
    supply: Supply
    changes: list[Change]
    is_drawn_otherwise: bool

    @property
    def fresh(self) -> list[Change]:
        return [change for change in self.changes if change.old is None]

    @property
    def changed(self) -> list[Change]:
        return [change for change in self.changes if change.old and change.new]

    @property
    def gone(self) -> list[Change]:
        return [change for change in self.changes if change.new is None]

    @property
    def flaws(self) -> list[str]:
        return self.supply.flaws(self.module.quiz.draw)

    @property
    def is_empty(self) -> bool:
        return not self.changes and not self.is_drawn_otherwise


@dataclass
class Difference:
    """What the next edition would change. ``print``: what stands on the page that somebody says yes to."""

    edition: Edition
    modules: list[ModuleDifference]
    print: str

    @property
    def is_empty(self) -> bool:
        return all(module.is_empty for module in self.modules)

    @property
    def is_possible(self) -> bool:
        return not any(module.flaws for module in self.modules)


def difference(course: Course) -> Difference:
    """Return what the next edition would ask, beside what the newest one asks. The same number of queries for any."""
    edition = course.editions.order_by("-number").first()
    asked = Prefetch("quiz__questions", Question.objects.select_related("bank"))
    modules = list(edition.modules.select_related("quiz").prefetch_related(asked))
    given = {module.slug: module.given for module in modules}
    blueprints = {module.slug: module.quiz.blueprint for module in modules}
    found = supply.supplies(course, given, blueprints, edition.languages)
    return Difference(edition, [_compared(module, found[module.slug]) for module in modules], supply.print_of(found))


def _compared(module: Module, given: Supply) -> ModuleDifference:
    old = {(q.bank_id, q.slug): q for q in module.quiz.questions.all()}
    new = {(q.bank_id, q.slug): q for q in given.questions}
    why = dict(given.left_out)
    changes = [
        Change(old.get(key), new.get(key), "" if key in new else why.get(key[1], ""))
        for key in sorted(old.keys() | new.keys(), key=lambda key: key[1])
        if old.get(key) != new.get(key)
    ]
    return ModuleDifference(module, given, changes, given.blueprint != module.quiz.blueprint)


@transaction.atomic
def publish_from_banks(*, course: Course, seen: str, by: Employee) -> Edition:
    """Publish what the banks hold as the next edition. ``seen``: the print of the difference that was shown.

    Whoever has begun the course goes on with the edition they began; attempts keep what they showed. Raises
    NothingNew, ChangedMeanwhile, NotEnough, review.Overdue. Lessons stay, so the change is a minor one.
    """
    course = Course.objects.select_for_update().get(pk=course.pk)
    wanted = difference(course)
    if wanted.print != seen:
        raise ChangedMeanwhile(course.slug)
    if wanted.is_empty:
        raise NothingNew(course.slug)
    if not wanted.is_possible:
        raise NotEnough(course.slug)
    old = wanted.edition
    if late := [str(one) for one in kept.overdue_lessons(timezone.localdate()) if one.module.edition_id == old.pk]:
        raise review.Overdue(late)
    about = {name: getattr(old, name) for name in publishing.EDITION_FIELDS} | {"change": Edition.Change.MINOR}
    found = {one.module.slug: one.supply for one in wanted.modules}
    edition = publishing.new_edition(course, old, about, found)
    for one in wanted.modules:
        _copy_module(edition, one, by)
    body = {"course": course.slug, "edition": edition.number, "fingerprint": edition.fingerprint}
    body |= {"questions_sha256": edition.questions_sha256, "change": edition.change, "from": "banks"}
    body |= {"changes": {one.module.slug: _listed(one) for one in wanted.modules if not one.is_empty}}
    ledger.append(verb="training.edition_published", actor=by.uid, subject="system:training", body=body)
    publishing.tell_who_knows_older(edition, old, by.uid)
    return edition


def _copy_module(edition: Edition, one: ModuleDifference, by: Employee) -> None:
    """Write a module of the older edition into this one, with its lessons and the quiz as it is to be."""
    module = one.module
    terms = {name: getattr(module.quiz, name) for name in TERMS}
    quiz = publishing.publish_quiz(edition, module.slug, module.title, one.supply, terms, by.uid)
    about = {name: getattr(module, name) for name in publishing.MODULE_FIELDS}
    row = Module.objects.create(edition=edition, quiz=quiz, given=module.given, **about)
    publishing.write_lessons(row, module.lessons.values(*publishing.LESSON_FIELDS))


def _listed(one: ModuleDifference) -> dict:
    return {
        "new": [str(change.new) for change in one.fresh],
        "changed": [f"{change.old} -> {change.new}" for change in one.changed],
        "gone": [str(change.old) for change in one.gone],
    }


@transaction.atomic
def connect(*, course: Course, module: str, bank: Bank, tag: str, questions: int, by: Employee) -> Connection:
    """Let a module's quiz ask what a bank holds, from the next edition on. Raises AlreadyConnected."""
    Course.objects.select_for_update().get(pk=course.pk)
    if course.connections.filter(module=module, bank=bank, tag=tag).exists():
        raise AlreadyConnected(f"{bank} for {module}")
    made = Connection.objects.create(
        course=course,
        module=module,
        bank=bank,
        tag=tag,
        questions=questions,
        connected_by=by,
        connected_at=timezone.now(),
    )
    _note("training.bank_connected", made, by)
    return made


@transaction.atomic
def disconnect(*, connection: Connection, by: Employee) -> None:
    """Ask no more of a bank, from the next edition on. The ledger keeps that it was connected."""
    Course.objects.select_for_update().get(pk=connection.course_id)
    _note("training.bank_disconnected", connection, by)
    connection.delete()


def _note(verb: str, connection: Connection, by: Employee) -> None:
    body = {"course": connection.course.slug, "module": connection.module, "bank": connection.bank.slug}
    body |= {"tag": connection.tag, "questions": connection.questions}
    ledger.append(verb=verb, actor=by.uid, subject="system:training", body=body)
