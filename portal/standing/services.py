"""Keeps each Standing what training and the archive say it is. The roof pulls; nobody calls upward."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
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

BATCH = 200
SYSTEM = "system:standing"


def catch_up() -> int:
    """Bring every Standing up to date that something has happened to since the last look. Return how many changed.

    Looks at: people named by new Entries, people whose archive Record was computed anew, people for whom a date has
    come, and people without a Standing. Safe to run twice at once and to be killed: a Standing is compared under its
    lock and rewritten only where it differs, and the place in the ledger moves on when all are done.
    """
    look, _ = Look.objects.get_or_create(pk=1)
    head, today, changed = ledger.head_seq(), timezone.localdate(), 0
    ids = whom_to_look_at(after=look.seq, upto=head, now=timezone.now())
    for start in range(0, len(ids), BATCH):
        changed += bring_up_to_date(employee_ids=ids[start : start + BATCH], today=today)
    remedies.catch_up()
    Look.objects.filter(pk=1, seq__lt=head).update(seq=head)
    return changed


def whom_to_look_at(*, after: int, upto: int, now: datetime) -> list[int]:
    """Return ids of employees on HR's list whose Standing may have changed, in order."""
    new = Entry.objects.filter(seq__gt=after, seq__lte=upto)
    new = new.exclude(verb__startswith="standing.").exclude(verb__startswith="reminders.")
    told = new.exclude(subject__startswith="system:").values("subject")
    people = Employee.objects.filter(employee_no__isnull=False)
    ids = set(people.filter(uid__in=told).values_list("pk", flat=True))
    ids |= set(Record.objects.filter(entry_seq__gt=after, entry_seq__lte=upto).values_list("employee", flat=True))
    ids |= set(Standing.objects.filter(next_change_at__lte=now).values_list("employee", flat=True))
    ids |= set(people.filter(standing=None).values_list("pk", flat=True))
    ids |= set(Standing.objects.exclude(policy_version=policy.current().version).values_list("employee", flat=True))
    return sorted(ids)


@transaction.atomic
def bring_up_to_date(*, employee_ids: Iterable[int], today: date) -> int:
    """Compute the Standings of these people and write those that differ, each with its Entry. Return how many.

    ``today`` is the firm's day, by which the archive counts; training counts by the day where each person works.
    """
    locked = Employee.objects.filter(pk__in=employee_ids).select_for_update(of=("self",)).order_by("pk")
    people = {one.pk: one for one in locked.select_related("office")}
    held = {s.employee_id: s for s in Standing.objects.filter(employee__in=people).select_for_update()}
    trained, kept, terms = training.facts_for(people), archive.facts_for(people), policy.current()
    now, changed = timezone.now(), 0
    found = {pk: _standing_of(one, trained[pk], kept[pk], today, now, terms) for pk, one in people.items()}
    archive.set_bars(barred={pk: not said["may_message"] for pk, (said, _ahead) in found.items()}, at=now)
    for pk, employee in people.items():
        said, ahead = found[pk]
        standing = held.get(pk) or Standing(employee=employee)
        if _differs(standing, said):
            _change(standing, said, ahead, now)
            changed += 1
        elif _differs(standing, ahead):
            Standing.objects.filter(pk=standing.pk).update(**ahead)
    return changed


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


def _change(standing: Standing, said: dict, ahead: dict, now: datetime) -> None:
    before = None if standing.pk is None else {name: getattr(standing, name) for name in said}
    for name, value in (said | ahead).items():
        setattr(standing, name, value)
    entry = ledger.append(
        verb="standing.changed",
        actor=SYSTEM,
        subject=standing.employee.uid,
        body={"before": before, "after": said},
    )
    standing.since, standing.entry_seq = now, entry.seq
    standing.save()
    StandingChange.objects.create(employee=standing.employee, at=now, entry_seq=entry.seq, **said)


def standing_at(*, employee: Employee, moment: datetime) -> StandingChange | None:
    """Return what the person's standing was at that moment, None before the first. Never changes afterwards."""
    return StandingChange.objects.filter(employee=employee, at__lte=moment).order_by("-at", "-pk").first()
