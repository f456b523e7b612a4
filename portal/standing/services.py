"""Keeps each Standing what training and the archive say it is. The roof pulls; nobody calls upward."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from archive import services as archive
from archive.models import Record
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people import calendars
from portal.people.models import Employee
from portal.standing import policy, remedies, rules
from portal.standing.models import Look, Standing, StandingChange
from training import rules as training_rules
from training import services as training

BATCH = 500  # people in one transaction
PIECE = 10_000  # people in one look whom nothing that has just happened names
_COLUMNS = [one.name for one in Standing._meta.concrete_fields if one.name not in ("id", "employee")]
SYSTEM = "system:standing"


def catch_up() -> int:
    """Bring every Standing up to date that something has happened to since the last look. Return how many changed.

    Looks at: people named by new Entries, people whose archive Record was computed anew, people for whom a date has
    come, and people without a Standing. Safe to run twice at once and to be killed: a Standing is compared under its
    lock and rewritten only where it differs, and the place in the ledger moves on when those whom it names are done.
    Of people who wait for another reason one look takes PIECE at most, after the others: everybody under a new policy
    does not keep an import waiting. The next look goes on with them.
    """
    look, _ = Look.objects.get_or_create(pk=1)
    head, now, today = ledger.head_seq(), timezone.now(), timezone.localdate()
    told = whom_the_log_names(after=look.seq, upto=head)
    changed = _in_batches(told, today)
    Look.objects.filter(pk=1, seq__lt=head).update(seq=head)
    changed += _in_batches(who_else_waits(now, most=PIECE), today)
    remedies.catch_up(now)
    return changed


def _in_batches(ids: list[int], today: date) -> int:
    batches = (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
    return sum(bring_up_to_date(employee_ids=batch, today=today) for batch in batches)


def whom_the_log_names(*, after: int, upto: int) -> list[int]:
    """Return ids of employees on HR's list whom Entries name, or whose Record was computed anew, in order."""
    new = Entry.objects.filter(seq__gt=after, seq__lte=upto)
    new = new.exclude(verb__startswith="standing.").exclude(verb__startswith="reminders.")
    told = new.exclude(subject__startswith="system:").values("subject")
    ids = set(_on_list().filter(uid__in=told).values_list("pk", flat=True))
    ids |= set(Record.objects.filter(entry_seq__gt=after, entry_seq__lte=upto).values_list("employee", flat=True))
    return sorted(ids)


def who_else_waits(now: datetime, *, most: int) -> list[int]:
    """Return ids of so many at most, in order: those for whom a moment has come, who have no Standing yet, or one
    under another policy.
    """
    waiting = (
        Standing.objects.filter(next_change_at__lte=now).order_by("next_change_at").values_list("employee", flat=True),
        _on_list().filter(standing=None).order_by("pk").values_list("pk", flat=True),
        Standing.objects.exclude(policy_version=policy.current().version).order_by().values_list("employee", flat=True),
    )
    ids: set[int] = set()
    for one in waiting:
        if left := most - len(ids):
            ids |= set(one[:left])
    return sorted(ids)


def _on_list() -> QuerySet[Employee]:
    return Employee.objects.filter(employee_no__isnull=False)


@transaction.atomic
def bring_up_to_date(*, employee_ids: Iterable[int], today: date) -> int:
    """Compute the Standings of these people and write those that differ, each with its Entry. Return how many.

    ``today`` is the firm's day, by which the archive counts; training counts by the day where each person works.
    """
    locked = Employee.objects.filter(pk__in=employee_ids).select_for_update(of=("self",)).order_by("pk")
    people = {one.pk: one for one in locked.select_related("office")}
    held = {s.employee_id: s for s in Standing.objects.filter(employee__in=people).select_for_update()}
    trained, kept, terms = training.facts_for(people), archive.facts_for(people), policy.current()
    now = timezone.now()
    found = {pk: _standing_of(one, trained[pk], kept[pk], today, now, terms) for pk, one in people.items()}
    archive.set_bars(barred={pk: not said["may_message"] for pk, (said, _ahead) in found.items()}, at=now)
    changes, touched = [], []
    for pk, (said, ahead) in found.items():
        standing = held.get(pk) or Standing(employee_id=pk)
        if _differs(standing, said):
            before = None if standing.pk is None else {name: getattr(standing, name) for name in said}
            changes.append((standing, before, said))
        elif not _differs(standing, ahead):
            continue
        for name, value in (said | ahead).items():
            setattr(standing, name, value)
        touched.append(standing)
    _note(changes, people, now)
    Standing.objects.bulk_create(touched, update_conflicts=True, unique_fields=["employee"], update_fields=_COLUMNS)
    return len(changes)


def _standing_of(
    employee: Employee,
    trained: training_rules.TrainingFacts,
    kept: "archive.ArchiveFacts",
    today: date,
    now: datetime,
    terms: policy.Policy,
) -> tuple[dict, dict]:
    """Return (what the standing says, when it will say something else by itself)."""
    local = calendars.local_day(employee, now)
    state = training_rules.training_state(trained, local)
    facts = rules.Facts(
        training=state,
        archive=kept.state,
        training_on=training_rules.turns_on(trained, local),
        archive_points=sum(reason.count or 1 for reason in kept.reasons),
        findings=kept.findings,
        office=employee.office.code if employee.office else None,
        is_on_staff=employee.is_active and not (employee.left_on and employee.left_on < today),
    )
    verdict = rules.verdict(facts, today, terms)
    said = {
        "training_state": state,
        "archive_state": kept.state,
        "may_message": verdict.may_message,
        "reasons": [reason.as_json() for reason in verdict.reasons],
        "is_on_staff": facts.is_on_staff,
        "manager_id": employee.manager_id,
        "department_id": employee.department_id,
        "office_id": employee.office_id,
        "policy_version": terms.version,
    }
    leaves = employee.left_on + timedelta(1) if employee.left_on and employee.left_on >= today else None
    theirs, firms = ZoneInfo(calendars.zone_name(employee)), timezone.get_default_timezone()
    turns = (
        (training_rules.next_change_on(trained, local), theirs),
        (kept.next_change_on, firms),
        (rules.next_change_on(facts, today, terms), firms),
        (leaves, firms),
    )
    moments = [calendars.day_begins(day, zone) for day, zone in turns if day is not None]
    ahead = {
        "next_change_at": min(moments, default=None),
        "lapses_on": training_rules.lapses_on(trained, local) if facts.is_on_staff else None,
    }
    return said, ahead


def _differs(standing: Standing, fields: dict) -> bool:
    return any(getattr(standing, name) != value for name, value in fields.items())


def _note(changes: list[tuple[Standing, dict | None, dict]], people: dict[int, Employee], now: datetime) -> None:
    """Write what became of these Standings, from what before: an Entry and a StandingChange each."""
    entries = ledger.append_all(
        [
            ledger.Telling(
                verb="standing.changed",
                actor=SYSTEM,
                subject=people[standing.employee_id].uid,
                body={"before": before, "after": said},
            )
            for standing, before, said in changes
        ]
    )
    for (standing, _before, _said), entry in zip(changes, entries, strict=True):
        standing.since, standing.entry_seq = now, entry.seq
    StandingChange.objects.bulk_create(
        [
            StandingChange(employee_id=standing.employee_id, at=now, entry_seq=standing.entry_seq, **said)
            for standing, _before, said in changes
        ]
    )


def standing_at(*, employee: Employee, moment: datetime) -> StandingChange | None:
    """Return what the person's standing was at that moment, None before the first. Never changes afterwards."""
    return StandingChange.objects.filter(employee=employee, at__lte=moment).order_by("-at", "-pk").first()
