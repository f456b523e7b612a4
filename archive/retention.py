"""How long a message is kept: schedules as data, decisions as plain functions of days and jurisdictions.

The longest schedule of all jurisdictions of the employees who took part counts. What no schedule speaks for is kept
for ever: a message in which no employee took part, one of a jurisdiction without a schedule, one without a believable
date. Disposing too late can be mended, disposing too early cannot; every choice here leans that way.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings

from portal.firmfiles import BrokenFile

PATH = Path(__file__).with_name("retention.yaml")
JURISDICTIONS = ("CN", "HK", "US", "UK", "EU", "SG")
BELIEVED = range(2000, 2100)  # a message said to be of another year is kept for ever
MOST_YEARS = 100
NO_EMPLOYEE, NO_SCHEDULE, NO_DATE = "no_employee", "no_schedule", "no_date"


class BadSchedules(BrokenFile):
    """The schedules cannot be used. ``problems`` says each with its place and what to do."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__("; ".join(f"{path}: {problem}" for problem in problems))
        self.path, self.problems = path, problems


def years_after(day: date, years: int) -> date:
    """Return the same day so many years later; 29 February becomes 1 March where there is none, never a day less."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def fiscal_year_end(day: date, ends: tuple[int, int]) -> date:
    """Return the last day of the fiscal year in which the day lies. ``ends`` is its (month, day)."""
    end = date(day.year, *ends)
    return end if day <= end else date(day.year + 1, *ends)


@dataclass(frozen=True)
class Schedule:
    """One rule's period. ``rule`` and ``what`` are in both languages; ``cites`` and ``link`` say where it stands."""

    id: str
    jurisdiction: str
    years: int
    rule: Mapping[str, str]
    what: Mapping[str, str]
    link: str
    checked: date
    cites: str = ""
    counts_from: str = "sent"
    fiscal_year_ends: tuple[int, int] = (12, 31)

    def kept_until(self, sent_on: date) -> date:
        """Return the last day on which a message of that day must be kept: it may go from the day after."""
        begins = fiscal_year_end(sent_on, self.fiscal_year_ends) if self.counts_from == "fiscal_year" else sent_on
        return years_after(begins, self.years)


@dataclass(frozen=True)
class Verdict:
    """Until when a message is kept, and by which schedule. ``until`` None: for ever, ``why`` says for want of what."""

    until: date | None
    schedule: Schedule | None = None
    why: str = ""

    def is_over(self, as_of: date) -> bool:
        return self.until is not None and self.until < as_of


@dataclass(frozen=True)
class Schedules:
    """All schedules of one version. ``digest`` is the SHA-256 of the file, so that a silent change shows."""

    version: str
    digest: str
    every: tuple[Schedule, ...]
    by_jurisdiction: Mapping[str, tuple[Schedule, ...]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, version: str, digest: str, every: Iterable[Schedule]) -> "Schedules":
        every = tuple(every)
        found: dict[str, tuple[Schedule, ...]] = {}
        for one in every:
            found[one.jurisdiction] = (*found.get(one.jurisdiction, ()), one)
        return cls(version, digest, every, found)

    def by_id(self) -> dict[str, Schedule]:
        return {one.id: one for one in self.every}

    def verdict(self, sent_on: date | None, jurisdictions: Iterable[str | None]) -> Verdict:
        """Return until when a message of that day is kept in which employees of these jurisdictions took part.

        A None among the jurisdictions is an employee of whom none is known. Of equal ends the schedule that stands
        first in the file is named.
        """
        if sent_on is None or sent_on.year not in BELIEVED:
            return Verdict(None, why=NO_DATE)
        places = set(jurisdictions)
        if not places:
            return Verdict(None, why=NO_EMPLOYEE)
        if not places <= self.by_jurisdiction.keys():
            return Verdict(None, why=NO_SCHEDULE)
        longest = max(
            (one for one in self.every if one.jurisdiction in places), key=lambda one: one.kept_until(sent_on)
        )
        return Verdict(longest.kept_until(sent_on), longest)

    def last_day_over(self, as_of: date, jurisdictions: Iterable[str]) -> date | None:
        """Return the latest day whose messages can be over on ``as_of`` in any of these jurisdictions; None: no day.

        A later day is kept longer, so the day is found by halving.
        """
        first = date(BELIEVED.start, 1, 1).toordinal()
        days = range(first, max(first, as_of.toordinal()))
        found = []
        for place in self.by_jurisdiction.keys() & set(jurisdictions):
            kept = bisect_left(days, True, key=lambda day, place=place: not self._is_over(day, place, as_of))
            if kept:
                found.append(date.fromordinal(days[kept - 1]))
        return max(found, default=None)

    def _is_over(self, day: int, place: str, as_of: date) -> bool:
        return self.verdict(date.fromordinal(day), {place}).is_over(as_of)


def path() -> Path:
    """Return the file whose schedules count: the firm's own, or the one that ships."""
    return settings.ARCHIVE_RETENTION_FILE or PATH


def current() -> Schedules:
    """Return the schedules that count now; a changed file counts at once. Raises BadSchedules."""
    where = path()
    try:
        state = where.stat()
    except OSError as error:
        raise BadSchedules(where, [f"cannot be read: {error.strerror}"]) from error
    return _read(where, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(where: Path, changed_ns: int, size: int) -> Schedules:
    try:
        raw = where.read_bytes()
    except OSError as error:
        raise BadSchedules(where, [f"cannot be read: {error.strerror}"]) from error
    return parse(raw, where)


def parse(raw: bytes, where: Path = PATH) -> Schedules:
    """Return the schedules that the file says. Raises BadSchedules with everything that is wrong with it."""
    try:
        told = yaml.safe_load(raw.decode("utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadSchedules(where, [f"is not YAML in UTF-8: {' '.join(str(error).split())}"]) from error
    if not isinstance(told, dict):
        raise BadSchedules(where, ["should hold version, fiscal_year_ends and schedules"])
    problems: list[str] = []
    version, ends = _version(told, problems), _fiscal_year(told, problems)
    problems += [f"{name}: no such setting" for name in sorted(map(str, told.keys() - _SETTINGS))]
    rows = told.get("schedules")
    if not isinstance(rows, list) or not rows:
        problems.append("schedules: at least one is needed")
        rows = []
    every = [one for number, row in enumerate(rows, start=1) if (one := _schedule(number, row, ends, problems))]
    ids = [one.id for one in every]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    problems += [f"schedule {one}: this id is there twice" for one in twice]
    if problems:
        raise BadSchedules(where, problems)
    return Schedules.of(version, hashlib.sha256(raw).hexdigest(), every)


_SETTINGS = {"version", "fiscal_year_ends", "schedules"}
_NEEDED = {"id", "jurisdiction", "years", "rule", "what", "link", "checked"}
_KNOWN = _NEEDED | {"cites", "counts_from"}


def _version(told: dict, problems: list[str]) -> str:
    version = told.get("version")
    if not isinstance(version, str) or not 0 < len(version) <= 20:
        problems.append('version: a text of at most 20 characters in quotes, such as "2026-11"')
    return str(version)


def _fiscal_year(told: dict, problems: list[str]) -> tuple[int, int]:
    ends = told.get("fiscal_year_ends", "12-31")
    try:
        day = date.fromisoformat(f"2001-{ends}")
    except ValueError:
        problems.append('fiscal_year_ends: month and day in quotes, such as "12-31" (for February "02-28")')
        return 12, 31
    return day.month, day.day


def _schedule(number: int, row: object, ends: tuple[int, int], problems: list[str]) -> Schedule | None:
    """Return one schedule, or None with its problems noted."""
    if not isinstance(row, dict):
        problems.append(f"schedule {number}: should be a list of names and values")
        return None
    name = f"schedule {row.get('id') or number}"
    wrong = [f"{name}: {key} is missing" for key in sorted(_NEEDED - row.keys())]
    wrong += [f"{name}: {key}: no such setting" for key in sorted(map(str, row.keys() - _KNOWN))]
    if not wrong:
        wrong = [f"{name}: {problem}" for problem in _wrong_values(row)]
    problems += wrong
    return None if wrong else Schedule(**row, fiscal_year_ends=ends)


def _wrong_values(row: dict) -> Iterable[str]:
    years, checked = row["years"], row["checked"]
    if not isinstance(row["id"], str) or not 0 < len(row["id"]) <= 60:
        yield "id: a text of at most 60 characters"
    if row["jurisdiction"] not in JURISDICTIONS:
        yield f"jurisdiction: one of {', '.join(JURISDICTIONS)}"
    if isinstance(years, bool) or not isinstance(years, int) or not 1 <= years <= MOST_YEARS:
        yield f"years: a whole number from 1 to {MOST_YEARS}"
    for key in ("rule", "what"):
        if not _is_in_both_languages(row[key]):
            yield f"{key}: a text in both languages, {{en: …, zh: …}}"
    if not isinstance(row["link"], str) or not row["link"].startswith(("https://", "http://")):
        yield "link: where the rule stands, beginning with https://"
    if not isinstance(row.get("cites", ""), str):
        yield "cites: a text"
    if row.get("counts_from", "sent") not in ("sent", "fiscal_year"):
        yield "counts_from: sent or fiscal_year"
    if not isinstance(checked, date):
        yield "checked: the day on which somebody read the rule, such as 2026-11-23"


def _is_in_both_languages(texts: object) -> bool:
    return (
        isinstance(texts, dict)
        and set(texts) == {"en", "zh"}
        and all(isinstance(one, str) and one.strip() for one in texts.values())
    )
