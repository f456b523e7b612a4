"""What the pages of this room show, in a number of queries that does not grow."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.people.models import Employee
from portal.reminders import rules, saying
from portal.reminders.escalating import Late
from portal.reminders.models import Bounce, Delivery, Preview, Round, TermsVersion
from portal.reminders.rules import Terms
from training.rules import told

DAYS = 7


@dataclass
class Day:
    """What became of a day's deliveries: {state: how many}."""

    on: date
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def cells(self) -> list[tuple[str, int]]:
        return [(state, self.counts.get(state, 0)) for state in Delivery.State.values]


def days_of(viewer: Employee, today: date) -> list[Day]:
    """Return the last days, today first, with what became of what went out. One query."""
    first = today - timedelta(days=DAYS - 1)
    rows = Delivery.objects.visible_to(viewer).filter(on__gte=first).order_by().values_list("on", "state")
    days: dict[date, Day] = {}
    for on, state, count in rows.annotate(Count("pk")):
        days.setdefault(on, Day(on)).counts[state] = count
    return sorted(days.values(), key=lambda day: day.on, reverse=True)


def rounds_of(today: date) -> list[Round]:
    """Return the rounds of today, and of yesterday where it still is. One query."""
    return list(Round.objects.filter(on__gte=today - timedelta(days=1)).select_related("job"))


def newest_preview() -> Preview | None:
    return Preview.objects.select_related("job", "asked_by").order_by("-pk").first()


def versions() -> list[tuple[TermsVersion, str]]:
    """Return the versions so far with who made each, the newest first. Two queries."""
    rows = list(TermsVersion.objects.all()[:20])
    names = {one.uid: one.name for one in Employee.objects.filter(uid__in=[row.made_by for row in rows])}
    return [(row, names.get(row.made_by, row.made_by)) for row in rows]


def example_of(terms: Terms) -> list[tuple[date, str]]:
    """Return the days on which somebody in Shanghai is reminded of what is due on a day, with who else is told."""
    due_on = date(2027, 3, 31)
    found = [(day, _("reminded")) for day in rules.moments(terms, due_on, "CN", after=2)]
    for level in range(1, terms.levels + 1):
        count = terms.escalate_after + (level - 1) * terms.escalate_again
        day = rules.after_working_days(due_on, count, "CN")
        found.append(
            (day, _("the manager is told") if level == 1 else _("manager %(n)s up the line is told") % {"n": level})
        )
    return sorted(found, key=lambda one: one[0])


def advice_on(bounce: Bounce) -> str:
    """Return what to do about a bounce, by the class of its status (RFC 3463)."""
    subject = bounce.status.split(".")[1] if bounce.status.count(".") == 2 else ""
    if bounce.employee.email != bounce.address:
        return _("HR’s list has another address by now. Nothing to do but to settle this.")
    if not bounce.is_lasting:
        return _("It did not arrive in time. Mail to this address goes on; if it comes back again, ask the person.")
    if subject == "1":
        return _("There is no such address. Correct it in HR’s list; then settle this.")
    if subject == "2":
        return _("The mailbox is full or closed. Ask the person by telephone; when it is open, settle this.")
    if subject == "7":
        return _("Their mail server refuses our mail. IT has to allow the portal as a sender; then settle this.")
    return _("The mail server refused it for good. Ask IT what its words mean; then settle this.")


@dataclass(frozen=True)
class LateLine:
    """Somebody who is late, in words."""

    person: Employee
    late: list[str]
    acted_by: str  # empty: nobody has done anything
    acted_on: date | None


def late_lines(page: Iterable[Late]) -> list[LateLine]:
    """Return the page's people in words. One query."""
    page = list(page)
    acted = Employee.objects.filter(pk__in={one.act.by for one in page if one.act})
    names = {one.pk: one.short_name for one in acted}
    language = get_language() or ""
    return [
        LateLine(
            person=one.employee,
            late=[
                f"{told(what.title, language)}: {saying.due_in_words(what.due_on, one.today)}" for what in one.owed
            ],
            acted_by=names.get(one.act.by, "") if one.act else "",
            acted_on=one.act.on if one.act else None,
        )
        for one in page
    ]  # fmt: skip
