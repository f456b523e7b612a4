"""What follows from a finding: the lesson that its kind calls for, assigned by itself, and whether it was taken."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import yaml
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from archive.models import Finding
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.standing.models import Remedy, RemedyTask
from training.lessons import title_of
from training.models import Edition, Lesson

PATH = Path(__file__).with_name("remedies.yaml")
SYSTEM = "system:standing"
BATCH = 500  # findings in one transaction
PIECE = 5_000  # findings in one look


@dataclass(frozen=True, order=True)
class Called:
    """A lesson by the names that stay the same from edition to edition."""

    course: str
    module: str
    lesson: str

    def __str__(self) -> str:
        return f"{self.course}/{self.module}/{self.lesson}"


class TooSoon(ValueError):
    """The lesson was opened so lately that nobody can have read it. ``seconds`` are left."""

    def __init__(self, seconds: int) -> None:
        super().__init__(str(seconds))
        self.seconds = seconds


@lru_cache(maxsize=1)
def shipped() -> dict[str, Called]:
    told = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return {kind: Called(*text.split("/")) for kind, text in told.items()}


def table() -> dict[str, Called | None]:
    """Return {kind of finding: the lesson it calls for}, as compliance has it; None: it calls for none."""
    chosen = {
        one.kind: Called(one.course, one.module, one.lesson) if one.lesson else None for one in Remedy.objects.all()
    }
    return {**dict.fromkeys(Finding.Kind.values), **shipped(), **chosen}


def _current_lessons() -> QuerySet[Lesson]:
    """Return the lessons of each course's newest edition."""
    newer = Edition.objects.filter(
        course=OuterRef("module__edition__course"), number__gt=OuterRef("module__edition__number")
    )
    return Lesson.objects.filter(~Exists(newer)).select_related("module__edition__course")


def _name_of(lesson: Lesson) -> Called:
    return Called(lesson.module.edition.course.slug, lesson.module.slug, lesson.slug)


def lessons_of(called: Iterable[Called | None]) -> dict[Called, Lesson]:
    """Return the lessons of these names in the editions that are current; those that no edition has are not in it."""
    wanted = {one for one in called if one}
    rows = _current_lessons().filter(slug__in={one.lesson for one in wanted})
    by_name = {_name_of(one): one for one in rows}
    return {name: by_name[name] for name in wanted if name in by_name}


@dataclass(frozen=True)
class Row:
    """One kind of finding on the page of remedies. ``is_there``: an edition that is current has the lesson."""

    kind: str
    label: str
    called: Called | None
    is_there: bool
    is_chosen: bool  # by compliance, rather than as it ships


def rows() -> list[Row]:
    """Return every kind of finding about people with the lesson it calls for. Constant queries."""
    called, chosen = table(), set(Remedy.objects.values_list("kind", flat=True))
    there = lessons_of(called.values())
    kinds = [kind for kind in Finding.Kind.values if kind in ABOUT_PEOPLE]
    return [
        Row(kind, str(Finding.Kind(kind).label), called[kind], called[kind] in there, kind in chosen) for kind in kinds
    ]


ABOUT_PEOPLE = frozenset(
    {
        "off_channel",
        "deletion_request",
        "recall_pattern",
        "consent_missing",
        "after_refusal",
        "unseated_client_talk",
        "barred_talk",
        "self_report",
        "silent_seat",
        "media_missing",
        "client_gift",
    }
)


def every_lesson() -> dict[Called, str]:
    """Return {name: title} of all lessons of the current editions, in their order."""
    ordered = _current_lessons().order_by("module__edition__course__slug", "module__position", "position")
    return {_name_of(one): title_of(one) for one in ordered}


@transaction.atomic
def choose_all(*, chosen: dict[str, Called | None], by: Employee) -> int:
    """Choose for several kinds at once. Return for how many another lesson was chosen than before."""
    before = table()
    changed = {kind: called for kind, called in chosen.items() if called != before[kind]}
    for kind in sorted(changed):
        choose(kind=kind, called=changed[kind], by=by)
    return len(changed)


@transaction.atomic
def choose(*, kind: str, called: Called | None, by: Employee) -> None:
    """Let findings of the kind call for this lesson from now on, or for none. What was assigned stays."""
    before = table()[kind]
    if before == called:
        return
    names = {"course": "", "module": "", "lesson": ""}
    if called:
        names = {"course": called.course, "module": called.module, "lesson": called.lesson}
    Remedy.objects.update_or_create(kind=kind, defaults={**names, "changed_by": by, "changed_at": timezone.now()})
    body = {"kind": kind, "before": str(before) if before else None, "after": str(called) if called else None}
    ledger.append(verb="standing.remedy_chosen", actor=by.uid, subject=SYSTEM, body=body)


def catch_up(now: datetime | None = None) -> int:
    """Assign what open findings call for and withdraw what settled ones had assigned. Return how many tasks changed.

    A look takes PIECE of each at most, the newest findings first; the next one goes on. Safe to run twice: a finding
    has one task at most.
    """
    now, changed = now or timezone.now(), 0
    called = table()
    lessons = lessons_of(called.values())
    kinds = [kind for kind, name in called.items() if name in lessons]
    waiting = Finding.objects.open().filter(kind__in=kinds, employee__isnull=False, remedy_task=None)
    for ids in _pieces(waiting):
        changed += _assign(ids, called, lessons, now)
    for ids in _pieces(RemedyTask.objects.open().exclude(finding__state__in=Finding.OPEN)):
        changed += _withdraw(ids, now)
    return changed


def _pieces(rows: QuerySet) -> Iterator[list[int]]:
    ids = list(rows.order_by("-pk").values_list("pk", flat=True)[:PIECE])
    yield from (sorted(ids[at : at + BATCH]) for at in range(0, len(ids), BATCH))


@transaction.atomic
def _assign(ids: list[int], called: dict[str, Called | None], lessons: dict[Called, Lesson], now: datetime) -> int:
    rows = Finding.objects.open().filter(pk__in=ids, remedy_task=None).select_for_update(of=("self",))
    findings = list(rows.select_related("employee").order_by("pk"))
    tasks = [
        RemedyTask(finding=one, employee=one.employee, lesson=lessons[called[one.kind]], assigned_at=now)
        for one in findings
    ]
    RemedyTask.objects.bulk_create(tasks)
    ledger.append_all([_told("standing.remedy_assigned", task, SYSTEM, {"lesson": task.lesson.slug}) for task in tasks])
    return len(tasks)


@transaction.atomic
def _withdraw(ids: list[int], now: datetime) -> int:
    rows = RemedyTask.objects.open().filter(pk__in=ids).select_for_update(of=("self",)).order_by("pk")
    tasks = list(rows.select_related("employee", "finding"))
    RemedyTask.objects.filter(pk__in=[task.pk for task in tasks]).update(withdrawn_at=now)
    ledger.append_all([_told("standing.remedy_withdrawn", task, SYSTEM, {}) for task in tasks])
    return len(tasks)


@transaction.atomic
def open_task(*, task: RemedyTask) -> RemedyTask:
    """Note when the person first opened the lesson; the server's clock counts from then."""
    now = timezone.now()
    if RemedyTask.objects.filter(pk=task.pk, opened_at=None).update(opened_at=now):
        task.opened_at = now
    return task


@transaction.atomic
def keep_answer(*, task: RemedyTask, name: str, answer) -> RemedyTask:
    """Keep the person's answer to a block of the lesson."""
    task = RemedyTask.objects.select_for_update(of=("self",)).get(pk=task.pk)
    task.answers[name] = answer
    task.save(update_fields=["answers"])
    return task


def seconds_left(task: RemedyTask, now: datetime) -> int:
    """Return how long it takes until the lesson can have been read: half of its minutes from opening it."""
    least = timedelta(minutes=task.lesson.minutes) / 2
    ready = (task.opened_at or now) + least
    return max(0, int((ready - now).total_seconds() + 0.999))


@transaction.atomic
def finish_task(*, task: RemedyTask, by: Employee) -> RemedyTask:
    """Write down that the person has read the lesson. Again changes nothing. Raises TooSoon."""
    rows = RemedyTask.objects.select_for_update(of=("self",)).select_related("lesson", "employee", "finding")
    task = rows.get(pk=task.pk)
    if task.done_at is not None or task.withdrawn_at is not None:
        return task
    now = timezone.now()
    if left := seconds_left(task, now):
        raise TooSoon(left)
    task.done_at = now
    task.save(update_fields=["done_at"])
    seconds = int((now - task.opened_at).total_seconds())
    body = {"lesson": task.lesson.slug, "seconds_since_opened": seconds}
    ledger.append_all([_told("standing.remedy_done", task, by.uid, body)])
    return task


def is_remedied(finding: Finding) -> bool:
    """Return whether the lesson that the finding called for was taken, or it calls for none."""
    task = RemedyTask.objects.filter(finding=finding).first()
    if task is not None:
        return task.done_at is not None
    called = table()[finding.kind]
    return called is None or called not in lessons_of([called])


def _told(verb: str, task: RemedyTask, actor: str, body: dict) -> ledger.Telling:
    finding = {"finding": task.finding.uid, "kind": task.finding.kind, "task": task.uid}
    return ledger.Telling(verb=verb, actor=actor, subject=task.employee.uid, body={**finding, **body})
