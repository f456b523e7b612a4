"""How the machinery stands, for the operator's page and for monitoring. The number of queries is fixed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.utils import timezone

from archive.models import Source
from portal import engines
from portal.jobs.models import Job
from portal.ledger import overview, sealing
from portal.ledger.appending import head_seq
from portal.ledger.models import Delivery, Entry, Seal
from portal.operations import pulse
from training.models import Assignment

TICK_LATE = timedelta(minutes=5)
BACKUP_LATE = timedelta(days=2)
SHOWN = 50  # jobs on the page
OPEN = (Job.State.WAITING, Job.State.RUNNING, Job.State.STOPPED, Job.State.FAILED)


@dataclass(frozen=True)
class Queue:
    """``oldest``: since when the one has been due that waits longest; None if none is."""

    name: str
    waiting: int
    running: int
    failed: int
    oldest: datetime | None


@dataclass(frozen=True)
class Look:
    at: datetime
    last_tick: datetime | None
    last_backup: datetime | None
    seal: Seal | None
    unsealed: int
    undelivered: int
    ledger: str  # overview.health()
    seals: str  # overview.sealing_health()
    queues: list[Queue]
    overdue: int  # assignments
    heard: dict[str, datetime | None]  # when each source in use was last pulled

    @property
    def is_ticking(self) -> bool:
        return self.last_tick is not None and self.at - self.last_tick < TICK_LATE

    @property
    def is_backed_up(self) -> bool:
        return self.last_backup is not None and self.at - self.last_backup < BACKUP_LATE


def look(now: datetime | None = None) -> Look:
    now = now or timezone.now()
    seal, head = sealing.newest(), head_seq()
    backup = Entry.objects.filter(verb="operations.backed_up").order_by("-seq").values_list("at", flat=True).first()
    today = timezone.localdate(now)
    sources = Source.objects.order_by("name")
    return Look(
        at=now,
        last_tick=pulse.last_tick(),
        last_backup=backup,
        seal=seal,
        unsealed=head - (seal.size if seal else 0),
        undelivered=Delivery.objects.filter(delivered_at=None).count(),
        ledger=overview.health(),
        seals=overview.sealing_health(),
        queues=queues(now),
        overdue=Assignment.objects.open().filter(due_on__lt=today).count(),
        heard={one.name: one.last_pull_at for one in sources if not one.is_retired(today)},
    )


def queues(now: datetime) -> list[Queue]:
    """Return what waits, runs and has failed, by the queue that its workers listen at. Two queries."""
    rows = Job.objects.filter(state__in=OPEN).values("kind", "state").annotate(n=Count("pk"))
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = engines.ROUTES.get(row["kind"], engines.QUICK), row["state"]
        counts[key] = counts.get(key, 0) + row["n"]
    due = Job.objects.filter(state=Job.State.WAITING, due_at__lte=now).values("kind").annotate(since=Min("due_at"))
    oldest: dict[str, datetime] = {}
    for row in due:
        name = engines.ROUTES.get(row["kind"], engines.QUICK)
        oldest[name] = min(row["since"], oldest.get(name, row["since"]))
    return [
        Queue(
            name,
            counts.get((name, Job.State.WAITING), 0),
            counts.get((name, Job.State.RUNNING), 0),
            counts.get((name, Job.State.FAILED), 0),
            oldest.get(name),
        )
        for name in (engines.QUICK, engines.IMPORTS, engines.CERTIFICATES, engines.MAIL)
    ]


def failed() -> list[Job]:
    """Return the jobs that were given up, the newest first."""
    return list(Job.objects.filter(state=Job.State.FAILED).order_by("-ended_at")[:SHOWN])


# --- may this process be asked? -----------------------------------------------------------------------------------

_migrated = False  # once it is so, it stays so for the life of the process


def what_is_missing() -> list[str]:
    """Return what keeps this process from serving pages: database, migrations, cache. Nothing: it is ready."""
    global _migrated
    missing = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not _migrated:
            missing.append("migrations")
    except DatabaseError:
        missing.append("database")
    try:
        cache.set("operations:ready", 1, 60)
        if cache.get("operations:ready") != 1:
            missing.append("cache")
    except Exception:  # whatever an engine raises when it is away
        missing.append("cache")
    return missing
