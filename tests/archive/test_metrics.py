"""Every formula, with numbers worked by hand."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import count
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import calendars, metrics
from archive.consent import Said, Words
from archive.metrics import Evidence, Known, Metrics, Person, Seen, Time
from archive.tally import Tally, middle, ranked

numbers = count(1)
BEGINS, ENDS = datetime(2026, 9, 30, 16, tzinfo=UTC), datetime(2026, 10, 31, 16, tzinfo=UTC)
OCTOBER = Time(BEGINS, ENDS, date(2026, 10, 1), date(2026, 10, 31))
WEEK = [date(2026, 10, day) for day in (12, 13, 14, 15, 16)]


def seen(day: int = 12, **fields) -> Seen:
    n = next(numbers)
    dull = {"pk": n, "msgid": f"m{n}", "category": "content", "msgtype": "text", "sender": "someone"}
    sent_at = datetime(2026, 10, day, 2, tzinfo=UTC)
    return Seen(**{**dull, "sent_at": sent_at, "day": date(2026, 10, day), **fields})


def compute(sent: list[Seen] = (), received: list[Seen] = (), said: list[Said] = (), **person) -> Metrics:
    return computed(sent, received, said, **{"working_days": WEEK, **person})[0]


def computed(
    sent: list[Seen] = (), received: list[Seen] = (), said: list[Said] = (), **person
) -> tuple[Metrics, Evidence]:
    """Add each message once, as the reader of the database does."""
    tally = Tally(Person(**{"handles": {"me"}, **person}), Words(said))
    mine, for_me = {one.pk for one in sent}, {one.pk for one in received}
    for one in {one.pk: one for one in (*sent, *received)}.values():
        tally.add(one, is_mine=one.pk in mine, is_for_me=one.pk in for_me)
    return tally.result(OCTOBER)


def said(word: str, day: int, contact: str = "x", employee: str = "me", room: str = "") -> Said:
    return Said(employee, contact, room, word, datetime(2026, 10, day, 1, tzinfo=UTC))


def test_sent_received_and_captured():
    to_myself = seen()
    found = compute([seen(), seen(contacts=("x",)), to_myself], [seen(contacts=("x", "y")), to_myself])
    assert (found.sent, found.received, found.captured) == (3, 2, 4)
    assert (found.client_sent, found.client_captured, found.contacts) == (1, 2, 2)


def test_recalls_answers_and_controls_are_not_content_and_make_nobody_active():
    others = [seen(category=category) for category in ("recall", "consent", "control")]
    found = compute(others, others)
    assert (found.sent, found.captured, found.active_days) == (0, 0, 0)


def test_days():
    found = compute([seen(12), seen(12), seen(14, contacts=("x",)), seen(17)], [seen(13, contacts=("x",))])
    assert (found.active_days, found.client_days, found.working_days) == (3, 2, 5)


@pytest.mark.parametrize(
    ("active", "seat", "longest"),
    [
        ((), WEEK, 5),
        ((14,), WEEK, 2),
        ((12, 16), WEEK, 3),
        ((), [WEEK[0], WEEK[2], WEEK[3]], 2),  # a day without a seat ends the run
        ((), [], 0),
    ],
)
def test_the_longest_silence_is_a_run_of_working_days_with_a_seat(active, seat, longest):
    found = compute([seen(day) for day in active], seat={day: day in seat for day in WEEK})
    assert (found.longest_silence, found.seat_days) == (longest, len(seat))


def test_client_talk_without_a_seat_counts_only_where_a_list_speaks():
    talk = [seen(day, contacts=("x",)) for day in (12, 13, 14)] + [seen(13)]
    assert compute(talk, seat={WEEK[0]: True, WEEK[1]: False}).sent_unseated == 1


@pytest.mark.parametrize(
    ("before", "sent", "percent"),
    [
        ([100, 40, 60], 15, 25),
        ([100, 40, 60], 14, 23),
        ([100, 60], 15, None),
        ([0, 0, 0], 15, None),
        ([40, 20, 10], 15, 75),
        ([40, 19, 10], 15, None),
    ],
)
def test_the_drop_is_measured_by_the_median_of_three_months(before, sent, percent):
    talk = [seen(contacts=("x",)) for _n in range(sent)]
    assert compute(talk, client_sent_before=before).drop_percent == percent
    assert compute(talk, client_sent_before=before, month_is_covered=False).drop_percent is None


def test_contacts_by_their_latest_word_before_the_end_of_the_month():
    talk = [seen(contacts=(contact,), sender="me") for contact in "abcd"]
    words = [
        said("agreed", 1, "a"),
        said("agreed", 1, "b"),
        said("refused", 2, "b"),
        said("refused", 1, "c", employee="somebody else"),
        Said("me", "d", "", "agreed", ENDS),
    ]
    found = compute(talk, said=words)
    assert (found.agreed, found.refused, found.unknown, found.contacts) == (1, 1, 2, 4)
    assert set(found.unknown_since) == {"c", "d"}


def test_a_rooms_list_speaks_for_whoever_is_in_the_room():
    word = said("agreed", 1, employee="", room="r")
    assert compute([seen(contacts=("x",), room="r")], said=[word]).agreed == 1
    assert compute([seen(contacts=("x",), room="other")], said=[word]).unknown == 1


def test_a_missing_word_is_missed_since_the_first_message_between_the_two():
    third_party = seen(12, contacts=("x", "y"), sender="x", room="r")
    found = compute([seen(14, contacts=("y",), sender="me")], [third_party])
    assert found.unknown == 2
    assert {contact: since[:10] for contact, since in found.unknown_since.items()} == {
        "x": "2026-10-12",
        "y": "2026-10-14",
    }


def test_writing_on_after_a_refusal_in_that_conversation():
    words = [said("refused", 13, room="r"), said("agreed", 15, room="r")]
    talk = {
        "before": seen(12, contacts=("x",), room="r"),
        "after": seen(14, contacts=("x",), room="r"),
        "elsewhere": seen(14, contacts=("x",)),
        "not to them": seen(14, contacts=("y",), room="r"),
        "after agreeing": seen(16, contacts=("x",), room="r"),
    }
    found, evidence = computed(list(talk.values()), said=words)
    assert (found.after_refusal, evidence.after_refusal.first) == (1, talk["after"])


def test_recalls():
    first = seen(category="recall")
    known = [
        seen(category="recall", original_sent_at=first.sent_at - timedelta(seconds=seconds), original_had_signal=hot)
        for seconds, hot in ((10, True), (30, False), (90, False))
    ]
    found = compute([first, *known], [seen(category="recall")])
    assert (found.recalls, found.orphan_recalls, found.recall_delay_seconds, found.signal_recalls) == (4, 1, 30, 1)


def test_latency_by_nearest_rank():
    found = compute([seen(latency=seconds) for seconds in (40, 10, 30, 20)] + [seen(), seen(clocks_differ=True)])
    assert (found.latency_p50, found.latency_p95, found.latency_max) == (20, 40, 40)
    assert (found.late, found.clocks_differ, found.promised_latency) == (0, 1, 3600)
    found = compute([seen(latency=3601), seen(latency=3600), seen(latency=130_000, promise=129_600)])
    assert (found.late, found.promised_latency) == (2, 129_600)
    assert compute().latency_p95 is None


@given(st.lists(st.integers(-50, 50), max_size=60), st.integers(1, 100))
def test_counted_values_give_what_the_values_themselves_give(values, percent):
    counted = Counter(values)
    assert ranked(counted, percent) == metrics.rank(sorted(values), percent)
    assert middle(counted) == (int(median(values)) if values else None)


def test_of_very_many_messages_behind_a_count_a_hundred_are_named_and_the_first_is_known():
    talk = [seen(day, msgid=f"m{day:02}-{n:02}", contacts=("x",)) for n in range(40) for day in (14, 12, 13)]
    _found, evidence = computed(talk, seat={day: False for day in WEEK})
    assert (len(evidence.unseated), evidence.unseated.first.msgid) == (120, "m12-00")
    assert evidence.unseated.msgids == sorted(one.msgid for one in talk)[:100]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values, percent):
    values.sort()
    found = metrics.rank(values, percent)
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_media_forwards_and_signals():
    forwarded = [seen(msgtype="chatrecord", contacts=("x",)), seen(msgtype="chatrecord")]
    mine = [seen(media_refs=2, signal=3), seen(signal=2)]
    found = compute(mine + forwarded, [seen(media_refs=1, signal=4), seen(signal=3)])
    assert (found.media_refs, found.forwarded_in) == (3, 1)
    assert (found.signals_own, found.signals_addressed) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, 0),
        ({"contacts": ("x",)}, 1),
        ({"is_in_outside_room": True}, 1),
        ({"forwards_room": True}, 1),
        ({"forwards_room": True, "contacts": ("x",)}, 1),
        ({"contacts": ("x",), "msgtype": "text"}, 0),
    ],
)
def test_a_forwarded_conversation_goes_to_outsiders_or_comes_from_a_room(fields, counts):
    one = seen(**{"msgtype": "chatrecord", **fields})
    assert compute([one]).forwarded_in == counts
    assert compute(received=[one]).forwarded_in == 0


def test_a_word_in_a_room_counts_for_who_is_in_it_without_a_message_there():
    talk, spoken = [seen(contacts=("x",))], [said("agreed", 5, employee="", room="wr1")]
    assert (compute(talk, said=spoken).agreed, compute(talk, said=spoken, rooms={"wr1"}).agreed) == (0, 1)


def test_nothing_at_all_is_counted_as_nothing():
    assert compute(working_days=()) == Metrics(permitted_days=0)


def moment(day: int, hour: int = 2, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_client_talk_while_barred_is_counted_at_the_message_s_own_moment():
    talk = [seen(day, contacts=("x",)) for day in (12, 13, 14)] + [seen(13)]
    bars = [(moment(13, 2), moment(14, 2)), (moment(16), None)]
    found = compute(talk, bars=bars)
    assert found.sent_barred == 1  # on the 13th at the first moment; the end is not part of the bar
    assert compute(talk, bars=[(moment(12), None)]).sent_barred == 3


def test_permitted_days_are_working_days_that_were_not_barred_as_a_whole():
    assert compute(barred_days={WEEK[1], WEEK[2], date(2026, 10, 17)}).permitted_days == 3


@pytest.mark.parametrize(
    ("begins", "ends", "days"),
    [
        (moment(12, 16, 10), moment(13, 16), [13]),  # midnight to midnight in Shanghai
        (moment(12, 15), moment(13, 16), [13]),
        (moment(12, 17), moment(13, 16), []),
        (moment(12, 16), moment(13, 15), []),
        (moment(14, 16), None, [15, 16]),
        (moment(1), moment(12, 16), [12]),
    ],
)
def test_a_day_is_barred_from_its_first_moment_to_its_last(begins, ends, days):
    zone = ZoneInfo("Asia/Shanghai")
    found = calendars.whole_days([(begins, ends)], WEEK[0], WEEK[-1], zone)
    assert sorted(found) == [date(2026, 10, day) for day in days]


def test_lost_files_count_for_all_and_apart_for_client_talk():
    found = compute([seen(media_refs=3, media_missing=2), seen(media_refs=1, media_missing=1, contacts=("x",))])
    assert (found.media_refs, found.media_missing, found.client_media_missing) == (4, 3, 1)


def known(opened: datetime, closed: datetime | None = None, **fields) -> Known:
    dull = {"kind": "after_refusal", "about_on": opened.date(), "due_on": date(2026, 10, 20), "word": "new"}
    return Known(**{**dull, "opened_at": opened, "closed_at": closed, **fields})


def test_findings_are_counted_by_when_they_were_opened_and_closed():
    findings = [
        known(moment(5), moment(8)),
        known(moment(5), moment(15, 1)),  # nine days and some hours
        known(moment(20, month=9), moment(6)),
        known(moment(25), due_on=date(2026, 10, 31)),
        known(moment(25), due_on=date(2026, 11, 1)),
        known(moment(25), ENDS),
    ]
    found = compute(findings=findings)
    assert (found.findings_opened, found.findings_closed, found.findings_open) == (5, 3, 3)
    assert (found.findings_overdue, found.close_days) == (2, 9)  # due on the last day is overdue at its end
    assert compute().close_days is None


def test_signals_are_counted_by_what_a_reviewer_says_of_them():
    words = ["new", "confirmed", "dismissed", "closed", "dismissed"]
    findings = [known(moment(12), kind="off_channel", word=word) for word in words]
    findings += [known(moment(12), kind="deletion_request", about_on=date(2026, 9, 30)), known(moment(12))]
    found = compute(findings=findings)
    assert (found.signals_new, found.signals_confirmed, found.signals_dismissed) == (1, 2, 2)
