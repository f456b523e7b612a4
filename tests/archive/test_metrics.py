"""Every formula, with numbers worked by hand."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import metrics
from archive.consent import Said, Words
from archive.metrics import Metrics, Person, Seen, Taken

numbers = count(1)
ENDS = datetime(2026, 10, 31, 16, tzinfo=UTC)
WEEK = [date(2026, 10, day) for day in (12, 13, 14, 15, 16)]


def seen(day: int = 12, **fields) -> Seen:
    n = next(numbers)
    dull = {"pk": n, "msgid": f"m{n}", "category": "content", "msgtype": "text", "sender": "someone"}
    sent_at = datetime(2026, 10, day, 2, tzinfo=UTC)
    return Seen(**{**dull, "sent_at": sent_at, "day": date(2026, 10, day), **fields})


def compute(sent: list[Seen] = (), received: list[Seen] = (), said: list[Said] = (), **person) -> Metrics:
    person = {"handles": {"me"}, "working_days": WEEK, **person}
    return metrics.compute(Taken(list(sent), list(received)), Person(**person), Words(said), ENDS)[0]


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
    [([100, 40, 60], 15, 25), ([100, 40, 60], 14, 23), ([100, 60], 15, None), ([0, 0, 0], 15, None)],
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
    found, evidence = metrics.compute(Taken(list(talk.values())), Person(handles={"me"}), Words(words), ENDS)
    assert (found.after_refusal, evidence.after_refusal) == (1, [talk["after"]])


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


def test_nothing_at_all_is_counted_as_nothing():
    assert compute(working_days=()) == Metrics()
