import io
from collections import Counter
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine

from archive import lexicon_text
from archive.sources import wecom
from archive.sources.base import Aside, Captured
from portal.demo import conduct, feed, payloads, people, phrases, story
from portal.demo.talks import NEVER_SEEN

TODAY = date(2026, 11, 23)
ZONE = ZoneInfo("Asia/Shanghai")


def written(size: int, weeks: int, today: date = TODAY) -> list[feed.Week]:
    firm = people.everybody(today, size)
    plans = story.plans(firm, today)
    told = {"trained_on": story.trained_on(plans), "lapses": story.lapses(plans, today)}
    return list(feed.weeks_of(firm, today=today, weeks=weeks, zone=ZONE, **told))


SIZE = 80  # a third of the firm has every fault, and is read in a third of the time


@pytest.fixture(scope="module")
def weeks() -> list[feed.Week]:
    return written(SIZE, 26)


@pytest.fixture(scope="module")
def lines(weeks) -> list[Captured | Aside]:
    """Every line as the real reader takes it."""
    return [one for week in weeks for one in wecom.read(io.BytesIO(b"\n".join(week.lines)))]


@pytest.fixture(scope="module")
def records(lines) -> list[Captured]:
    return [one for one in lines if isinstance(one, Captured)]


def test_the_same_day_and_seed_give_the_same_bytes():
    assert written(24, 3) == written(24, 3)


def test_there_are_26_weeks_and_tens_of_thousands_of_lines():
    weeks = written(240, 26)
    assert len(weeks) == 26
    assert 45_000 <= sum(len(week.lines) for week in weeks) <= 70_000


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 29), date(2027, 1, 1)])
def test_the_last_week_holds_yesterday_and_nothing_after_it(today):
    week = written(SIZE, 2, today)[-1]  # enough people that somebody writes on a Sunday too
    # The reader believes no pull that lies in the future, so it has to read on that day.
    with time_machine.travel(datetime.combine(today, time(12), ZONE), tick=False):
        read = list(wecom.read(io.BytesIO(b"\n".join(week.lines))))
    moments = [moment for one in read if isinstance(one, Captured) for moment in (one.sent_at, one.captured_at)]
    assert max(moments).astimezone(ZONE).date() == today - timedelta(days=1)
    assert (today - week.monday).days <= 7


def test_three_lines_are_cut_off_and_whole_elsewhere(lines, records):
    asides = [one for one in lines if isinstance(one, Aside)]
    assert [one.reason for one in asides] == ["not_json"] * 3
    assert {one.maybe_seq for one in asides} <= {record.seq for record in records}


def test_lines_come_twice_and_one_contradicts_itself(records):
    by_id: dict[str, set[bytes]] = {}
    for one in records:
        by_id.setdefault(one.msgid, set()).add(one.fingerprint)
    repeated = len(records) - len(by_id)
    assert repeated > 30
    assert sum(len(prints) > 1 for prints in by_id.values()) == 1


def test_numbers_are_missing_in_three_places(records):
    seqs = sorted({one.seq for one in records})
    holes = [after - before - 1 for before, after in pairwise(seqs) if after - before > 1]
    assert sorted(holes) == [2, 3, 14]


def test_five_numbers_come_with_the_next_weeks_file(weeks):
    highest, late = 0, []
    for week in weeks:
        seqs = {one.seq for one in wecom.read(io.BytesIO(b"\n".join(week.lines))) if isinstance(one, Captured)}
        late += [seq for seq in seqs if seq <= highest]
        highest = max(seqs)
    assert len(late) == 5
    assert max(late) - min(late) == 4


def test_four_records_could_not_be_decrypted(records):
    assert Counter(one.error for one in records if one.category == "unreadable") == {10007: 4}


def test_on_one_day_much_was_pulled_late(records):
    late = Counter(
        one.sent_at.astimezone(ZONE).date()
        for one in records
        if one.captured_at and one.sent_at_is_known and (one.captured_at - one.sent_at).total_seconds() > 3600
    )
    day, count = late.most_common(1)[0]
    assert count > 5
    assert count * 10 > sum(one.sent_at.astimezone(ZONE).date() == day for one in records)


def test_one_file_was_not_fetched_and_one_text_had_to_be_mended(records):
    [lost] = [one for one in records if one.media_missing]
    assert lost.msgtype in ("file", "image")
    assert any(one.startswith(("wm", "wo")) for one in lost.recipients)
    assert sum(one.was_repaired for one in records) == 1


def test_every_sort_of_record_occurs(records):
    kinds = Counter(one.category for one in records)
    assert set(kinds) == {"content", "recall", "consent", "control", "unreadable"}
    assert {one.word.word for one in records if one.word} == {"agreed", "refused"}
    assert {one.msgtype for one in records if not one.is_known_kind and one.msgtype} == {"ai_summary_card"}
    assert len({one.msgtype for one in records}) > 25


def test_senders_that_nobody_knows_and_a_seat_that_nobody_hears(records, weeks):
    known = {person.userid for person in people.everybody(TODAY, SIZE)}
    strangers = {one.sender for one in records if one.sender and not one.sender.startswith(("wmDeMo", "woDeMo", "wb"))}
    [alias] = {one for one in strangers - known if payloads.turned(one) in known}
    assert strangers - known == {"ma.tao_2019", "sh-desk-02", alias}
    assert NEVER_SEEN in weeks[-1].answer.data["get_permit_user_list"]["ids"]
    assert not any(NEVER_SEEN in (one.sender, *one.recipients) for one in records)


def test_somebody_with_a_seat_takes_part_in_every_message(weeks, records):
    seated = {userid for week in weeks if week.answer for userid in week.answer.data["get_permit_user_list"]["ids"]}
    unheard = [one for one in records if one.category == "content" and not seated & {one.sender, *one.recipients}]
    assert unheard == []


def test_who_lacks_a_seat_talks_to_clients_all_the_same(weeks, records):
    firm = people.everybody(TODAY, SIZE)
    unseated = [n for n, what in conduct.conducts(firm, TODAY).items() if what == conduct.UNSEATED]
    userids = {person.userid for person in firm if person.number in unseated}
    assert userids & {one.sender for one in records if any(r.startswith(("wm", "wo")) for r in one.recipients)}


def test_only_those_who_are_meant_to_go_off_channel(records):
    words, firm = lexicon_text.shipped(), people.everybody(TODAY, SIZE)
    given = conduct.conducts(firm, TODAY)
    meant = {p.userid for p in firm if given.get(p.number) in (conduct.OFF_CHANNEL, conduct.DELETION)}
    caught = {
        one.sender
        for one in records
        if one.category == "content" and any(hit.is_signal and hit.weight >= 3 for hit in words.judge(one.own_text))
    }
    assert caught == meant


@pytest.mark.parametrize("kind", ["off_channel", "deletion"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_phrase_that_must_not_be_is_found_by_the_lexicon(kind, language):
    words = lexicon_text.shipped()
    for phrase in phrases.all_phrases()[kind][language]:
        assert any(hit.kind == kind and hit.weight >= 3 for hit in words.judge(phrase)), phrase
