"""Which retention schedules count, and the Entry that says so when they change."""

from django.db import transaction

from archive import retention
from archive.retention import Schedules
from archive.services.holding import lock_sources
from portal.ledger import services as ledger
from portal.ledger.models import Entry

VERB = "archive.retention_changed"


def last_noted() -> dict | None:
    """Return what the newest Entry about the schedules says, None before the first."""
    entry = Entry.objects.filter(verb=VERB).order_by("-seq").first()
    return ledger.body_of(entry) if entry else None


@transaction.atomic
def note_schedules(*, by: str) -> Schedules:
    """Return the schedules that count; if they are not those noted last, an Entry says what they are now.

    Raises retention.BadSchedules.
    """
    now = retention.current()
    if not _is_noted(now):
        lock_sources()
        if not _is_noted(now):  # nobody was faster
            _note(now, by)
    return now


def _is_noted(now: Schedules) -> bool:
    before = last_noted()
    return before is not None and before["digest"] == now.digest


def _note(now: Schedules, by: str) -> None:
    before = last_noted()
    body = {
        "before": {"version": before["version"], "digest": before["digest"]} if before else None,
        "version": now.version,
        "digest": now.digest,
        "schedules": [
            {
                "id": one.id,
                "jurisdiction": one.jurisdiction,
                "years": one.years,
                "counts_from": one.counts_from,
                "rule": one.rule["en"],
                "cites": one.cites,
                "link": one.link,
            }
            for one in now.every
        ],
    }
    ledger.append(verb=VERB, actor=by, subject="system:archive", body=body)
