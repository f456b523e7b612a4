"""What the pages of keeping show, ready to read: schedules with their citations, and what a disposal's preview says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from archive import policy, retention
from archive.models import Disposal, Finding, Hold
from archive.services.integrity import VERIFY, LastLook, last_look
from portal.jobs.models import Job
from portal.people.models import Employee, Office
from portal.people.rules import in_language

# Why messages stay, in the order in which a page tells it: a code of disposing.why_kept and the words for it.
KEPT = {
    "period": _("Their period is not over"),
    "under_hold": _("Their period is over, a hold keeps them"),
    "under_review": _("Their period is over, an open finding is about them"),
    "no_schedule": _("An employee took part of whose jurisdiction no period is known"),
    "no_employee": _("No employee took part, or a handle was not matched"),
    "no_date": _("They have no believable date"),
}


@dataclass(frozen=True)
class ScheduleRow:
    jurisdiction: str
    rule: str
    what: str
    years: int
    from_fiscal_year: bool
    link: str
    checked: date

    @property
    def database(self) -> str:
        """The host, where the link leads to the start of a collection of laws and not to the text; else empty."""
        found = urlsplit(self.link)
        return "" if found.path.strip("/") else found.hostname or ""


@dataclass(frozen=True)
class SchedulesTold:
    """The schedules that count, in the page's language. ``problems``: why they cannot be used, then there are none."""

    version: str = ""
    is_own: bool = False
    rows: tuple[ScheduleRow, ...] = ()
    without: tuple[str, ...] = ()  # jurisdictions of which no period is known
    problems: tuple[str, ...] = ()


def schedules_told() -> SchedulesTold:
    try:
        found = retention.current()
    except retention.BadSchedules as error:
        return SchedulesTold(problems=tuple(error.problems))
    places = dict(Office.Jurisdiction.choices)
    order = list(places)
    rows = [
        ScheduleRow(
            jurisdiction=places[one.jurisdiction],
            rule=_told(one.rule),
            what=_told(one.what),
            years=one.years,
            from_fiscal_year=one.counts_from == "fiscal_year",
            link=one.link,
            checked=one.checked,
        )
        for one in sorted(found.every, key=lambda one: (order.index(one.jurisdiction), -one.years))
    ]
    without = tuple(name for place, name in places.items() if place not in found.by_jurisdiction)
    return SchedulesTold(found.version, retention.path() != retention.PATH, tuple(rows), without)


@dataclass(frozen=True)
class PeriodTold:
    """How long one person's messages are kept by the rules of where they work now. ``years`` 0: without end."""

    jurisdiction: str = ""
    rule: str = ""
    years: int = 0
    from_fiscal_year: bool = False
    text_days: int = 0


def period_told(employee: Employee, today: date) -> PeriodTold:
    """Return it in the page's language. The longest period of the jurisdiction counts. At most one query."""
    office, text_days = employee.office, policy.current().text_days
    place = Office.Jurisdiction(office.jurisdiction).label if office else ""
    try:
        verdict = retention.current().verdict(today, {office.jurisdiction if office else None})
    except retention.BadSchedules:
        verdict = None
    if verdict is None or verdict.schedule is None:
        return PeriodTold(jurisdiction=place, text_days=text_days)
    one = verdict.schedule
    return PeriodTold(place, _told(one.rule), one.years, one.counts_from == "fiscal_year", text_days)


def _told(texts: Mapping[str, str]) -> str:
    return in_language(get_language(), texts["en"], texts["zh"])


@dataclass(frozen=True)
class Going:
    """What would go under one rule. ``months`` are (month as 2019-05, messages), the oldest first."""

    rule: str
    jurisdiction: str
    count: int
    months: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class PreviewTold:
    looked_at: int
    lines: int
    count: int
    going: tuple[Going, ...]
    kept: tuple[tuple[str, int], ...]  # (words, messages)
    holds: tuple[tuple[Hold, int], ...]


def preview_told(disposal: Disposal) -> PreviewTold:
    """Return a preview in the page's language. One query, for the holds."""
    told, places = disposal.preview, dict(Office.Jurisdiction.choices)
    try:
        schedules = retention.current().by_id()
    except retention.BadSchedules:
        schedules = {}
    going = []
    for name, months in told.get("going", {}).items():
        rule = schedules.get(name)  # none: the schedules have changed since
        going.append(
            Going(
                rule=_told(rule.rule) if rule else name,
                jurisdiction=places[rule.jurisdiction] if rule else "",
                count=sum(months.values()),
                months=tuple(sorted(months.items())),
            )
        )
    kept, holds = told.get("kept", {}), told.get("holds", {})
    rows = Hold.objects.filter(uid__in=holds).order_by("name")
    return PreviewTold(
        looked_at=told.get("looked_at", 0),
        lines=told.get("lines", 0),
        count=sum(one.count for one in going),
        going=tuple(sorted(going, key=lambda one: -one.count)),
        kept=tuple((words, kept[why]) for why, words in KEPT.items() if why in kept),
        holds=tuple((one, holds[one.uid]) for one in rows),
    )


@dataclass(frozen=True)
class Verification:
    """The newest look that came to its end, whether a later nightly one was given up, and what is still open of any."""

    look: LastLook | None
    is_given_up: bool
    open_findings: int


def verification() -> Verification:
    look = last_look()
    job = Job.objects.filter(kind=VERIFY).order_by("-created_at", "-pk").first()
    is_given_up = job is not None and job.state == Job.State.FAILED and (look is None or look.at < job.created_at)
    open_findings = Finding.objects.open().filter(kind=Finding.Kind.INTEGRITY).count()
    return Verification(look, is_given_up, open_findings)
