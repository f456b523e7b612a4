"""What a source did in a month: worked by hand, then as the pages and the hourly look have it."""

from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.apps import apps
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from archive import services
from archive.models import Import, Intake, Source, SourceMonth
from archive.services import months
from archive.source_metrics import Counted, Day, compute
from tests.archive.conftest import CLIENT, FEED, FRIDAY_EVENING, STATE, at, line

OCTOBER = date(2026, 10, 1)
HOUR = 3600


def test_a_month_is_the_sum_of_its_days():
    days = [
        Day(2, 10, 7, 2, 0, 1, 4, 1, 1, 0, 1, first_seq=11, last_seq=20, longest_pause=HOUR),
        Day(1, 5, 3, 0, 2, 0, 3, 0, 0, 0, 0, first_seq=5, last_seq=9, longest_pause=3 * HOUR),
        Day(1),  # an empty delivery
    ]
    found = compute(days, [(21, 22), (30, 30)], Counted(2, 9, 1, 40, 3))
    assert (found.deliveries, found.lines, found.stored, found.duplicates) == (4, 15, 10, 2)
    assert (found.conflicts, found.set_aside) == (2, 1)
    assert (found.content, found.recalls, found.consents, found.control, found.unreadable) == (7, 1, 1, 0, 1)
    assert found.adds_up  # 15 = 10 + 2 + 2 + 1 and 10 = 7 + 1 + 1 + 0 + 1
    assert (found.holes, found.missing_numbers) == (2, 3)
    assert (found.first_seq, found.last_seq, found.longest_pause) == (5, 20, 3 * HOUR)
    assert (found.counted.unmatched_handles, found.counted.seats, found.counted.seats_silent) == (2, 40, 3)


def test_the_pause_that_goes_on_counts_in_the_month_that_is_not_over():
    assert compute([Day(longest_pause=60)], [], None, pause_now=90).longest_pause == 90
    assert compute([Day(longest_pause=60)], [], None, pause_now=30).longest_pause == 60
    assert compute([Day()], [], None).longest_pause is None


def test_of_days_before_kinds_were_counted_none_is_told_and_the_lines_still_add_up():
    old = Day(1, 3, 3, content=None, recalls=None, consents=None, control=None, unreadable=None)
    found = compute([old, Day(1, 1, 1, content=1)], [], None)
    assert (found.has_kinds, found.content, found.stored, found.adds_up) == (False, None, 4, True)


def test_what_does_not_add_up_is_seen():
    assert not compute([Day(1, lines=2, stored=1, content=1)], [], None).adds_up
    assert not compute([Day(1, lines=1, stored=1, content=2)], [], None).adds_up


_DAY = st.builds(
    lambda kinds, dup, con, aside, pause: Day(
        1, sum(kinds) + dup + con + aside, sum(kinds), dup, con, aside, *kinds, longest_pause=pause
    ),
    st.lists(st.integers(0, 9), min_size=5, max_size=5),
    *[st.integers(0, 9)] * 3,
    st.none() | st.integers(0, 99),
)


@given(st.lists(_DAY, max_size=6), st.randoms())
def test_both_sums_hold_in_whatever_order_days_come(days, random):
    found = compute(days, [], None)
    assert found.adds_up
    random.shuffle(days)
    assert compute(days, [], None) == found


# --- stored


@pytest.fixture
def source(db, staff, run_import) -> Source:
    with time_machine.travel(FRIDAY_EVENING):
        run_import(FEED, state=STATE, taken_at=FRIDAY_EVENING)
        services.refresh_findings()
    return Source.objects.get()


def october(source: Source, now: datetime = FRIDAY_EVENING):
    [(month, metrics, _at)] = months.metrics_of(source, now=now)
    assert month == OCTOBER
    return metrics


def test_the_sample_week(source):
    """As its README counts it. The list of Friday speaks for Friday and three days more: silence is not judged yet."""
    found = october(source)
    assert (found.lines, found.stored, found.duplicates, found.conflicts, found.set_aside) == (59, 57, 1, 0, 1)
    assert (found.content, found.recalls, found.consents, found.control, found.unreadable) == (53, 1, 2, 1, 0)
    assert found.adds_up
    assert (found.holes, found.missing_numbers, found.first_seq, found.last_seq) == (1, 2, 1001, 1059)
    assert found.counted == Counted(unmatched_handles=1, unmatched_messages=1, unknown_kinds=1, seats=5, seats_silent=0)


def test_a_silent_seat_is_counted_when_its_list_speaks_for_the_week(source):
    monday = date(2026, 10, 12)
    with time_machine.travel(FRIDAY_EVENING + timedelta(minutes=1)):
        data = {"get_permit_user_list": {"errcode": 0, "ids": ["zhangwei", "li.na", "ChenHao", "amy.lau", "0000318"]}}
        services.import_state(source=source, data=data, taken_at=FRIDAY_EVENING, holds_from=monday, by="system:test")
        services.refresh_findings()
    assert (october(source).counted.seats, october(source).counted.seats_silent) == (5, 1)


def test_the_longest_time_between_deliveries(source, run_import, write_feed):
    with time_machine.travel(FRIDAY_EVENING + timedelta(hours=5), tick=False):
        run_import(write_feed([line(2000, sent=at(16, 22))], "two.jsonl"))
        run_import(write_feed([line(2001, sent=at(16, 22))], "three.jsonl"))
    source.refresh_from_db()
    pause = october(source, FRIDAY_EVENING + timedelta(hours=6)).longest_pause
    assert 5 * HOUR - 60 <= pause <= 5 * HOUR
    assert october(source, FRIDAY_EVENING + timedelta(hours=15)).longest_pause == 10 * HOUR


def test_a_month_is_counted_again_after_what_was_read_and_when_a_handle_is_matched(
    source, run_import, write_feed, make_employee
):
    august = [line(100 + n, sender="sunyan", to=("li.na",), sent=at(3, 10, n, month=8)) for n in range(3)]
    later = FRIDAY_EVENING + timedelta(hours=1)
    with time_machine.travel(later):
        run_import(write_feed(august, "august.jsonl"))
        services.refresh_findings()
        counted = SourceMonth.objects.get(month=date(2026, 8, 1))
        assert (counted.unmatched_handles, counted.unmatched_messages, counted.seats) == (1, 3, None)
        make_employee(wecom_userid="sunyan")
        services.refresh_findings()
    assert set(SourceMonth.objects.values_list("unmatched_handles", flat=True)) == {0}


def test_the_migration_tells_what_past_days_brought(source):
    before = list(Intake.objects.values_list(*Intake.KINDS))
    Intake.objects.update(**dict.fromkeys(Intake.KINDS), longest_pause=None)
    fill_in = import_module("archive.migrations.0022_fill_in_what_each_day_brought").fill_in
    fill_in(apps, None)
    assert list(Intake.objects.values_list(*Intake.KINDS)) == before
    Intake.objects.update(**dict.fromkeys(Intake.KINDS))
    Import.objects.update(ended_at=FRIDAY_EVENING + timedelta(days=1))  # it does not add up any more
    fill_in(apps, None)
    assert Intake.objects.get().content is None


def test_the_page_shows_both_sums_and_leads_to_the_rows(source, make_employee, sign_in):
    client = sign_in(make_employee(roles=("Auditor",)))
    with time_machine.travel(FRIDAY_EVENING):
        page = BeautifulSoup(client.get(reverse("archive:source", args=["wecom"])).content, "html.parser")
    cells = [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in page.select("#months tbody tr")
    ]
    assert cells[0] == ["October 2026", "1", "59", "57", "1", "0", "1"]
    assert cells[1] == ["October 2026", "53", "1", "2", "1", "0", "1,001 to 1,059"]
    assert cells[2][:3] + cells[2][4:] == ["October 2026", "1", "2", "1", "1", "1", "5", "0"]
    targets = {link["href"] for link in page.select("#months a, .facts a")}
    there = {f"#{part['id']}" for part in page.select("[id]")}
    assert {"#holes", "#handles", "#kinds", "#silence"} <= targets & there
    facts = {dt.get_text(strip=True): dt.find_next("dd").get_text(" ", strip=True) for dt in page.select(".facts dt")}
    assert facts["Last permit list"] == "16 Oct 2026, 18:00"
    assert (facts["Holes"], facts["Handles that match nobody"], facts["Kinds not seen before"]) == ("1", "1", "1")


def test_the_page_costs_the_same_however_much_there_is(
    source, run_import, write_feed, make_employee, sign_in, count_queries
):
    client, url = sign_in(make_employee(roles=("Auditor",))), reverse("archive:source", args=["wecom"])
    with time_machine.travel(FRIDAY_EVENING + timedelta(hours=1)):
        talk = [line(1060 + n, sender=f"new.{n}", to=(CLIENT,), sent=at(3, 10, n, month=8 + n % 3)) for n in range(12)]
        run_import(write_feed(talk[:1], "one.jsonl"))
        services.refresh_findings()
        client.get(url)
        before = count_queries(lambda: client.get(url))
        run_import(write_feed(talk, "more.jsonl"))
        services.refresh_findings()
        assert count_queries(lambda: client.get(url)) == before


def test_nothing_that_was_disposed_of_or_is_of_another_year_breaks_it(db):
    source = services.get_source("wecom")
    assert months.metrics_of(source, now=datetime(2026, 1, 1, tzinfo=UTC)) == []
    months.count_due(now=datetime(2026, 1, 1, tzinfo=UTC))
    assert not SourceMonth.objects.exists()
