"""What the Entries of the evidence log say that completions, certificates and the rest of a person's record must be."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from portal.ledger.rows import Key, Near, Record, Told

COMPLETED, IMPORTED = "training.completed", "training.completion_imported"
PASSED = "training.module_passed"
EXEMPTED = "training.exempted"
POLICY_SIGNED = "training.policy_signed"
ISSUED, SIGNED = "training.certificate_issued", "training.certificate_signed"
REVOKED, REPLACED = "training.certificate_revoked", "training.certificate_replaced"

A_DAY = timedelta(days=1)  # a row is written in the same moment as its Entry, give or take a wait for a lock
ZONES = timedelta(hours=14)  # noon somewhere on a day is within so much of noon in Greenwich


def completions(told: Sequence[Told]) -> dict[Key, Record]:
    """Return {(course, cycle): what the completion must be}."""
    found: dict[Key, Record] = {}
    for one in told:
        record = found.setdefault((one.said["course"], str(one.said["cycle"])), Record(one.seq))
        record.tell(one.seq, **_of(one, "edition", "expires_on", "percent"))
        if one.verb == COMPLETED:
            record.tell(one.seq, **_of(one, "completed_at", "study_seconds"), origin="studied", file="")
        else:
            record.tell(
                one.seq, completed_at=_noon(one.said), study_seconds=0, origin="imported", file=one.said["file"]
            )
    return found


def _noon(said: dict) -> object:
    """Return when something from a file counts as completed. Older Entries tell the day alone, not where."""
    if "completed_at" in said:
        return said["completed_at"]
    return OnDay(datetime.combine(date.fromisoformat(said["completed_on"]), time(12), UTC), ZONES)


class OnDay(Near):
    """A moment as the log writes it, near another one."""

    def fits(self, found: str) -> bool:
        return super().fits(datetime.fromisoformat(found))


def modules(told: Sequence[Told]) -> dict[Key, Record]:
    """Return {(course, cycle, module): what its result must be}."""
    found: dict[Key, Record] = {}
    for one in told:
        key = (one.said["course"], str(one.said["cycle"]), one.said["module"])
        found.setdefault(key, Record(one.seq)).tell(one.seq, **_of(one, "percent", "attempt"))
    return found


def exemptions(told: Sequence[Told]) -> dict[Key, Record]:
    """Return {exemption_key(): what it must be}."""
    found, seen = {}, Counter()
    for one in told:
        key = exemption_key(one.said["course"], one.said["starts_on"], one.said["ends_on"], seen)
        found[key] = Record(one.seq)
        found[key].tell(one.seq, **_of(one, "reason", "approved_by"))
    return found


def exemption_key(course: str, starts_on: str, ends_on: str, seen: Counter) -> Key:
    """Return what tells one exemption from another; ``seen`` counts those of the same days."""
    key = (course, starts_on, ends_on)
    seen[key] += 1
    return key if seen[key] == 1 else (*key, str(seen[key]))


def signatures(told: Sequence[Told]) -> dict[Key, Record]:
    """Return {(policy, version, period): what the signature under it must be}."""
    found: dict[Key, Record] = {}
    for one in told:
        key = (one.said["policy"], str(one.said["version"]), one.said.get("period", ""))
        record = found[key] = Record(one.seq)
        record.tell(one.seq, **_of(one, "fingerprint", "language", "proved_at", "proved_how", "shown"))
        record.tell(one.seq, entry=one.seq, signed_at=Near(one.at, A_DAY))
    return found


def certificates(told: Sequence[Told]) -> dict[Key, Record]:
    """Return {(serial,): what it must be}. Entries from before there was evidence, or a kind of reason, tell less."""
    found: dict[Key, Record] = {}
    for one in told:
        record = found.setdefault((one.said["serial"],), Record(one.seq))
        match one.verb:
            case "training.certificate_issued":
                record.tell(one.seq, **_of(one, "facts", "evidence"), issued_at=Near(one.at, A_DAY))
                record.tell(one.seq, revoked_why="", revoked_at=None, revoked_for="", replaced_by="", replaced_for="")
                record.tell(one.seq, key="")
            case "training.certificate_signed":
                record.tell(one.seq, **_of(one, "sha256", "key"))
            case "training.certificate_revoked":
                record.tell(one.seq, revoked_why=one.said["reason"], revoked_at=Near(one.at, A_DAY))
                record.tell(one.seq, revoked_for=one.said.get("kind", ""))
            case "training.certificate_replaced":
                record.tell(one.seq, replaced_by=one.said["replaced_by"], replaced_for=one.said.get("kind", ""))
    return found


def _of(one: Told, *names: str) -> dict[str, Any]:
    return {name: one.said[name] for name in names if name in one.said}
