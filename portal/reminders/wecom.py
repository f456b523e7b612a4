"""WeCom's server API: an application's message to one person, or a group robot that calls a person by name.

As documented at developer.work.weixin.qq.com: gettoken, message/send, webhook/send, and the global error codes.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import urllib3
from django.conf import settings
from django.core.cache import cache
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from portal.reminders import saying
from portal.reminders.models import Delivery

SECONDS = urllib3.Timeout(connect=5, read=20)
MOST_BYTES = 100_000  # of an answer
SPARE = 300  # seconds before its end at which a token is fetched anew
SAME_WITHIN = 4 * 3600  # seconds in which WeCom keeps a second message of the same words back: the most it allows
TITLE, DESCRIPTION = 128, 512  # bytes that a card shows

STALE_TOKEN = {40014, 41001, 42001}
NO_SUCH_PERSON = {40003, 60111, 81013}  # invalid userid, no such userid, all recipients invalid or out of sight
TOO_OFTEN = {45009, 45033, -1}  # calls a minute or an hour, at once, or their server is busy
RATE_PAUSE = timedelta(minutes=1)


class Unknown(Exception):
    """WeCom has no such person, or the application may not write to them."""


class Busy(Exception):
    """Not now: too many calls, or something on our side must be put right first."""

    def __init__(self, said: str, pause: timedelta | None = None) -> None:
        super().__init__(said)
        self.pause = pause


class Silent(Exception):
    """No answer came: it may have been taken or not."""


_pool = urllib3.PoolManager(retries=False, timeout=SECONDS)


def send(one: Delivery) -> None:
    """Hand a digest over. Raises Unknown, Busy, Silent."""
    with translation.override(one.digest.language):
        if one.channel == Delivery.Channel.ROBOT:
            _to_group(one)
        else:
            _to_person(one)


def _to_person(one: Delivery) -> None:
    body = {
        "touser": one.address,
        "msgtype": "textcard",
        "agentid": settings.REMINDERS_WECOM_AGENT,
        "textcard": card_of(one),
        "enable_duplicate_check": 1,
        "duplicate_check_interval": SAME_WITHIN,
    }
    answer = _posted("message/send", {"access_token": token()}, body)
    if answer["errcode"] in STALE_TOKEN:  # fetched, and ended or replaced since
        cache.delete(_token_key())
        answer = _posted("message/send", {"access_token": token()}, body)
    _check(answer)
    refused = (answer.get("invaliduser") or "") + (answer.get("unlicenseduser") or "")
    if refused:
        raise Unknown(f"WeCom does not know or serve {len(refused.split('|'))} of the recipients")


def _to_group(one: Delivery) -> None:
    """Call the person in the group by name. What they owe is theirs: the group does not read of it."""
    body = {"msgtype": "text", "text": {"content": call_of(one), "mentioned_list": [one.address]}}
    _check(_posted("webhook/send", {"key": settings.REMINDERS_WECOM_ROBOT_KEY}, body))


def token() -> str:
    """Return the access token, from the cache while it holds. Raises Busy, Silent."""
    if held := cache.get(_token_key()):
        return held
    told = {"corpid": settings.REMINDERS_WECOM_CORP, "corpsecret": settings.REMINDERS_WECOM_SECRET}
    answer = _asked("GET", f"gettoken?{urlencode(told)}")
    _check(answer)
    cache.set(_token_key(), answer["access_token"], max(int(answer["expires_in"]) - SPARE, 1))
    return answer["access_token"]


def _token_key() -> str:
    told = f"{settings.REMINDERS_WECOM_URL} {settings.REMINDERS_WECOM_CORP} {settings.REMINDERS_WECOM_SECRET}"
    return f"reminders-wecom-token-{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _posted(path: str, query: dict[str, str], body: dict) -> dict[str, Any]:
    content = json.dumps(body, ensure_ascii=False).encode()
    return _asked("POST", f"{path}?{urlencode(query)}", content)


def _asked(method: str, path: str, content: bytes | None = None) -> dict[str, Any]:
    """Return the answer, which always has an errcode. Errors name no address: it holds secrets."""
    url = f"{settings.REMINDERS_WECOM_URL}/cgi-bin/{path}"
    headers = {"Content-Type": "application/json; charset=utf-8"} if content else {}
    try:
        with _pool.request(method, url, body=content, headers=headers, preload_content=False) as answer:
            raw, status = answer.read(MOST_BYTES), answer.status
            answer.drain_conn()
    except urllib3.exceptions.HTTPError as error:
        raise Silent(f"WeCom did not answer: {type(error).__name__}") from None
    if status != 200:
        raise Busy(f"WeCom answered {status}")
    try:
        told = json.loads(raw)
        return {**told, "errcode": int(told["errcode"])}
    except (ValueError, TypeError, KeyError):
        raise Silent("WeCom's answer is none that its documentation knows") from None


def _check(answer: dict[str, Any]) -> None:
    code, said = answer["errcode"], f"WeCom: {answer['errcode']} {str(answer.get('errmsg', ''))[:200]}"
    if code == 0:
        return
    if code in NO_SUCH_PERSON:
        raise Unknown(said)
    raise Busy(said, RATE_PAUSE if code in TOO_OFTEN else None)


# --- words -------------------------------------------------------------------------------------------------------


def card_of(one: Delivery) -> dict[str, str]:
    """Return the card: what is to do, as much of it as a card shows, and the way to one's own page."""
    words = saying.words_of(one.digest.content, one.digest.on)
    lines = [f"{line.title}: {line.when}" for line in (*words.late, *words.coming)]
    lines += [person.name for person in words.people]
    lines += [_("Nothing more is due for “%(title)s”") % {"title": title} for title in words.done]
    url = settings.SITE_URL + "/"
    return {
        "title": cut(words.subject, TITLE),
        "description": cut("\n".join(lines), DESCRIPTION),
        "url": url,
        "btntxt": pgettext("button", "Open"),
    }


def call_of(one: Delivery) -> str:
    """Return what a group reads: that the person has something to look at, and where. Nothing of what it is."""
    count = len(one.digest.content["items"]) or 1
    said = ngettext(
        "%(n)s thing to look at in the training portal: %(url)s",
        "%(n)s things to look at in the training portal: %(url)s",
        count,
    )
    return said % {"n": count, "url": settings.SITE_URL + "/"}


def cut(text: str, most: int) -> str:
    """Return the text in at most so many bytes of UTF-8, with an ellipsis where something is missing."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return raw[: most - 3].decode("utf-8", "ignore") + "…"
