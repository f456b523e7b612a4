"""Random years in a small firm, as HR's list tells them and as the database keeps them: what holds of every duty."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction
from django.db.models import Count
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.hr import reading
from portal.hr import services as hr
from portal.hr.comparing import Kind, compare
from portal.ledger.models import Entry
from portal.people import calendars, services
from portal.people.models import Employee, Office
from training import services as training
from training.models import Assignment, Completion

DAY = timedelta(days=1)
BEGIN = date(2027, 11, 1)  # the leap day of 2028 lies ahead
NUMBERS = ("A", "B", "C")
OFFICES = ("sh", "ny", "ln")
HAPPENS = ("join", "leave", "move", "complete", "tag", "away", "nothing")
steps = st.lists(
    st.tuples(st.integers(1, 150), st.sampled_from(HAPPENS), st.sampled_from(NUMBERS), st.integers(0, 5)),
    min_size=4, max_size=14,
)  # fmt: skip


class _Undo(Exception):
    """Ends an example: the next begins with an empty firm."""


def told_by_hr(today: date, number: str, **told: str) -> None:
    """Let a list of one line come in, through the same door as a file."""
    line = {"employee_no": number, "name_en": f"Name {number}", "email": f"{number.lower()}@example.com", **told}
    found = compare([(2, line)], reading.people(today), offices=set(OFFICES), is_complete=False, today=today)
    assert found.count(Kind.REFUSED) == 0, found.changes
    assert hr.write_at_once(found=found, by="system:test") == []


def happen(today: date, what: str, number: str, n: int, complete) -> None:
    person = Employee.objects.filter(employee_no=number).first()
    here = person is not None and person.is_active and not person.left_on
    if what == "join" and not here:
        told_by_hr(today, number, office=OFFICES[n % 3], joined_on=today.isoformat(), left_on="")
    elif what == "leave" and here:
        told_by_hr(today, number, left_on=today.isoformat())
    elif what == "move" and here:
        told_by_hr(today, number, office=OFFICES[n % 3])
    elif what == "tag" and here:
        told_by_hr(today, number, tags="Licensed" if n % 2 else "")
    elif what == "away" and here:
        services.set_leave(employee=person, first_on=today, last_on=today + n * 9 * DAY, by="system:test")
    elif what == "complete" and here:
        open_one = Assignment.objects.open().filter(employee=person).first()
        if open_one:
            complete(open_one)


def check(today: date, dues: dict[int, date], done: set[int]) -> None:
    """What holds after every night, and after every deed."""
    twice = Assignment.objects.open().values("employee", "course").annotate(n=Count("pk")).filter(n__gt=1)
    assert not twice.exists(), "two open assignments for one duty"
    kept = set(Completion.objects.values_list("pk", flat=True))
    assert done <= kept, "a completion was lost"
    done |= kept
    for row in Assignment.objects.order_by("employee", "course", "cycle"):
        assert row.due_on >= row.assigned_on
        dues[row.pk] = row.due_on
    by_duty: dict[tuple[int, int], list[Assignment]] = {}
    for row in Assignment.objects.order_by("cycle"):
        by_duty.setdefault((row.employee_id, row.course_id), []).append(row)
    for rows in by_duty.values():
        assert [row.cycle for row in rows] == list(range(1, len(rows) + 1))
        completed = [row.due_on for row in rows if row.ended_why == "completed"]
        assert completed == sorted(completed), "due dates of what was completed go back"
    entries = Entry.objects.count()
    rows = list(Assignment.objects.order_by("pk").values())
    assert training.apply_rules(today=today) == 0, "asked again on the same day, the rules found more to do"
    assert (Entry.objects.count(), list(Assignment.objects.order_by("pk").values())) == (entries, rows)


@pytest.mark.django_db
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(life=steps)
def test_whatever_hr_tells_no_duty_is_doubled_and_nothing_is_lost(life, make_edition, complete_course):
    with suppress(_Undo), transaction.atomic():
        _live(life, make_edition, complete_course)
        raise _Undo


def _live(life, make_edition, complete_course) -> None:
    zones = {"sh": ("Asia/Shanghai", "CN"), "ny": ("America/New_York", "US"), "ln": ("Europe/London", "UK")}
    for code, (zone, where) in zones.items():
        Office.objects.create(code=code, name=code, time_zone=zone, jurisdiction=where)
    dues, done, today = {}, set(), BEGIN
    with time_machine.travel(datetime(2027, 11, 1, 4, tzinfo=UTC), tick=False) as clock:
        course = make_edition(renewal_months=12).course
        audience = {"any": [{"fact": "office", "is": ["sh", "ny"]}, {"fact": "tag", "is": ["licensed"]}]}
        training.set_rule(
            course=course, name="r", due_days=20, due_kind="working_days", starts_on=BEGIN, by="system:test",
            renewal_kind="rolling", window_days=60, audience=audience,
        )  # fmt: skip
        services.make_tag(slug="licensed", name="Licensed", by="system:test")
        for days, what, number, n in life:
            today += days * DAY
            clock.move_to(datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=4))
            services.retire_leavers(today=today)
            training.apply_rules(today=today)
            happen(today, what, number, n, complete_course)
            training.apply_rules(today=today)
            check(today, dues, done)
    assert Employee.objects.filter(employee_no__in=NUMBERS).count() <= len(NUMBERS), "a rehire is somebody new"


ZONES = st.sampled_from(
    ("Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo",
     "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu")
)  # fmt: skip


@settings(deadline=None)
@given(ZONES, st.dates(date(2012, 1, 1), date(2036, 12, 31)), st.integers(0, 24 * 3600 - 1))
def test_a_day_where_one_works_ends_when_the_next_begins_whatever_the_clocks_do(zone, day, seconds):
    begins = calendars.day_begins(day, ZoneInfo(zone))
    ends = calendars.day_begins(day + DAY, ZoneInfo(zone))
    assert calendars.day_at(begins, zone) == day
    assert calendars.day_at(ends - timedelta(microseconds=1), zone) == day
    assert calendars.day_at(ends, zone) == day + DAY
    assert timedelta(hours=22) <= ends - begins <= timedelta(hours=26)
    moment = begins + timedelta(seconds=seconds)
    assert calendars.day_at(moment, zone) in (day, day + DAY)
