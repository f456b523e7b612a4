"""What the pages about one person, and about the firm, show: read once, in a constant number of queries."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from archive import calendars
from archive import services as archive
from archive.models import Finding, Identity, Record, Source
from portal.people.models import Department, Employee, Office, is_on_staff
from portal.standing import case, outlook, past, people_table, rules, statements, trend, words
from portal.standing.models import RemedyTask, Standing, StandingChange
from training import services as training

MONTHS = 12  # of the archive record that a page shows
FINDINGS = 50  # the newest; the page says how many there are
CHANGES = 20


@dataclass(frozen=True)
class Share:
    """One department or office on the firm's page. ``pk``: None for people in none."""

    pk: int | None
    name: str
    people: int
    current: int
    lapsed: int
    barred: int
    open_findings: int

    @property
    def current_percent(self) -> int:
        return self.current * 100 // self.people if self.people else 0


def greeting(hour: int) -> str:
    """Return morning, afternoon or evening for an hour of 0 to 23."""
    return "morning" if 4 <= hour < 12 else "afternoon" if 12 <= hour < 18 else "evening"


def today_of(employee: Employee, today: date) -> dict:
    """What the first page shows: may I message, what is to do, my archive record of this month."""
    zone = ZoneInfo(employee.office.time_zone if employee.office else settings.TIME_ZONE)
    local = timezone.now().astimezone(zone)
    standing = Standing.objects.filter(employee=employee).first()
    return {
        "greeting": greeting(local.hour),
        "local_today": local.date(),
        "standing": standing,
        "sentences": _sentences(standing),
        "todo": training.todo_for(employee, local.date()),
        "to_sign": training.to_sign(employee, today),
        "statement": statements.asked_on(today) if statements.is_asked(employee, today) else "",
        "remedies": RemedyTask.objects.open()
        .filter(employee=employee)
        .select_related("lesson__module__edition", "finding"),
        "questions": case.mine(employee),
        "record": Record.objects.filter(employee=employee).order_by("-month").first(),
        "open_findings": Finding.objects.filter(employee=employee).open().count(),
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
        "courses": training.history_of(employee),
        "marks": training.module_marks([employee.pk]).get(employee.pk, []),
        "modules": people_table.module_titles(),
        "records": records.order_by("-month"),
        "findings": findings[:FINDINGS],
        "findings_in_all": findings.count(),
        "handles": Identity.objects.filter(employee=employee).order_by("valid_from") if sees_archive else [],
        "changes": changes[:CHANGES],
        "changes_in_all": changes.count(),
        "keeps_text": settings.ARCHIVE_TEXT,
        "period": archive.period_told(employee, today),
        "questions": case.mine(employee) if employee == viewer else [],
        "remedies": RemedyTask.objects.visible_to(viewer)
        .filter(employee=employee)
        .select_related("lesson__module__edition", "finding")
        .order_by("-assigned_at")[:FINDINGS],
    }


def may_see_archive(employee: Employee, viewer: Employee) -> bool:
    """One's own, those of people below, everybody's with the permission. Being on HR's list of people is not enough."""
    if employee == viewer or viewer.has_perm("archive.view_every_record"):
        return True
    return Employee.objects.below(viewer).filter(pk=employee.pk).exists()


def firm_of(viewer: Employee, today: date) -> dict:
    """What the firm's page shows: everybody on staff, by department and office, and the findings that are open."""
    people = Employee.objects.visible_to(viewer).on_staff()
    findings = Finding.objects.visible_to(viewer)
    found, opened = people_table.groups(people), _open_by_place(findings, today)
    by_state, tiles = people_table.counts(found), people_table.tiles(found, sum(opened.values()))
    points = trend.points(None, trend.now_of(by_state, tiles.barred), today)
    offices = {one.pk: str(one) for one in Office.objects.all()}
    departments = {one.pk: str(one) for one in Department.objects.all()}
    month = calendars.months_before(calendars.month_of(today), 1)[0]
    counted_on, modules = outlook.knowledge()
    return {
        "tiles": tiles,
        "forecast": outlook.forecast(people, today),
        "points": points,
        "chart": trend.chart(points),
        "reach": outlook.reach(people_table.heads(found), offices, Record.objects.visible_to(viewer), month, today),
        "reach_month": month,
        "ages": outlook.ages(findings, today, timezone.get_default_timezone()),
        "counted_on": counted_on,
        "knowledge": modules,
        "first": past.first_day(),
        "matrix": people_table.matrix(by_state, people_table.Filters()),
        "columns": [rules.ArchiveState(column) for column in rules.COLUMNS],
        "departments": shares(found, opened, "department", departments),
        "offices": shares(found, opened, "office", offices),
        "findings": findings.open().for_list()[:10],
        "finding_count": findings.open().count(),
        "overdue_count": findings.overdue(today).count(),
        "by_kind": _by_kind(findings),
        "sources": Source.objects.order_by("name"),
        "today": today,
    }


Place = tuple[int | None, int | None]  # department, office


def _open_by_place(findings: QuerySet[Finding], today: date) -> dict[Place, int]:
    """Return how many of the findings are open about the staff of each department and office. One query."""
    mine = findings.open().filter(is_on_staff(today, "employee__")).order_by()
    counted = mine.values_list("employee__department", "employee__office").annotate(n=Count("pk"))
    return {(department, office): n for department, office, n in counted}


def shares(found: list[people_table.Group], opened: dict[Place, int], by: str, names: dict[int, str]) -> list[Share]:
    """Return each department or office with its people by state, largest first."""
    at = ("department", "office").index(by)
    findings: Counter[int | None] = Counter()
    for place, n in opened.items():
        findings[place[at]] += n
    grouped: dict[int | None, list[people_table.Group]] = defaultdict(list)
    for group in found:
        grouped[getattr(group, by)].append(group)
    rows = [
        Share(
            pk=pk,
            name=names.get(pk, "–"),
            people=sum(group.people for group in mine),
            current=sum(group.people for group in mine if group.training in rules.ROWS["current"]),
            lapsed=sum(group.people for group in mine if group.training in people_table.LATE),
            barred=sum(group.people for group in mine if group.may_message is False),
            open_findings=findings[pk],
        )
        for pk, mine in grouped.items()
    ]
    return sorted(rows, key=lambda row: (-row.people, row.name))


def _by_kind(findings: QuerySet[Finding]) -> list[tuple[str, str, int, int]]:
    """Return (kind, kind as words, open, ever) for each kind of finding that there has been, most open first."""
    counted = findings.values("kind").annotate(open=Count("pk", filter=Q(state__in=Finding.OPEN)), ever=Count("pk"))
    named = [
        (c["kind"], Finding.Kind(c["kind"]).label, c["open"], c["ever"])
        for c in counted.order_by("-open", "-ever", "kind")
    ]
    return named


def _sentences(standing: Standing | None) -> list[str]:
    return [words.say(reason) for reason in standing.reasons] if standing else []
