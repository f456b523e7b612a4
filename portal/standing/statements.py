"""The quarterly statement on messaging: signed beside what the archive says of the quarter, which is kept with it."""

import hashlib
import json
from datetime import date, timedelta

from archive import calendars
from archive import services as archive
from archive.models import Finding
from portal.people.models import Employee
from training import services as training
from training.models import Attestation, PolicyVersion


def quarter_of(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def first_day(quarter: str) -> date:
    """Return the first day of a quarter as 2026-Q3. Raises ValueError."""
    year, _q, number = quarter.partition("-Q")
    if number not in ("1", "2", "3", "4"):
        raise ValueError(quarter)
    return date(int(year), 3 * int(number) - 2, 1)


def asked_on(today: date) -> str:
    """Return the quarter for which people are asked to sign: the last that is over."""
    this = first_day(quarter_of(today))
    return quarter_of(this - timedelta(1))


def version_on(today: date) -> PolicyVersion | None:
    return next(iter(training.newest_versions(today, is_quarterly=True)), None)


def shown_to(employee: Employee, quarter: str) -> dict:
    """Return what stands beside the statement: the days without capture and what the person told of themselves.

    Plain values: this is what is kept with the signature.
    """
    first = first_day(quarter)
    months = [calendars.months_on(first, n) for n in range(3)]
    days = [day for month in months for day in archive.days_of(employee, month)]
    last = calendars.last_day(months[-1])
    told = Finding.objects.filter(employee=employee, kind=Finding.Kind.SELF_REPORT, about_on__range=(first, last))
    return {
        "quarter": quarter,
        "captured": sum(day.kind == "captured" for day in days),
        "gaps": [day.on.isoformat() for day in days if day.kind == "gap"],
        "unseated": [day.on.isoformat() for day in days if day.kind == "unseated"],
        "reports": [
            {"finding": uid, "about_on": about_on.isoformat()}
            for uid, about_on in told.order_by("about_on", "pk").values_list("uid", "about_on")
        ],
    }


def mark_of(shown: dict) -> str:
    """Return the fingerprint of what was shown: the form sends it back, so that nothing else is signed."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def signed(employee: Employee, version: PolicyVersion, quarter: str) -> Attestation | None:
    return Attestation.objects.filter(employee=employee, version__policy=version.policy, period=quarter).first()


def is_asked(employee: Employee, today: date) -> bool:
    """Return whether the person has a statement to sign now: on HR's list, and here in that quarter."""
    version, quarter = version_on(today), asked_on(today)
    if version is None or not employee.employee_no:
        return False
    last = calendars.last_day(calendars.months_on(first_day(quarter), 2))
    if employee.joined_on and employee.joined_on > last:
        return False
    return signed(employee, version, quarter) is None
