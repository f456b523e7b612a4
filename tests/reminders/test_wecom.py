"""WeCom: a real client against a server on this machine that checks each request as the documentation has it."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core.cache import cache

from portal.reminders import wecom
from portal.reminders.models import Delivery
from tests.reminders.conftest import at, go

pytestmark = pytest.mark.django_db
CORP, SECRET, AGENT, ROBOT = "wwc0ffee", "s3cret", 1000007, "693a91f6-7xxx"


class Tencent:
    """As much of qyapi.weixin.qq.com as the portal uses. ``answers``: said to the next calls of a path, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict, dict]] = []
        self.answers: dict[str, list[dict | int]] = {}
        self.tokens = 0
        self.wrong: list[str] = []

    def answer(self, method: str, path: str, query: dict, body: dict) -> dict | int:
        self.calls.append((method, path, query, body))
        if waiting := self.answers.get(path):
            return waiting.pop(0)
        if path == "gettoken":
            if method != "GET" or query != {"corpid": CORP, "corpsecret": SECRET}:
                return {"errcode": 40001, "errmsg": "invalid credential"}
            self.tokens += 1
            return {"errcode": 0, "errmsg": "ok", "access_token": f"token-{self.tokens}", "expires_in": 7200}
        check = {"message/send": self._message, "webhook/send": self._webhook}[path]
        return check(method, query, body)

    def _message(self, method: str, query: dict, body: dict) -> dict:
        if query != {"access_token": f"token-{self.tokens}"}:
            return {"errcode": 40014, "errmsg": "invalid access_token"}
        card = body.get("textcard", {})
        right = (
            method == "POST"
            and body["agentid"] == AGENT
            and isinstance(body["touser"], str)
            and body["msgtype"] == "textcard"
            and 0 < len(card["title"].encode()) <= 128
            and 0 < len(card["description"].encode()) <= 512
            and card["url"].startswith("http")
            and body["enable_duplicate_check"] == 1
            and body["duplicate_check_interval"] <= 4 * 3600
        )
        if not right:
            self.wrong.append(json.dumps(body))
            return {"errcode": 40035, "errmsg": "invalid parameter"}
        return {"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": "m1"}

    def _webhook(self, method: str, query: dict, body: dict) -> dict:
        if method != "POST" or query != {"key": ROBOT}:
            return {"errcode": 93000, "errmsg": "invalid webhook url"}
        if body["msgtype"] != "text" or len(body["text"]["content"].encode()) > 2048:
            return {"errcode": 40035, "errmsg": "invalid parameter"}
        return {"errcode": 0, "errmsg": "ok"}

    def sent(self, path: str = "message/send") -> list[dict]:
        return [body for _method, called, _query, body in self.calls if called == path]


@pytest.fixture
def tencent(settings) -> Iterator[Tencent]:
    office = Tencent()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            told = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = {name: values[0] for name, values in parse_qs(told.query).items()}
            path = told.path.removeprefix("/cgi-bin/")
            answer = office.answer(self.command, path, query, json.loads(raw) if raw else {})
            status = answer if isinstance(answer, int) else 200
            content = json.dumps({} if isinstance(answer, int) else answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any

        def log_message(self, *told) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.REMINDERS_BY, settings.REMINDERS_WECOM = "wecom", "wecom"
    settings.REMINDERS_WECOM_URL = f"http://127.0.0.1:{server.server_port}"
    settings.REMINDERS_WECOM_CORP, settings.REMINDERS_WECOM_SECRET = CORP, SECRET
    settings.REMINDERS_WECOM_AGENT, settings.REMINDERS_WECOM_ROBOT_KEY = AGENT, ROBOT
    try:
        yield office
    finally:
        server.shutdown()
        server.server_close()


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("address", "state"))


def test_who_has_a_userid_gets_a_card_and_the_others_mail_with_one_token_for_all(tencent, postman, owing):
    owing(due_in=7, wecom_userid="wei", language="zh-hans")
    owing(due_in=7, wecom_userid="ann")
    owing(due_in=7, email="bob@example.com")
    assert go() == 3
    assert {body["touser"] for body in tencent.sent()} == {"wei", "ann"}
    assert [to for _sender, to in postman.envelopes] == [["bob@example.com"]]
    assert (tencent.tokens, tencent.wrong) == (1, [])
    [wei] = [body["textcard"] for body in tencent.sent() if body["touser"] == "wei"]
    assert wei["title"] == "Tiny course：2026年11月16日 截止，还有 7 天"
    assert wei["btntxt"] == "打开"
    assert go(7) == 3
    assert tencent.tokens == 2  # it had ended since


def test_both_means_both(tencent, postman, owing, settings):
    settings.REMINDERS_BY = "both"
    owing(due_in=7, wecom_userid="wei", email="wei@example.com")
    assert go() == 2
    assert states() == {"wei": "sent", "wei@example.com": "sent"}


@pytest.mark.parametrize("code", [42001, 40014, 41001])
def test_a_token_that_ended_is_fetched_anew_at_once(tencent, owing, code):
    owing(due_in=7, wecom_userid="wei")
    tencent.answers["message/send"] = [{"errcode": code, "errmsg": "access_token expired"}]
    assert go() == 1
    assert (tencent.tokens, len(tencent.sent())) == (2, 2)


def test_too_many_calls_let_the_channel_wait_a_minute_and_the_rest_of_it_too(tencent, postman, owing):
    for name in ("ann", "bob", "wei"):
        owing(due_in=7, wecom_userid=name)
    owing(due_in=7, email="mail@example.com")
    tencent.answers["message/send"] = [{"errcode": 45009, "errmsg": "api freq out of limit"}]
    assert go() == 1
    assert len(tencent.sent()) == 1
    assert states() == {"ann": "waiting", "bob": "waiting", "wei": "waiting", "mail@example.com": "sent"}
    assert Delivery.objects.get(address="ann").due_at == at(0) + timedelta(minutes=1)
    assert go(minute=31) == 3
    assert not Delivery.objects.filter(may_be_twice=True).exists()


@pytest.mark.parametrize(
    "answer",
    [
        {"errcode": 81013, "errmsg": "user & party & tag all invalid"},
        {"errcode": 60111, "errmsg": "userid not found"},
        {"errcode": 0, "errmsg": "ok", "invaliduser": "wei"},
        {"errcode": 0, "errmsg": "ok", "unlicenseduser": "wei"},
    ],
)
def test_a_userid_that_wecom_does_not_know_is_not_tried_again(tencent, owing, answer):
    owing(due_in=7, wecom_userid="wei")
    tencent.answers["message/send"] = [answer]
    assert go() == 0
    assert states() == {"wei": "bounced"}
    assert go(hour=12) == 0
    assert len(tencent.sent()) == 1


@pytest.mark.parametrize(
    "answer", [500, {"errmsg": "no code"}, {"errcode": -1, "errmsg": "system busy"}, {"errcode": 60020}]
)
def test_what_goes_wrong_on_the_other_side_or_ours_is_tried_again(tencent, owing, answer):
    owing(due_in=7, wecom_userid="wei")
    tencent.answers["message/send"] = [answer]
    assert go() == 0
    assert states() == {"wei": "waiting"}
    assert go(hour=11) == 1


def test_a_silent_server_may_have_taken_it_and_the_same_words_go_again(tencent, owing, settings):
    owing(due_in=7, wecom_userid="wei")
    there, settings.REMINDERS_WECOM_URL = settings.REMINDERS_WECOM_URL, "http://127.0.0.1:9"
    assert go() == 0
    cache.clear()
    settings.REMINDERS_WECOM_URL = there
    assert go(hour=11) == 1
    assert Delivery.objects.get().may_be_twice
    one = Delivery.objects.select_related("digest", "employee").get()
    with time_machine.travel(at(0, hour=12), tick=False):
        wecom.send(one)
    first, second = tencent.sent()
    assert first == second  # WeCom keeps the second back


def test_a_robot_calls_by_name_and_tells_the_group_nothing(tencent, owing, settings):
    settings.REMINDERS_WECOM = "robot"
    owing(due_in=-5, wecom_userid="wei")
    assert go() == 1
    [body] = tencent.sent("webhook/send")
    assert body["text"]["mentioned_list"] == ["wei"]
    assert "1 thing to look at" in body["text"]["content"]
    assert "Tiny" not in body["text"]["content"]
    assert tencent.tokens == 0


def test_errors_name_no_secret(tencent, owing, settings, caplog):
    settings.REMINDERS_WECOM_URL = "http://127.0.0.1:9"
    owing(due_in=7, wecom_userid="wei")
    go()
    assert SECRET not in caplog.text + Delivery.objects.get().error


def test_a_long_text_is_cut_between_characters():
    assert wecom.cut("提醒", 6) == "提醒"
    assert wecom.cut("提醒您", 8) == "提…"
    assert len(wecom.cut("提" * 300, 512).encode()) <= 512
