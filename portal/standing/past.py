"""Pages as at a past day: who stood where, by what the site knew then."""

from datetime import date, datetime, timedelta

from django.core.paginator import Paginator
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import calendars
from portal.people.models import Employee
from portal.standing import history, people_table, rules, services, words
from portal.standing.models import StandingChange

PAGE_SIZE = 50


def day_of(text: str, today: date) -> date | None:
    """Return the day that an address names, None where it names none before today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day < today else None


def why_not(text: str, today: date) -> str:
    """Return why an address names no past day, in words."""
    try:
        is_to_come = date.fromisoformat(text) > today
    except ValueError:
        return _("That is no day: this is how it stands today.")
    if is_to_come:
        return _("That day has not come yet: this is how it stands today.")
    return _("That is not a past day: this is how it stands today.")


def end_of(day: date) -> datetime:
    """Return the last moment of the day in the firm's zone."""
    return calendars.day_begins(day + timedelta(1), timezone.get_default_timezone()) - timedelta.resolution


def group_at(day: date, page: str | None, viewer: Employee, manager: Employee | None) -> dict:
    """Return what the page of a team as it was, or of the firm (no manager), shows.

    Who has moved away since is counted, but named only to who may still see them.
    """
    moment = end_of(day)
    past = history.team_at(manager, moment) if manager else history.firm_at(moment)
    rows = (
        history.at(moment)
        .filter(is_on_staff=True)
        .select_related("employee", "department", "office", "manager")
        .order_by("may_message", "employee__name_en", "employee")
    )
    if manager:
        named = Employee.objects.visible_to(viewer)
        rows = rows.filter(employee__pk__among=past.people, employee__in=named)
    page = Paginator(rows, PAGE_SIZE).get_page(page)
    return {
        "day": day,
        "past": past,
        "first": first_day(),
        "matrix": people_table.matrix(past.by_state, people_table.Filters()),
        "columns": [rules.ArchiveState(column) for column in rules.COLUMNS],
        "page": page,
        "unnamed": past.count - page.paginator.count,
    }


def person_at(employee: Employee, day: date) -> dict:
    """Return what the page of one person as at a day shows."""
    said = services.standing_at(employee=employee, moment=end_of(day))
    return {
        "day": day,
        "first": first_day(),
        "said": said,
        "sentences": [words.say(reason) for reason in said.reasons] if said else [],
        "person": employee,
    }


def first_day() -> date | None:
    """Return the day from which the past can be asked; None before the first standing."""
    first = StandingChange.objects.order_by("at").values_list("at", flat=True).first()
    return timezone.localdate(first) if first else None
