"""Every kind of finding that the specification names: what opens it, worked by hand, and that it never opens twice."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest
import time_machine

from archive import policy, services
from archive.models import Finding, Message
from tests.archive.conftest import CLIENT, ROOM, at, line
from tests.archive.test_state import answers

pytestmark = pytest.mark.django_db
EVENING = datetime(2026, 10, 22, 10, tzinfo=UTC)  # Thursday, 18:00 in Shanghai
PICTURE = {"msgtype": "image", "image": {"md5sum": "aa", "filesize": 1, "sdkfileid": "F1"}}


def recall(seq: int, of: dict, sent: int) -> dict:
    pre = {"pre_msgid": of["msg"]["msgid"]}
    return line(seq, to=(CLIENT,), sent=sent, action="recall", msgtype="revoke", revoke=pre)


def talk(count: int, **more) -> list[dict]:
    return [line(seq, to=(CLIENT,), sent=at(21, 10, seq), **more) for seq in range(1, count + 1)]


MINUTE = 60_000
FIVE_OF_TEN = [*(ten := talk(10)), *(recall(10 + n, ten[n - 1], at(21, 11, n)) for n in range(1, 6))]
FOUR_OF_TEN = FIVE_OF_TEN[:-1]
SIGNAL = line(1, "message me on my personal whatsapp", to=(CLIENT,), sent=at(21, 10))
REFUSAL = line(
    *(1, ""), sender=CLIENT, to=("li.na",), sent=at(21, 9), msgtype="disagree", disagree={"disagree_time": at(21, 9)}
)
GIFT = {"msgtype": "external_redpacket", "redpacket": {"type": 1, "wish": "x", "totalcnt": 1, "totalamount": 888}}


@dataclass(frozen=True)
class Case:
    """Lines that open one finding of the kind; with ``nearly`` instead, none. ``about``: the person, or the source."""

    lines: list
    nearly: list
    about: str = "li.na"
    on: date = date(2026, 10, 21)
    seats: tuple[str, ...] = ()
    seats_nearly: tuple[str, ...] | None = None
    policy: dict | None = None
    is_barred: bool = False


CASES = {
    "off_channel": Case([SIGNAL], [line(1, "we do not use whatsapp", to=(CLIENT,), sent=at(21, 10))]),
    "deletion_request": Case(
        [line(1, "please delete this chat", to=(CLIENT,), sent=at(21, 10))],
        [line(1, "delete the old draft from the folder", to=(CLIENT,), sent=at(21, 10))],
    ),
    "recall_pattern": Case(FIVE_OF_TEN, FOUR_OF_TEN),  # 5 of 10 is over 5 %, 4 are fewer than five
    "consent_missing": Case(
        [line(1, to=(CLIENT,), sent=at(15, 10))],  # seven days before
        [line(1, to=(CLIENT,), sent=at(16, 10))],
        on=date(2026, 10, 22),
    ),
    "after_refusal": Case(
        [REFUSAL, line(2, to=(CLIENT,), sent=at(21, 10))], [line(2, to=(CLIENT,), sent=at(21, 8)), REFUSAL]
    ),
    "unseated_client_talk": Case(talk(2), talk(2), seats=("somebody.else",), seats_nearly=("li.na",)),
    "barred_talk": Case(
        [line(1, to=(CLIENT,), sent=at(21, 10))], [line(1, to=("amy",), sent=at(21, 10))], is_barred=True
    ),
    # Five working days with a seat and nothing; the feed speaks for Wednesday. One message on Tuesday is not nothing.
    "silent_seat": Case(
        [line(1, sender="amy", to=("bob",), sent=at(21, 10))],
        [line(1, sender="li.na", to=("bob",), sent=at(20, 10)), line(2, sender="amy", to=("bob",), sent=at(21, 10))],
        seats=("li.na",),
    ),
    # 2 of 10 is over 10 %; 1 of 10 is not.
    "capture_late": Case(
        [*talk(8), *(line(20 + n, sent=at(21, 12, n), pulled=3601) for n in (1, 2))],
        [*talk(9), line(20, sent=at(21, 12), pulled=3601)],
        about="",
    ),
    "hole": Case(
        [line(1, sent=at(21)), line(4, sent=at(21, 11))], [line(1, sent=at(21)), line(2, sent=at(21))], about=""
    ),
    "conflict": Case(
        [line(1, "a", sent=at(21)), {**(other := line(1, "b", sent=at(21))), "seq": 2}],
        [line(1, "a", sent=at(21)), line(1, "a", sent=at(21))],
        about="",
    ),
    "unmatched_identity": Case(
        [line(1, sender="nobody.here", to=("li.na",), sent=at(21))],
        [line(1, sender=CLIENT, to=("li.na",), sent=at(21))],
        about="",
    ),
    "unknown_kind": Case(
        [line(1, sent=at(21), msgtype="ai_card"), line(2, sent=at(21), msgtype="ai_card")],
        [line(1, sent=at(21), msgtype="note")],
        about="",
    ),
    "unreadable": Case(
        [{"seq": n, "msgid": f"m{n}", "publickey_ver": 1, "error": 10007} for n in (1, 2)],
        [line(1, sent=at(21))],
        about="",
    ),
    "media_missing": Case(
        [line(1, to=(CLIENT,), sent=at(21), **PICTURE) | {"media": [{"sdkfileid": "F1", "error": 10010}]}],
        [line(1, to=("amy",), sent=at(21), **PICTURE) | {"media": [{"sdkfileid": "F1", "error": 10010}]}],
    ),
    "client_gift": Case(
        [line(1, to=(CLIENT,), sent=at(21), roomid=ROOM, **GIFT), line(2, to=(CLIENT,), sent=at(21, 11), **GIFT)],
        [line(1, sender=CLIENT, to=("li.na",), sent=at(21), **GIFT)],  # from a client is none to one
        policy={"client_gifts_count": True},
    ),
}
NOT_OF_A_FEED = {"integrity", "source_silent", "self_report", "text_repaired"}  # tested with what opens them


@pytest.fixture
def play(make_employee, run_import, write_feed, monkeypatch) -> Callable[[str, bool], list[Finding]]:
    """Let the lines of a case come, twice, and a day pass. Return the findings of its kind."""

    def run(kind: str, nearly: bool) -> list[Finding]:
        case = CASES[kind]
        if case.policy:
            terms = replace(policy.current(), **case.policy)
            monkeypatch.setattr(policy, "current", lambda: terms)
        lines = case.nearly if nearly else case.lines
        seats = case.seats_nearly if nearly and case.seats_nearly else case.seats
        with ExitStack() as stack:
            stack.enter_context(time_machine.travel(EVENING, tick=False))
            people = {one: make_employee(wecom_userid=one) for one in ("li.na", "amy", "bob", "zhangwei")}
            if case.is_barred:
                services.set_bars(barred={people["li.na"].pk: True}, at=datetime(2026, 10, 20, 1, tzinfo=UTC))
            if seats:
                data, held = answers(*seats), date(2026, 10, 15)
                source = services.get_source("wecom")
                services.import_state(source=source, data=data, taken_at=EVENING, holds_from=held, by="system:test")
            run_import(write_feed(lines))
            first = list(Finding.objects.filter(kind=kind).order_by("pk"))
            again = line(500, sender="amy", to=("bob",), sent=at(21, 16))
            run_import(write_feed([*lines, *([] if kind in ("hole", "silent_seat") else [again])], "again.jsonl"))
            services.refresh_findings()
            services.recompute_due(by="system:test")
        assert list(Finding.objects.filter(kind=kind).order_by("pk")) == first
        return first

    return run


def test_every_kind_of_the_specification_has_its_case():
    assert set(CASES) | NOT_OF_A_FEED == set(Finding.Kind.values)


@pytest.mark.parametrize("kind", CASES)
def test_the_facts_open_one_finding_and_the_same_facts_no_other(kind, play):
    [finding] = play(kind, nearly=False)
    case = CASES[kind]
    terms = policy.current().findings[kind]
    assert (finding.employee.wecom_userid if finding.employee else "") == case.about
    assert (finding.severity, finding.policy_version) == (terms.severity, policy.current().version)
    if case.about:
        assert finding.about_on == case.on
    if finding.message_id:
        assert Message.objects.filter(pk=finding.message_id).exists()


@pytest.mark.parametrize("kind", CASES)
def test_what_is_just_not_enough_opens_none(kind, play):
    assert play(kind, nearly=True) == []


@pytest.mark.parametrize(
    ("kind", "severity", "due"),
    [
        *(("off_channel", 3, 5), ("deletion_request", 3, 5), ("recall_pattern", 2, 10), ("consent_missing", 2, 10)),
        *(("after_refusal", 3, 5), ("unseated_client_talk", 3, 5), ("barred_talk", 3, 5), ("silent_seat", 2, 10)),
        *(("capture_late", 2, 10), ("hole", 3, 5), ("conflict", 3, 10), ("unmatched_identity", 2, 10)),
        *(("unknown_kind", 1, 30), ("unreadable", 3, 5), ("media_missing", 2, 10), ("integrity", 4, 1)),
    ],
)
def test_severity_and_time_are_those_of_the_specification(kind, severity, due):
    terms = policy.current().findings[kind]
    assert (terms.severity, terms.due, terms.calendar_days) == (severity, due, kind == "hole")
