"""What the pages about one person show: read once, in a constant number of queries."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from archive import calendars
from archive import services as archive
from archive.models import Finding, Identity, Record, SelfReport
from portal.people.models import Employee
from portal.standing import case, desk, people_table, statements, words
from portal.standing.changes import told
from portal.standing.models import RemedyTask, Standing, StandingChange
from training import services as training

MONTHS = 12  # of the archive record that a page shows
FINDINGS = 50  # the newest; the page says how many there are
CHANGES = 20


def greeting(hour: int) -> str:
    """Return morning, afternoon, evening or night for an hour of 0 to 23, where the person is."""
    if hour < 5 or hour >= 23:
        return "night"
    return "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"


def today_of(employee: Employee, today: date) -> dict:
    """What the first page shows: may I message, what is to do, my archive record of this month."""
    zone = ZoneInfo(employee.office.time_zone if employee.office else settings.TIME_ZONE)
    local = timezone.now().astimezone(zone)
    standing = Standing.objects.filter(employee=employee).first()
    found = Finding.objects.filter(employee=employee).open()
    return {
        "greeting": greeting(local.hour),
        "local_today": local.date(),
        "standing": standing,
        "sentences": _sentences(standing),
        "todo": training.todo_for(employee, local.date()),
        "to_sign": training.to_sign(employee, today),
        "fresh": training.fresh_due(employee, local.date()),
        "statement": statements.asked_on(today) if statements.is_asked(employee, today) else "",
        "remedies": RemedyTask.objects.open()
        .filter(employee=employee)
        .select_related("lesson__module__edition", "finding"),
        "questions": case.mine(employee),
        "record": Record.objects.filter(employee=employee).order_by("-month").first(),
        "open_findings": found.exclude(kind=Finding.Kind.SELF_REPORT).count(),
        "reports": found.filter(kind=Finding.Kind.SELF_REPORT).count(),
        "desk": desk.work_of(employee, today) if (reviews := employee.has_perm("archive.review_findings")) else [],
        "waiting": desk.waiting() if reviews else None,
    }


def record_of(employee: Employee, viewer: Employee, today: date) -> dict:
    """What one person's file shows to this viewer. The archive's part is left out for who may not see it."""
    standing = Standing.objects.visible_to(viewer).filter(employee=employee).first()
    sees_archive = may_see_archive(employee, viewer)
    oldest = (today.replace(day=1) - timedelta(days=31 * (MONTHS - 1))).replace(day=1)
    records = Record.objects.visible_to(viewer).filter(employee=employee, month__gte=oldest)
    findings = Finding.objects.visible_to(viewer).filter(employee=employee).order_by("-opened_at", "-pk")
    changes = StandingChange.objects.visible_to(viewer).filter(employee=employee)
    return {
        "person": employee,
        "standing": standing,
        "sentences": _sentences(standing),
        "sees_archive": sees_archive,
        "is_own": employee == viewer,
        "leads": viewer.has_perm("people.view_everyone") and employee.is_manager(),
        "courses": training.history_of(employee),
        "marks": training.module_marks([employee.pk]).get(employee.pk, []),
        "modules": people_table.module_titles(),
        "records": _with_gaps(records.order_by("-month")),
        "findings": findings[:FINDINGS],
        "findings_in_all": findings.count(),
        "handles": Identity.objects.filter(employee=employee).order_by("valid_from") if sees_archive else [],
        "changes": told(list(changes[: CHANGES + 1]), CHANGES),
        "changes_in_all": changes.count(),
        "keeps_text": settings.ARCHIVE_TEXT,
        "period": archive.period_told(employee, today),
        "questions": case.mine(employee) if employee == viewer else [],
        "reports": SelfReport.objects.filter(employee=viewer).select_related("finding").order_by("-told_at")
        if employee == viewer
        else [],
        "remedies": RemedyTask.objects.visible_to(viewer)
        .filter(employee=employee)
        .select_related("lesson__module__edition", "finding")
        .order_by("-assigned_at")[:FINDINGS],
    }


def _with_gaps(records: Iterable[Record]) -> list[Record]:
    """Return the records, newest first. On each is the first and the last of the months before it that have none."""
    found = list(records)
    for one, older in pairwise(found):
        last, first = calendars.months_on(one.month, -1), calendars.next_month(older.month)
        one.gap = (first, last) if first <= last else None
    return found


def may_see_archive(employee: Employee, viewer: Employee) -> bool:
    """One's own, those of people below, everybody's with the permission. Being on HR's list of people is not enough."""
    if employee == viewer or viewer.has_perm("archive.view_every_record"):
        return True
    return Employee.objects.below(viewer).filter(pk=employee.pk).exists()


def _sentences(standing: Standing | None) -> list[str]:
    return [words.say(reason) for reason in standing.reasons] if standing else []
