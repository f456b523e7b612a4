"""The dated copies of seats and consent."""

import io
import json
from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from archive import services
from archive.models import AnswerCopy, ConsentWord, Finding, Record, Seat, SeatCopy
from archive.services import consents
from archive.services.seats import Seats
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, OTHER_CLIENT, ROOM, at, line

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 14, 4, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)


def answers(*seats: str, single: list = (), rooms: dict | None = None) -> dict:
    return {
        "get_permit_user_list": {"errcode": 0, "ids": list(seats)},
        "check_single_agree": {"errcode": 0, "agreeinfo": list(single)},
        "check_room_agree": {room: {"errcode": 0, "agreeinfo": rows} for room, rows in (rooms or {}).items()},
    }


def word(status: str = "Agree", contact: str = CLIENT, userid: str = "li.na", when: int = 1791766918) -> dict:
    return {"status_change_time": when, "userid": userid, "exteranalopenid": contact, "agree_status": status}


def keep(data: dict, taken_at: datetime = NOON, **options) -> dict:
    source = services.get_source("wecom")
    return services.import_state(source=source, data=data, taken_at=taken_at, by="system:test", **options)


@pytest.fixture(autouse=True)
def li_na(make_employee):
    return make_employee(wecom_userid="li.na")


def days_with_seat(handle: str, first: int = 10, last: int = 22) -> dict[int, bool]:
    seats = Seats.between(date(2026, 10, first), date(2026, 10, last), 3, handles={handle})
    return {day.day: has for day, has in seats.of({handle}).items()}


def test_a_list_speaks_for_its_day_and_three_more():
    keep(answers("Li.Na"))
    assert days_with_seat("li.na") == {14: True, 15: True, 16: True, 17: True}
    assert days_with_seat("other") == {14: False, 15: False, 16: False, 17: False}


def test_the_nearest_earlier_list_counts():
    keep(answers("li.na"))
    keep(answers("other"), datetime(2026, 10, 16, 4, tzinfo=UTC))
    assert days_with_seat("li.na") == {14: True, 15: True, 16: False, 17: False, 18: False, 19: False}


def test_a_list_that_is_known_to_have_held_longer_reaches_back_but_not_over_an_older_one():
    keep(answers("other"), datetime(2026, 10, 11, 4, tzinfo=UTC))
    keep(answers("li.na"), datetime(2026, 10, 16, 4, tzinfo=UTC), holds_from=date(2026, 10, 10))
    assert days_with_seat("li.na", last=16) == {
        10: True,
        11: False,
        12: False,
        13: False,
        14: False,
        15: True,
        16: True,
    }


def test_the_same_answers_again_change_nothing():
    data = answers("li.na", single=[word()])
    assert keep(data) == {"seats": 1, "words": 1, "copies": 1, "errors": 0}
    entries = Entry.objects.count()
    assert keep(data) == {"seats": 0, "words": 0, "copies": 0, "errors": 0}
    assert (SeatCopy.objects.count(), Seat.objects.count(), Entry.objects.count()) == (1, 1, entries)
    with pytest.raises(services.NotAState, match="Another list of that very moment"):
        keep(answers("other"))


def test_an_answer_that_is_an_error_holds_nothing():
    data = {"get_permit_user_list": {"errcode": 40014, "ids": []}, "check_single_agree": {"errcode": 1}}
    assert keep(data) == {"seats": 0, "words": 0, "copies": 2, "errors": 2}
    told = AnswerCopy.objects.order_by("asked").values_list("asked", "error_code", "rows")
    assert list(told) == [("permit", 40014, 0), ("single", 1, 0)]


def test_what_is_neither_yes_nor_no_stays_unknown():
    single = [word("Default_Agree"), word("Strange"), word("Disagree", OTHER_CLIENT), {"userid": 5}, "x"]
    assert keep(answers(single=single))["words"] == 2
    told = dict(ConsentWord.objects.values_list("contact", "word"))
    assert told == {CLIENT: "default", OTHER_CLIENT: "refused"}
    assert [one.contact for one in consents.said_by([CLIENT, OTHER_CLIENT])] == [OTHER_CLIENT]


def test_a_word_changes_the_records_it_speaks_for(run_import, write_feed):
    run_import(write_feed([line(1, to=(CLIENT,)), line(2, to=(OTHER_CLIENT,), roomid=ROOM)]))
    assert Record.objects.get(month=OCTOBER).unknown_contacts == 2
    keep(answers("li.na", single=[word()], rooms={ROOM: [word(contact=OTHER_CLIENT)]}))
    found = Record.objects.get(month=OCTOBER).metrics
    assert (found["agreed"], found["unknown"]) == (2, 0)


def test_a_word_that_comes_late_closes_the_finding_and_a_refusal_is_a_word(run_import, write_feed):
    run_import(write_feed([line(1, to=(CLIENT,)), line(2, to=(OTHER_CLIENT,), roomid=ROOM)]))
    assert Finding.objects.open().filter(kind="consent_missing").count() == 2
    now = int(timezone.now().timestamp()) - 60
    keep(answers(single=[word(when=now)], rooms={ROOM: [word("Disagree", OTHER_CLIENT, when=now)]}))
    closed = Finding.objects.filter(kind="consent_missing", state="closed").order_by("closed_why")
    assert [one.closed_why for one in closed] == ["the contact agreed", "the contact refused"]
    assert not Finding.objects.filter(kind="after_refusal").exists()


def test_client_talk_without_a_seat_is_found_and_closed_when_the_seat_was_there(run_import, write_feed):
    keep(answers("somebody.else"))
    run_import(write_feed([line(1, to=(CLIENT,), sent=at(14, 10))]))
    finding = Finding.objects.get(kind="unseated_client_talk")
    assert (finding.message.seq, finding.about_on) == (1, date(2026, 10, 14))
    keep(answers("li.na"), datetime(2026, 10, 14, 5, tzinfo=UTC))
    finding.refresh_from_db()
    assert (finding.state, finding.closed_why) == ("closed", "a seat was there")


def test_without_a_list_nobody_is_without_a_seat(run_import, write_feed):
    run_import(write_feed([line(1, to=(CLIENT,))]))
    assert not Finding.objects.filter(kind="unseated_client_talk").exists()


def test_silence_is_judged_only_for_days_that_the_feed_speaks_for(run_import, write_feed, make_employee):
    quiet = make_employee(wecom_userid="quiet")
    keep(answers("quiet", "li.na"), datetime(2026, 10, 16, 4, tzinfo=UTC), holds_from=date(2026, 10, 12))
    assert not Finding.objects.filter(kind="silent_seat").exists()
    run_import(write_feed([line(1, sent=at(15), to=("nobody.here",))]))
    assert not Finding.objects.filter(kind="silent_seat").exists()
    run_import(write_feed([line(2, sent=at(16), to=("nobody.here",))], "friday.jsonl"))
    assert Finding.objects.get(kind="silent_seat").employee == quiet
    run_import(write_feed([line(3, sent=at(16, 11), sender="quiet", to=("nobody.here",))], "late.jsonl"))
    finding = Finding.objects.get(kind="silent_seat")
    assert (finding.state, finding.closed_why) == ("closed", "messages were captured")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{", "not JSON"),
        (b"[]", "has none of"),
        (b'{"a": 1}', "has none of"),
        (b"\xff", "not JSON"),
        (b'{"a":NaN}', "JSON"),
    ],
)
def test_a_file_that_holds_no_answers_is_refused(tmp_path, raw, why):
    path = tmp_path / "state.json"
    path.write_bytes(raw)
    with pytest.raises(CommandError, match=why):
        call_command("import_archive_state", str(path), source="wecom")


def test_the_state_may_come_with_the_feed(run_import, write_feed, tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(answers("li.na", single=[word()])))
    run_import(write_feed([line(1, to=(CLIENT,), sent=at(14))]), state=path, taken_at=NOON)
    assert Record.objects.get(month=OCTOBER).metrics["agreed"] == 1
    assert SeatCopy.objects.get().taken_at == NOON


def test_the_command_takes_a_moment_in_the_firms_zone(tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(answers("li.na")))
    out = io.StringIO()
    call_command(
        "import_archive_state",
        str(path),
        "--source=wecom",
        "--taken-at=2026-10-14T12:00",
        "--holds-from=2026-10-12",
        stdout=out,
    )
    copy = SeatCopy.objects.get()
    assert (copy.taken_at, copy.holds_from) == (NOON, date(2026, 10, 12))
    assert out.getvalue() == "1 seats, 0 new words on consent, 1 copies of answers, 0 of them errors\n"
