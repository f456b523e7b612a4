"""What stands inside a WeCom message: where each kind keeps its payload, its text, and its media."""

import re
from collections.abc import Iterator
from itertools import chain

from archive.sources import strict

# msgtype -> the keys under which its payload may stand; () where its fields may be at the top level as well.
KNOWN_KINDS: dict[str, tuple[str, ...]] = {
    **{
        kind: (kind,)
        for kind in [
            "text",
            "image",
            "revoke",
            "agree",
            "disagree",
            "voice",
            "video",
            "card",
            "location",
            "emotion",
            "file",
            "link",
            "weapp",
            "chatrecord",
            "todo",
            "vote",
            "collect",
            "redpacket",
            "meeting",
            "calendar",
            "mixed",
            "meeting_voice_call",
            "voip_doc_share",
            "sphfeed",
            "solitaire",
            "switch",
        ]
    },
    "external_redpacket": ("redpacket", "external_redpacket"),
    "meeting_notification": ("info", "meeting_notification"),
    "docmsg": ("doc", "docmsg"),
    "markdown": ("info", "markdown"),
    "news": ("info", "news"),
    "voiptext": ("info", "voiptext"),
    "qydiskfile": ("info", "qydiskfile"),
    "note": ("info", "note"),
}
TOP_LEVEL = {"vote", "todo"}  # both shapes are about

# The fields that hold the sender's own words, kind by kind. Titles of links, articles and mini-programs are not:
# somebody else wrote them.
OWN_WORDS: dict[str, tuple[str, ...]] = {
    "text": ("content",),
    "markdown": ("content",),
    "todo": ("content",),
    "vote": ("votetitle", "voteitem"),
    "collect": ("title", "details"),
    "redpacket": ("wish",),
    "external_redpacket": ("wish",),
    "meeting": ("topic", "remarks"),
    "calendar": ("title", "place", "remarks"),
    "solitaire": ("title",),
    "file": ("filename",),
    "docmsg": ("title",),
}
NESTING_LIMIT = 10  # forwarded conversations inside forwarded conversations

_QUOTE = re.compile(r"\s*(?:这是一条引用/回复消息：|This is a quote/reply:)")
_DASHES = re.compile(r"^-{6,}[ \t]*\r?\n?", re.MULTILINE)


def payload_of(msgtype: str, message: dict) -> dict:
    """Return the payload of a message, empty if there is none in any known place."""
    for key in KNOWN_KINDS.get(msgtype, (msgtype,)):
        if isinstance(found := message.get(key), dict):
            return found
    return message if msgtype in TOP_LEVEL else {}


def without_quotation(text: str) -> str:
    """Return the sender's own words of a reply.

    A reply is: the mark, the quotation, a line of dashes, the words. The first such line ends the quotation, so
    nobody can hide words of their own behind a second one.
    """
    if not _QUOTE.match(text):
        return text
    dashes = _DASHES.search(text)
    return text[dashes.end() :] if dashes else ""


def texts(msgtype: str, payload: dict) -> tuple[str, str]:
    """Return (the sender's own words, words of others that were forwarded). Parts of a mixed message are joined."""
    if msgtype == "text" and isinstance(content := payload.get("content"), str):
        return without_quotation(content), ""  # nearly all messages: the rest of this says the same, slowly
    if msgtype == "mixed":
        return "".join(_texts_of_items(payload.get("item"), "type")), ""
    if msgtype == "note":
        return "\n".join(_texts_of_items(payload.get("items"), "msg_type")), ""
    if msgtype == "chatrecord":
        return "", "\n".join(_forwarded(payload, NESTING_LIMIT))
    words = "\n".join(chain.from_iterable(_strings(payload.get(field)) for field in OWN_WORDS.get(msgtype, ())))
    return (without_quotation(words) if msgtype == "text" else words), ""


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item.get("ques") if isinstance(item, dict) else item)


def inner(content: object) -> dict:
    """Return the JSON inside a string, empty if it is none: a broken part never stops the message."""
    if isinstance(content, dict):
        return content
    if not isinstance(content, str):
        return {}
    try:
        found = strict.loads(content)
    except strict.Refused:
        return {"content": content}
    return found if isinstance(found, dict) else {}


def _items(value: object) -> list[dict]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts_of_items(value: object, kind_key: str) -> Iterator[str]:
    for item in _items(value):
        if item.get(kind_key) == "text":
            yield from _strings(inner(item.get("content")).get("content"))


def _forwarded(payload: dict, deeper: int) -> Iterator[str]:
    for item in _items(payload.get("item")):
        kind, content = str(item.get("type")).removeprefix("ChatRecord").lower(), inner(item.get("content"))
        if kind == "mixed":
            yield "".join(_texts_of_items(content.get("item"), "type"))
        elif isinstance(content.get("item"), list) and deeper:
            yield from _forwarded(content, deeper - 1)
        else:
            yield from _strings(content.get("content"))


def forwards_room(payload: dict) -> bool:
    """Return whether any part of a forwarded conversation, those inside it too, was said in a room."""
    todo = [(payload, NESTING_LIMIT)]
    while todo:
        value, deeper = todo.pop()
        for item in _items(value.get("item")):
            if item.get("from_chatroom") is True:
                return True
            if deeper and isinstance((content := inner(item.get("content"))).get("item"), list):
                todo.append((content, deeper - 1))
    return False


def walk_media(message: dict, msgtype: str) -> list[tuple[str, str]]:
    """Return (sdkfileid, md5sum or "") of each media file referred to, inside forwarded and mixed parts too."""
    found, todo = [], [(message, NESTING_LIMIT)]
    while todo:
        value, deeper = todo.pop()
        if isinstance(value, list):
            todo += [(item, deeper) for item in value]
        elif isinstance(value, dict):
            if isinstance(value.get("sdkfileid"), str):
                md5 = value.get("md5sum")
                found.append((value["sdkfileid"], md5.lower() if isinstance(md5, str) else ""))
            todo += [(item, deeper) for item in value.values()]
            if msgtype in ("mixed", "chatrecord", "note") and deeper and isinstance(value.get("content"), str):
                todo.append((inner(value["content"]), deeper - 1))
    return found


def missing_media(media: list[tuple[str, str]], told: object) -> int:
    """Return how many of the files the puller tells to be lost: not fetched, or fetched with another hash.

    ``told`` is the line's ``media``: a list of {sdkfileid, error} or {sdkfileid, md5sum of what was fetched}.
    """
    if not isinstance(told, list):
        return 0
    said = {one["sdkfileid"]: one for one in told if isinstance(one, dict) and isinstance(one.get("sdkfileid"), str)}
    return sum(_is_missing(md5, said[file]) for file, md5 in media if file in said)


def _is_missing(md5: str, said: dict) -> bool:
    fetched = said.get("md5sum")
    return bool(said.get("error")) or bool(md5 and isinstance(fetched, str) and fetched and fetched.lower() != md5)
