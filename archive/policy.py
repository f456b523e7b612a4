"""The firm's thresholds, as data with a version."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import yaml

from archive import calendars

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
    default_agree_counts: bool
    work_hours: tuple[int, int]
    silent_least_hours: int
    silent_times: int
    silent_percentile: int
    silent_look_back_days: int
    no_pull_hours: tuple[int, int, int]
    text_days: int
    findings: dict[str, FindingPolicy]

    def due_on(self, kind: str, opened_on: date, jurisdiction: str) -> date:
        """Return the last day on which a finding of this kind is still in time."""
        terms = self.findings[kind]
        if terms.calendar_days:
            return opened_on + timedelta(days=terms.due)
        return calendars.after_working_days(opened_on, terms.due, jurisdiction)


@lru_cache(maxsize=1)
def current() -> Policy:
    data = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    findings = {kind: FindingPolicy(**terms) for kind, terms in data.pop("findings").items()}
    lists = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    return Policy(**{**data, **lists}, findings=findings)
