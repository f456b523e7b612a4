"""More time for one person: granted by another, ended by a date, each with its Entry."""

from datetime import date

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes.models import ExtraTime


class NotForOneself(PermissionError):
    """Nobody grants extra time to themselves."""


class AlreadyEnded(ValueError):
    """It ended before."""


@transaction.atomic
def grant_extra_time(
    *, employee: Employee, percent: int, reason: str, starts_on: date, ends_on: date | None, by: Employee
) -> ExtraTime:
    """Give a person ``percent`` more time in every quiz that is begun from ``starts_on`` on.

    An attempt that runs keeps the time it was begun with. Why is personal: it stands in the row and in the Entry's
    Body, and nowhere else. Raises NotForOneself.
    """
    if employee.pk == by.pk:
        raise NotForOneself(employee.uid)
    given = ExtraTime.objects.create(
        employee=employee,
        percent=percent,
        reason=reason.strip(),
        approved_by=by,
        approved_at=timezone.now(),
        starts_on=starts_on,
        ends_on=ends_on,
    )
    body = {
        "grant": given.uid,
        "percent": percent,
        "reason": given.reason,
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat() if ends_on else None,
    }
    ledger.append(verb="quizzes.extra_time_granted", actor=by.uid, subject=employee.uid, body=body)
    return given


@transaction.atomic
def end_extra_time(*, given: ExtraTime, by: Employee) -> ExtraTime:
    """Let extra time end today; one that has not begun yet never holds. Raises AlreadyEnded."""
    given = ExtraTime.objects.select_for_update(of=("self",)).select_related("employee").get(pk=given.pk)
    today, before = timezone.localdate(), given.ends_on
    if before and before <= today:
        raise AlreadyEnded(given.uid)
    given.starts_on = min(given.starts_on, today)
    given.ends_on = today
    given.save(update_fields=["starts_on", "ends_on"])
    body = {"grant": given.uid, "ends_on": today.isoformat(), "before": before.isoformat() if before else None}
    ledger.append(verb="quizzes.extra_time_ended", actor=by.uid, subject=given.employee.uid, body=body)
    return given


def extra_percent(employee: Employee, today: date) -> int:
    """Return by how much the person's time is longer today: the most that was granted, 0 for nothing. One query."""
    most = ExtraTime.objects.filter(employee=employee).on(today).aggregate(most=Max("percent"))["most"]
    return most or 0
