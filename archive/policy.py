"""The firm's thresholds, as data with a version: those that ship, and over them a file of the firm's own."""

from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings

from archive import calendars
from portal import firmfiles
from portal.firmfiles import BrokenFile

PATH = Path(__file__).with_name("policy.yaml")


@dataclass(frozen=True)
class FindingPolicy:
    severity: int
    due: int
    calendar_days: bool = False


@dataclass(frozen=True)
class Policy:
    version: str
    firm_calendar: str
    own_words_weight: int
    addressed_weight: int
    recall_minutes: int
    recalls_least: int
    recall_percent: int
    consent_days: int
    silent_seat_days: int
    silence_days: int
    drop_percent: int
    drop_base: int
    late_percent: int
    seat_copy_days: int
    client_gifts_count: bool
    default_agree_counts: bool
    work_hours: tuple[int, int]
    silent_least_hours: int
    silent_times: int
    silent_percentile: int
    silent_look_back_days: int
    no_pull_hours: tuple[int, int, int]
    text_days: int
    sample_size: int
    findings: dict[str, FindingPolicy]
    digest: str = ""  # of all thresholds: two policies of one version are told apart

    def due_on(self, kind: str, opened_on: date, jurisdiction: str) -> date:
        """Return the last day on which a finding of this kind is still in time."""
        terms = self.findings[kind]
        if terms.calendar_days:
            return opened_on + timedelta(days=terms.due)
        return calendars.after_working_days(opened_on, terms.due, jurisdiction)


def load(firms: Path | None = None) -> Policy:
    """Return the policy that ships, with what the firm's own file says instead. Raises firmfiles.BrokenFile."""
    data, path = firmfiles.read(PATH, firms)
    try:
        findings = {kind: FindingPolicy(**terms) for kind, terms in data["findings"].items()}
    except TypeError as error:
        raise BrokenFile(f"{path}: a kind of finding takes severity, due and calendar_days: {error}") from error
    hours = {name: _rising(path, name, data[name], length, most) for name, (length, most) in HOURS.items()}
    fixed = {"version": str(data["version"]), "findings": findings, "digest": firmfiles.digest(data)}
    built = Policy(**{**data, **hours, **fixed})
    plain = {one.name: (getattr(built, one.name), one.type) for one in fields(Policy) if one.type in (int, bool)}
    terms = {f"findings.{kind}.{name}": (getattr(one, name), int) for kind, one in findings.items() for name in TERMS}
    firmfiles.check_types(path, plain | terms)
    if wrong := sorted(kind for kind, one in findings.items() if not 1 <= one.severity <= 4):
        raise BrokenFile(f"{path}: the severity of {wrong[0]} must be 1 (low) to 4 (critical).")
    if built.firm_calendar not in (*calendars.COUNTRIES, "EU"):
        raise BrokenFile(f"{path}: firm_calendar is {built.firm_calendar!r}: use one of CN, HK, US, UK, EU, SG.")
    return built


TERMS = ("severity", "due")
HOURS = {"work_hours": (2, 23), "no_pull_hours": (3, 24 * 366)}  # name -> how many numbers, and the largest allowed


def _rising(path: Path, name: str, value: object, length: int, most: int) -> tuple[int, ...]:
    """Return a list of hours, each later than the one before. Raises BrokenFile."""
    are_whole = isinstance(value, list) and len(value) == length and all(type(one) is int for one in value)
    if not are_whole or not value[0] >= 0 or value[-1] > most or any(a >= b for a, b in pairwise(value)):
        raise BrokenFile(f"{path}: {name} is {value!r}: it must be {length} whole numbers from 0 to {most} that rise.")
    return tuple(value)


@lru_cache(maxsize=2)
def _loaded(firms: Path | None) -> Policy:
    return load(firms)


def current() -> Policy:
    """Return the policy in force. A change of the file takes effect when the site is started anew."""
    return _loaded(settings.ARCHIVE_POLICY_FILE)
