"""The firm's thresholds, as data with a version: those that ship, and over them a file of the firm's own."""

import hashlib
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings

from archive import calendars

PATH = Path(__file__).with_name("policy.yaml")


class BrokenPolicy(ValueError):
    """The file cannot be used; the message names it and says what to mend."""


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
    text_days: int
    findings: dict[str, FindingPolicy]
    digest: str = ""  # of all thresholds: two policies of one version are told apart

    def due_on(self, kind: str, opened_on: date, jurisdiction: str) -> date:
        """Return the last day on which a finding of this kind is still in time."""
        terms = self.findings[kind]
        if terms.calendar_days:
            return opened_on + timedelta(days=terms.due)
        return calendars.after_working_days(opened_on, terms.due, jurisdiction)


def load(firms: Path | None = None) -> Policy:
    """Return the policy that ships, with what the firm's own file says instead. Raises BrokenPolicy."""
    shipped = _read(PATH)
    if firms is None:
        return _build(shipped, PATH)
    told = _read(firms)
    if unknown := sorted(told.keys() - shipped.keys()):
        raise BrokenPolicy(f"{firms}: no such threshold: {', '.join(unknown)}. The names are those of {PATH.name}.")
    if str(told.get("version", shipped["version"])) == str(shipped["version"]):
        raise BrokenPolicy(
            f"{firms}: needs a version of its own, other than {shipped['version']!r}, the one that ships."
        )
    findings = told.pop("findings", None) or {}
    if unknown := sorted(findings.keys() - shipped["findings"].keys()):
        raise BrokenPolicy(f"{firms}: no such kind of finding: {', '.join(unknown)}.")
    return _build({**shipped, **told, "findings": {**shipped["findings"], **findings}}, firms)


def _read(path: Path) -> dict:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BrokenPolicy(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise BrokenPolicy(f"{path} holds no thresholds: write them as {PATH.name} does.")
    return data


def _build(data: dict, path: Path) -> Policy:
    digest = hashlib.sha256(yaml.safe_dump(data, sort_keys=True).encode()).hexdigest()
    try:
        findings = {kind: FindingPolicy(**terms) for kind, terms in data["findings"].items()}
    except TypeError as error:
        raise BrokenPolicy(f"{path}: a kind of finding takes severity, due and calendar_days: {error}") from error
    built = Policy(**{**data, "version": str(data["version"]), "findings": findings, "digest": digest})
    for place, value, wanted in [
        *((one.name, getattr(built, one.name), one.type) for one in fields(Policy) if one.type in (int, bool)),
        *((f"findings.{kind}.due", terms.due, int) for kind, terms in findings.items()),
        *((f"findings.{kind}.severity", terms.severity, int) for kind, terms in findings.items()),
    ]:
        if type(value) is not wanted or (wanted is int and value < 0):
            raise BrokenPolicy(f"{path}: {place} is {value!r}: it must be {_WORDS[wanted]}.")
    if wrong := sorted(kind for kind, terms in findings.items() if not 1 <= terms.severity <= 4):
        raise BrokenPolicy(f"{path}: the severity of {wrong[0]} must be 1 (low) to 4 (critical).")
    if built.firm_calendar not in (*calendars.COUNTRIES, "EU"):
        raise BrokenPolicy(f"{path}: firm_calendar is {built.firm_calendar!r}: use one of CN, HK, US, UK, EU, SG.")
    return built


_WORDS = {int: "a whole number, 0 or more", bool: "true or false"}


@lru_cache(maxsize=2)
def _loaded(firms: Path | None) -> Policy:
    return load(firms)


def current() -> Policy:
    """Return the policy in force. A change of the file takes effect when the site is started anew."""
    return _loaded(settings.ARCHIVE_POLICY_FILE)
