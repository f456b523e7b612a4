"""A firm of any size for measuring its pages: people, lines, records, findings and standings, written in bulk.

Nothing here went through the services, so it proves nothing about a person: it is as many rows, spread as a firm has
them. One head, divisions of 5 000, desks of 100; twelve months of records each; two findings to a person, one in six
open; three changes of standing.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.utils import timezone

from archive import calendars
from archive.metrics import Metrics
from archive.models import Finding, Record
from archive.services import bulk
from portal.people.models import Department, Employee, Office, ReportingLine, opaque_id
from portal.standing import remedies, rules
from portal.standing.models import RemedyTask, Standing, StandingChange
from training.models import Assignment, Completion, Course

DIVISION, DESK = 5_000, 100
MONTHS, FINDINGS_EACH, OPEN_ONE_IN, CHANGES_EACH = 12, 2, 6, 3
FIRST_SEQ = 10**9  # of the changes, which have no Entries: far from those that the ledger gives
TRAINING = ["current"] * 16 + ["due_soon"] * 2 + ["overdue", "expired"]
ARCHIVE = ["clean"] * 12 + ["no_data"] * 4 + ["attention"] * 3 + ["breach"]


def fill(people: int, course: Course, today: date) -> None:
    """Make the firm. The course is published, and nobody is there yet."""
    chance = random.Random("volume")  # noqa: S311 - invented, not secret
    hire(people)
    pks = list(Employee.objects.filter(employee_no__isnull=False).order_by("pk").values_list("pk", flat=True))
    above = line_up(pks)
    bulk.insert(Record, _RECORD, _records(pks, today, chance))
    bulk.insert(Finding, _FINDING, _findings(pks, today, chance))
    bulk.insert(RemedyTask, ("uid", "finding", "employee", "lesson", "assigned_at", "answers"), _tasks())
    _trained(pks, course, today, chance)
    _standings(pks, above, today, chance)


def line_up(pks: list[int]) -> dict[int, int | None]:
    """Put everybody under somebody, and return {person: manager}."""
    above = _above(pks)
    Employee.objects.bulk_update(
        [Employee(pk=who, manager_id=manager) for who, manager in above.items() if manager], ["manager"], batch_size=500
    )
    bulk.insert(ReportingLine, ("manager", "report", "depth"), _lines(above))
    return above


def hire(people: int) -> None:
    """Make the offices, the desks and the people at them, without anything else."""
    offices = [
        Office.objects.create(code=f"office-{n}", name=f"Office {n}", time_zone="Asia/Shanghai", jurisdiction="CN")
        for n in range(8)
    ]
    _people(people, offices, [Department.objects.create(name=f"Desk {n}") for n in range(40)])


def _people(people: int, offices: list[Office], desks: list[Department]) -> None:
    columns = (
        "uid", "email", "employee_no", "wecom_userid", "name_en", "name_zh", "title", "title_zh", "language",
        "department", "office", "is_active", "is_staff", "is_superuser", "password", "created_at",
    )  # fmt: skip
    now = timezone.now()
    rows = (
        (
            opaque_id(), f"v{n}@example.com", f"V{n:06}", f"v{n}", f"Person {n:06}", "", "", "", "",
            desks[n // DESK % len(desks)].pk, offices[n // DIVISION % len(offices)].pk, True, False, False, "!", now,
        )
        for n in range(people)
    )  # fmt: skip
    bulk.insert(Employee, columns, rows)


def _above(pks: list[int]) -> dict[int, int | None]:
    """Return {person: manager}: the first of a desk leads it, the first of a division its desks, the first of all."""
    found: dict[int, int | None] = {}
    for n, pk in enumerate(pks):
        if n == 0:
            found[pk] = None
        elif n % DIVISION == 0:
            found[pk] = pks[0]
        elif n % DESK == 0:
            found[pk] = pks[n - n % DIVISION]
        else:
            found[pk] = pks[n - n % DESK]
    return found


def _lines(above: dict[int, int | None]) -> Iterator[tuple]:
    for who in above:
        depth, at = 1, above[who]
        while at is not None:
            yield at, who, depth
            depth, at = depth + 1, above[at]


_RECORD = (
    "employee", "month", "is_final", "version", "version_why", "sent", "received", "captured", "client_captured",
    "client_sent", "active_days", "unknown_contacts", "is_silent_seat", "metrics", "covered_to", "last_message_at",
    "policy_version", "entry_seq",
)  # fmt: skip


def _records(pks: list[int], today: date, chance: random.Random) -> Iterator[tuple]:
    metrics = Metrics().as_dict()
    first = calendars.months_on(calendars.month_of(today), 1 - MONTHS)
    for step in range(MONTHS):
        month = calendars.months_on(first, step)
        until, is_final = min(calendars.last_day(month), today), calendars.is_final(month, today)
        for pk in pks:
            sent = chance.randrange(0, 400)
            yield (
                pk, month, is_final, 1, "", sent, sent, 2 * sent, sent, sent // 2, 20, 0, chance.random() < 0.01,
                metrics, until, None, "1", 1,
            )  # fmt: skip


Kind = Finding.Kind
KINDS = (Kind.OFF_CHANNEL, Kind.RECALL_PATTERN, Kind.DELETION_REQUEST, Kind.SILENT_SEAT, Kind.BARRED_TALK)
_FINDING = (
    "uid", "kind", "key", "severity", "employee", "about_on", "opened_at", "due_on", "state", "facts",
    "policy_version", "is_self_reported", "closed_how", "closed_why", "closed_at",
)  # fmt: skip


def _findings(pks: list[int], today: date, chance: random.Random) -> Iterator[tuple]:
    for pk in pks:
        for n in range(FINDINGS_EACH):
            age = chance.randrange(1, 360)
            is_open = chance.randrange(OPEN_ONE_IN) == 0
            state = chance.choice(("new", "confirmed")) if is_open else "dismissed"
            opened = timezone.now() - timedelta(days=age)
            yield (
                opaque_id(), chance.choice(KINDS), f"volume:{pk}:{n}", chance.randrange(1, 4), pk,
                today - timedelta(age), opened, today - timedelta(age - 30), state, {}, "1", False, "", "",
                None if is_open else opened + timedelta(hours=9),
            )  # fmt: skip


def _tasks() -> list[tuple]:
    """The lessons that the open findings call for, each assigned when its finding was opened.

    A list: while rows are copied in, nothing else can be read over the connection.
    """
    called = remedies.table()
    lessons = remedies.lessons_of(called.values())
    kinds = {kind: lessons[name].pk for kind, name in called.items() if name in lessons}
    rows = Finding.objects.open().filter(kind__in=kinds).values_list("pk", "kind", "employee_id", "opened_at")
    return [(opaque_id(), pk, who, kinds[kind], opened_at, {}) for pk, kind, who, opened_at in rows]


def _trained(pks: list[int], course: Course, today: date, chance: random.Random) -> None:
    edition = course.current
    days = {pk: today - timedelta(chance.randrange(1, 400)) for pk in pks}
    cycle = (
        "employee", "course", "cycle", "edition", "assigned_on", "due_on", "grace_days", "because", "ended_on",
        "ended_why",
    )  # fmt: skip
    ended = (
        (pk, course.pk, 1, edition.pk, day, day + timedelta(30), 0, {}, day, "completed") for pk, day in days.items()
    )
    bulk.insert(Assignment, cycle, ended)
    assigned = dict(Assignment.objects.values_list("employee_id", "pk"))
    done = (
        "assignment", "employee", "edition", "origin", "origin_file", "completed_at", "expires_on", "percent",
        "study_seconds",
    )  # fmt: skip
    rows = (
        (assigned[pk], pk, edition.pk, "studied", "", timezone.now() - (today - day), day + timedelta(365), 90, 3000)
        for pk, day in days.items()
    )
    bulk.insert(Completion, done, rows)


_SAID = (
    "training_state", "archive_state", "may_message", "reasons", "is_on_staff", "manager", "department", "office",
    "policy_version",
)  # fmt: skip


def _standings(pks: list[int], above: dict[int, int | None], today: date, chance: random.Random) -> None:
    places = dict((pk, rest) for pk, *rest in Employee.objects.values_list("pk", "department_id", "office_id"))
    now, latest = timezone.now(), {}
    seq = FIRST_SEQ

    def changes() -> Iterator[tuple]:
        nonlocal seq
        for n in range(CHANGES_EACH, 0, -1):
            at = now - timedelta(days=100 * n)
            for pk in pks:
                seq += 1
                said = _said(chance, above[pk], *places[pk])
                latest[pk] = (said, at, seq)
                yield (pk, at, seq, *said)

    bulk.insert(StandingChange, ("employee", "at", "entry_seq", *_SAID), changes())
    bulk.insert(
        Standing,
        ("employee", "since", "entry_seq", "next_change_at", "lapses_on", *_SAID),
        (_now(pk, *latest[pk], today, chance) for pk in pks),
    )


def _now(pk: int, said: tuple, at: datetime, seq: int, today: date, chance: random.Random) -> tuple:
    is_trained = said[0] in rules.ROWS["current"] + rules.ROWS["due"]
    lapses = today + timedelta(chance.randrange(1, 365)) if is_trained else None
    return (pk, at, seq, at + timedelta(400), lapses, *said)


def _said(chance: random.Random, manager: int | None, department: int | None, office: int | None) -> tuple:
    training, archive = chance.choice(TRAINING), chance.choice(ARCHIVE)
    bars = training in ("overdue", "expired") or archive == "breach"
    reasons = [{"code": f"training_{training}", "is_bar": bars, "on": "2026-12-01"}]
    return training, archive, not bars, reasons, True, manager, department, office, "1"
