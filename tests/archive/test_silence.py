"""When a feed is too silent: hand-worked numbers, then findings over time."""

from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive import policy, services, silence
from archive.models import Finding, Heard, Source
from archive.services import hearing
from archive.services.silence import _pauses, listen_to
from archive.silence import ATTENTION, BREACH, LOSS, Hours
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import line
from tests.archive.mails import CAPTURE, mail

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = Hours(SHANGHAI, "CN", 9, 18)
TERMS = policy.current()
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def shanghai(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment of November 2026. The 2nd is a Monday; no holiday falls into the month."""
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "end", "work", "off"),
    [
        (shanghai(2, 10), shanghai(2, 14), 4 * HOUR, 0 * HOUR),
        (shanghai(2, 17, 30), shanghai(3, 9, 30), 1 * HOUR, 15 * HOUR),  # over night
        (shanghai(6, 17), shanghai(9, 9, 10), 70 * MINUTE, 63 * HOUR),  # over the weekend
        (shanghai(7, 3), shanghai(8, 3), 0 * HOUR, 24 * HOUR),
        (shanghai(1, 12, month=10), shanghai(7, 12, month=10), 0 * HOUR, 144 * HOUR),  # National Day
        (shanghai(10, 8, month=10), shanghai(10, 20, month=10), 9 * HOUR, 3 * HOUR),  # a Saturday made up for it
        (shanghai(2, 14), shanghai(2, 10), 0 * HOUR, 0 * HOUR),
    ],
)
def test_time_is_split_into_working_hours_and_others(start, end, work, off):
    assert HOURS.parts(start, end) == (work, off)


@given(st.integers(0, 60 * 24 * 40), st.integers(0, 60 * 24 * 40))
def test_the_parts_are_the_whole_and_both_are_there(begins, lasts):
    start = shanghai(1, 0, month=10) + begins * MINUTE
    work, off = HOURS.parts(start, start + lasts * MINUTE)
    assert work + off == lasts * MINUTE
    assert min(work, off) >= timedelta(0)
    middle = start + lasts // 2 * MINUTE
    both = [HOURS.parts(start, middle), HOURS.parts(middle, start + lasts * MINUTE)]
    assert (sum((one[0] for one in both), timedelta(0)), sum((one[1] for one in both), timedelta(0))) == (work, off)


@pytest.mark.parametrize(
    ("pauses", "promise", "allowed", "usual"),
    [
        ([], HOUR, 4 * HOUR, None),
        ([59 * MINUTE] * 50, HOUR, 4 * HOUR, None),  # too short to move anything
        ([80 * MINUTE] * 2, HOUR, 4 * HOUR, 80 * MINUTE),  # 3 x 80 minutes are four hours
        ([9 * HOUR], HOUR, 4 * HOUR, None),  # once is not usual
        ([2 * HOUR] * 19 + [5 * HOUR, 50 * HOUR], HOUR, 6 * HOUR, 2 * HOUR),  # of 20 the 19th is the 95th percentile
        ([2 * HOUR] * 18 + [5 * HOUR, 50 * HOUR], HOUR, 15 * HOUR, 5 * HOUR),
        ([15 * HOUR] * 16 + [63 * HOUR] * 4, HOUR, 189 * HOUR, 63 * HOUR),  # sixteen nights and four weekends
        ([2 * HOUR] * 2, 24 * HOUR, 24 * HOUR, 2 * HOUR),  # promised once a day
    ],
)
def test_the_limit_is_three_usual_pauses_and_four_hours_at_least(pauses, promise, allowed, usual):
    found = silence.limit(pauses, promise, TERMS)
    assert (found.allowed, found.usual) == (allowed, usual)


def listen(now: datetime, *, record: datetime | None, pull: datetime | None = None, pauses=(), **more):
    facts = {"promise": HOUR, "is_lost_in_time": True, **more}
    return silence.listen(
        now=now,
        last_record_at=record,
        last_pull_at=pull or now,
        pauses=pauses,
        hours=HOURS,
        policy=TERMS,
        **facts,
    )


NIGHTS = [(shanghai(day, 17, 50), shanghai(day + 1, 9, 5)) for day in (2, 3, 4, 5)]
WEEKENDS = [(shanghai(day, 17, 50), shanghai(day + 3, 9, 5)) for day in (6, 20)]


@pytest.mark.parametrize(
    ("now", "record", "pauses", "level"),
    [
        (shanghai(10, 14, 0), shanghai(10, 10, 0), [], None),  # four hours are not longer than four hours
        (shanghai(10, 14, 1), shanghai(10, 10, 0), [], ATTENTION),
        (shanghai(16, 9, 10), shanghai(13, 17, 50), NIGHTS + WEEKENDS, None),  # Monday morning
        (shanghai(16, 12, 45), shanghai(13, 17, 50), NIGHTS + WEEKENDS, None),  # 10 min + 3 h 45 of work
        (shanghai(16, 13, 0), shanghai(13, 17, 50), NIGHTS + WEEKENDS, ATTENTION),  # 10 min + 4 h of work
        (shanghai(11, 8, 0), shanghai(10, 17, 50), NIGHTS, None),  # 14 h of a night, 3 x 15 h allowed
        (shanghai(15, 12, 0), shanghai(13, 17, 50), NIGHTS, None),  # 42 h of a weekend, 45 allowed
        (shanghai(15, 16, 0), shanghai(13, 17, 50), NIGHTS, ATTENTION),  # 46 h: no weekend was ever seen
        (shanghai(10, 23, 0), shanghai(10, 18, 0), [], ATTENTION),  # a source that never pauses, at night
        (shanghai(10, 14, 1), None, [], None),  # nothing in four weeks: no rhythm
    ],
)
def test_records_are_missed_against_the_rhythm_of_the_same_hours(now, record, pauses, level):
    assert listen(now, record=record, pauses=pauses).records_level == level


@pytest.mark.parametrize(
    ("hours", "level"), [(23, None), (24, ATTENTION), (71, ATTENTION), (72, BREACH), (119, BREACH), (120, LOSS)]
)
def test_pulls_are_missed_after_a_day_three_days_and_five(hours, level):
    now = shanghai(16, 9)
    assert listen(now, record=None, pull=now - hours * HOUR).level == level


def test_what_waits_to_be_fetched_is_not_lost_elsewhere():
    now = shanghai(16, 9)
    assert listen(now, record=None, pull=now - 200 * HOUR, is_lost_in_time=False).level == BREACH


@pytest.mark.parametrize(("hours", "level"), [(191, None), (192, ATTENTION), (239, ATTENTION), (240, BREACH)])
def test_a_source_that_promises_a_file_every_eight_days_is_given_them(hours, level):
    now = shanghai(16, 9)
    heard = listen(now, record=None, pull=now - hours * HOUR, promise=timedelta(days=8), is_lost_in_time=False)
    assert heard.level == level


def test_of_two_levels_the_worse_is_told_and_both_are_named():
    now = shanghai(16, 14)
    heard = listen(now, record=shanghai(12, 10), pull=shanghai(13, 14))
    assert (heard.level, heard.why, heard.since) == (BREACH, ["records", "pulls"], shanghai(12, 10))
    only_pulls = listen(now, record=None, pull=shanghai(15, 10))
    assert (only_pulls.why, only_pulls.since) == (["pulls"], shanghai(15, 10))


def test_what_is_lost_is_what_was_older_than_five_days_at_the_next_pull():
    assert silence.lost_span(shanghai(2, 10), shanghai(9, 12), TERMS) == (shanghai(2, 10), shanghai(4, 12))
    assert silence.lost_span(shanghai(2, 10), shanghai(7, 10), TERMS) is None


# --- with a database


pytestmark = pytest.mark.django_db


@pytest.fixture
def live(make_employee, run_import, write_feed):
    """A feed with a record every ten minutes of the working hours of three weeks, and its last pull just now."""
    make_employee(wecom_userid="li.na")
    make_employee(wecom_userid="zhangwei")
    sent = [
        shanghai(day, hour, minute, month)
        for month, day in [*((10, day) for day in range(26, 31)), *((11, day) for day in (*range(2, 7), *range(9, 14)))]
        for hour in range(9, 18)
        for minute in range(0, 60, 10)
    ]
    lines = [line(n, sent=int(at.timestamp() * 1000)) for n, at in enumerate(sent, start=1)]
    with time_machine.travel(shanghai(13, 18)):
        run_import(write_feed(lines))
    return Source.objects.get()


def refresh(at: datetime) -> None:
    with time_machine.travel(at):
        services.refresh_findings()


def told() -> list[tuple]:
    rows = Finding.objects.filter(kind="source_silent").order_by("pk")
    return [(one.facts["level"], one.severity, one.state) for one in rows]


def test_pauses_are_read_from_the_ends_of_hours(live):
    found = list(_pauses(live, shanghai(1, 0), shanghai(13, 17, 50)))
    nights = [(shanghai(day, 17, 50), shanghai(day + 1, 9)) for day in (2, 3, 4, 5, 9, 10, 11, 12)]
    assert found == sorted([*nights, (shanghai(6, 17, 50), shanghai(9, 9))])


@given(st.lists(st.integers(0, 60 * 24 * 9), min_size=1, max_size=60, unique=True))
def test_the_ends_of_hours_tell_every_pause_of_an_hour(minutes):
    from unittest.mock import patch

    sent = [shanghai(1, 0) + n * MINUTE for n in sorted(minutes)]

    def ends(_source, begins, last):
        while begins <= last:
            if of_hour := [at for at in sent if begins <= at < begins + HOUR]:
                yield of_hour[0], of_hour[-1]
            begins += HOUR

    with patch.object(hearing, "ends_of_hours", ends):
        found = list(_pauses(None, shanghai(1, 0), sent[-1]))
    assert found == [(a, b) for a, b in pairwise(sent) if b - a >= HOUR]


def test_listening_costs_the_same_however_much_there_is(live, count_queries, run_import, write_feed):
    now = shanghai(13, 18)
    before = count_queries(lambda: listen_to(live, now=now))
    more = [line(1000 + n, sent=int(shanghai(12, 12, 0).timestamp() * 1000) + n) for n in range(200)]
    run_import(write_feed(more, "more.jsonl"))
    assert count_queries(lambda: listen_to(live, now=now)) == before <= 3


def test_a_silence_is_told_once_grows_and_ends_when_records_come(live, run_import, write_feed):
    refresh(shanghai(13, 19))
    assert told() == []
    refresh(shanghai(14, 18, 1))  # a day without a pull, on a Saturday
    refresh(shanghai(14, 20))
    assert told() == [(ATTENTION, 2, "new")]
    refresh(shanghai(16, 18, 1))
    refresh(shanghai(16, 19))
    assert told() == [(BREACH, 3, "new")]
    finding = Finding.objects.get(kind="source_silent")
    assert finding.facts["why"] == ["records", "pulls"]
    assert finding.facts["since"] == shanghai(13, 17, 50).astimezone(UTC).isoformat()
    assert Entry.objects.filter(verb="archive.finding_grown").count() == 1
    with time_machine.travel(shanghai(17, 9)):
        run_import(write_feed([line(2000, sent=int(shanghai(17, 8, 55).timestamp() * 1000))], "next.jsonl"))
    assert told() == [(BREACH, 3, "closed")]
    refresh(shanghai(17, 9, 30))
    assert told() == [(BREACH, 3, "closed")]
    refresh(shanghai(17, 14))
    assert told() == [(BREACH, 3, "closed"), (ATTENTION, 2, "new")]


def test_pulls_that_bring_nothing_on_a_working_day_are_a_silence_of_records(live):
    Source.objects.update(last_pull_at=shanghai(16, 13))
    refresh(shanghai(16, 12, 30))
    assert told() == []
    refresh(shanghai(16, 13, 1))
    assert told() == [(ATTENTION, 2, "new")]
    assert Finding.objects.get(kind="source_silent").facts["why"] == ["records"]


def test_a_silence_that_a_person_explained_is_not_told_again(live, make_employee):
    refresh(shanghai(14, 18, 1))
    finding = Finding.objects.get(kind="source_silent")
    officer = make_employee(roles=("Compliance",))
    services.review_finding(finding=finding, decision="dismissed", reason="moving house", reviewer=officer)
    refresh(shanghai(15, 18))
    refresh(shanghai(16, 19))
    assert told() == [(ATTENTION, 2, "dismissed")]


def test_after_five_days_what_is_gone_is_told_with_its_exact_span(live, run_import, write_feed):
    refresh(shanghai(18, 17))
    assert told() == [(BREACH, 3, "new")]
    refresh(shanghai(18, 18))
    refresh(shanghai(20, 8))
    assert told() == [(BREACH, 3, "new"), (LOSS, 4, "new")]
    loss = Finding.objects.get(severity=4)
    pulled = shanghai(13, 18).astimezone(UTC)
    assert (loss.facts["from"][:16], loss.facts["until"]) == (
        pulled.isoformat()[:16],
        shanghai(15, 8).astimezone(UTC).isoformat(),
    )
    with time_machine.travel(shanghai(20, 12)):
        run_import(write_feed([line(3000, sent=int(shanghai(16, 9).timestamp() * 1000))], "late.jsonl"))
        services.refresh_findings()
    refresh(shanghai(25, 12))
    loss.refresh_from_db()
    assert loss.state == "new"
    assert (loss.facts["until"][:16], loss.facts["goes_on"]) == (
        shanghai(15, 12).astimezone(UTC).isoformat()[:16],
        False,
    )


def test_records_of_the_time_say_that_it_was_not_lost(live, run_import, write_feed):
    refresh(shanghai(19, 8))
    with time_machine.travel(shanghai(20, 12)):
        pulled_in_time = [line(3000, sent=int(shanghai(14, 9).timestamp() * 1000))]
        run_import(write_feed(pulled_in_time, "found.jsonl"))
    refresh(shanghai(20, 13))
    assert told()[1] == (LOSS, 4, "closed")


def test_an_empty_push_ends_a_silence_of_pulls_to_the_second(live, make_employee):
    officer = make_employee(roles=("Compliance",))
    text = services.make_token(source=live, label="puller", expires_on=None, by=officer)[1]
    refresh(shanghai(19, 8))
    for moment in (shanghai(20, 12), shanghai(20, 12, 30)):
        with time_machine.travel(moment, tick=False):
            response = Client().post(
                reverse("archive:push", args=["wecom"]),
                b"",
                content_type="application/x-ndjson",
                CONTENT_TYPE="application/x-ndjson",
                CONTENT_LENGTH="0",
                headers={"Authorization": f"Bearer {text}"},
            )
            assert response.status_code == 200
    refresh(shanghai(20, 13))
    loss = Finding.objects.get(severity=4)
    assert (loss.facts["until"], loss.facts["goes_on"]) == (shanghai(15, 12).astimezone(UTC).isoformat(), False)


def test_a_retired_source_is_silent_in_peace(live):
    refresh(shanghai(14, 18, 1))
    Source.objects.update(retired_on=date(2026, 11, 16))
    refresh(shanghai(15, 18))
    assert told() == [(ATTENTION, 2, "new")]
    refresh(shanghai(16, 1))
    assert told() == [(ATTENTION, 2, "closed")]
    refresh(shanghai(25, 1))
    assert told() == [(ATTENTION, 2, "closed")]


def test_a_source_that_never_delivers_is_told_after_a_day(db):
    source = services.get_source("wecom")
    Source.objects.update(created_at=shanghai(2, 10))
    refresh(shanghai(3, 9))
    assert told() == []
    refresh(shanghai(3, 11))
    assert told() == [(ATTENTION, 2, "new")]
    assert source.messages.count() == 0


def test_a_message_from_the_future_does_not_break_a_silence(live):
    hearing.hear(live, [shanghai(13, 9) + timedelta(days=3000), shanghai(16, 14, 5)])
    refresh(shanghai(16, 14))
    assert told() == [(ATTENTION, 2, "new")]


def test_every_step_is_in_the_ledger(live):
    refresh(shanghai(14, 18, 1))
    refresh(shanghai(16, 19))
    finding = Finding.objects.get(kind="source_silent")
    grown = Entry.objects.get(verb="archive.finding_grown")
    assert ledger.body_of(grown)["finding"] == finding.uid
    assert ledger.body_of(grown)["before"]["severity"] == 2
    assert timezone.localdate(finding.opened_at) == date(2026, 11, 14)


# --- the hours in which a source was heard


def heard(source: Source) -> list[tuple]:
    return list(source.heard.order_by("hour").values_list("hour", "first_at", "last_at"))


@given(st.lists(st.lists(st.integers(0, 60 * 40), max_size=8), min_size=1, max_size=4))
def test_an_hour_knows_its_first_and_its_last_record_in_whatever_order_they_came(batches):
    with transaction.atomic():
        source = services.get_source("wecom")
        for minutes in batches:
            hearing.hear(source, [shanghai(2, 0) + n * MINUTE for n in minutes])
        of_hour = {}
        for minute in sorted(n for minutes in batches for n in minutes):
            of_hour.setdefault(minute // 60, []).append(shanghai(2, 0) + minute * MINUTE)
        assert heard(source) == [(shanghai(2, 0) + n * HOUR, ats[0], ats[-1]) for n, ats in of_hour.items()]
        transaction.set_rollback(True)


def test_copies_of_what_another_source_brought_are_heard(live, deliver):
    last = live.messages.latest("sent_at")
    told = {"X-Capture-Channel": "wecom", "X-Capture-Native-Id": last.msgid, "Date": "Fri, 13 Nov 2026 17:50:00 +0800"}
    with time_machine.travel(shanghai(13, 18)):
        assert deliver(mail(**told), mapping=CAPTURE)["duplicates"] == 1
    copy = Source.objects.get(kind="mail")
    assert (copy.messages.count(), copy.deliveries.count()) == (0, 1)
    assert listen_to(copy, now=shanghai(13, 18)).last_record_at == shanghai(13, 17, 50)


def test_the_migration_hears_what_is_there(live):
    before = heard(live)
    Heard.objects.all().delete()
    import_module("archive.migrations.0018_fill_in_when_sources_were_heard").fill_in(apps, None)
    assert heard(live) == before
