"""One message of a drawn chat: read from its fields, and taken apart for drawing."""

import re
from collections.abc import Mapping

from quizzes.formats.fields import Fields

MARKS = ("business", "personal", "both")
MESSAGE_KINDS = (
    *("text", "voice", "image", "file", "link", "sticker", "red-packet", "recalled", "forwarded"),
    *("moments", "comment"),
)
HONORIFICS = {"Mr", "Ms", "Mrs", "Miss", "Dr"}
HAN = re.compile(r"[\u3400-\u9fff]")
LENGTH = re.compile(r"\[(\d{1,2}):(\d\d)\]\s*")
PICTURE = re.compile(r"\s*\[([^\[\]]+)\]$")
LONG_VOICES = (5, 15, 30)  # seconds; a longer voice message is drawn as a longer bar


def read_message(fields: Fields, title: str, sources: Mapping[str, Mapping], *, may_ask: bool = True) -> dict:
    """Return a message as blocks keep it. ``may_ask``: it may have a mark, and then says why."""
    sender, marked = fields.text("from"), may_ask and fields.has("mark")
    if may_ask and fields.has("why") and not marked:
        fields.wrong("why", "this message has a 'why' but no 'mark'", "Add the mark, or remove the why.")
    message = {
        "sender": sender,
        "face": face(sender, title),
        "me": fields.flag("me"),
        "kind": fields.one_of("kind", MESSAGE_KINDS, default="text"),
        "text": fields.text("text"),
    }
    if may_ask:
        message["mark"] = fields.one_of("mark", MARKS) if marked else None
        message["why"] = fields.text("why", optional=not marked)
        message["cites"] = read_cites(fields, sources)
    fields.done()
    return message


def read_cites(fields: Fields, sources: Mapping[str, Mapping]) -> list[dict]:
    cited = [sources[name] for name in fields.cites(sources) if name in sources]
    return [{key: source[key] for key in ("id", "short", "link")} for source in cited]


def face(sender: str, title: str = "") -> str:
    """Return the one character that stands for a person: the first Chinese one, else the first letter of the name.

    The title of a chat often has the Chinese name of the person it is with: "Mr Chen 陈先生".
    """
    if found := HAN.search(sender) or (title.startswith(sender) and HAN.search(title)):
        return found[0]
    words = [word for word in sender.split() if word.rstrip(".") not in HONORIFICS]
    return (words or [sender])[0][:1].upper()


def is_thing(text: str) -> bool:
    """Return whether the text stands wholly in brackets, "[photo of a form]": a thing or a deed, and not words."""
    return text.startswith("[") and text.endswith("]") and text.count("[") == 1


def parts(kind: str, text: str) -> dict:
    """Return what is drawn of a message besides its words.

    ``seconds`` and ``size`` (1 to 4) of a voice message that begins with its length, "[0:14] Just tell me"; ``head``
    and ``lines`` of a forwarded chat: its first line, and the others; ``picture`` of a Moments post: what stands in
    brackets at its end. ``words`` is the text without them.
    """
    found: dict = {"words": text, "seconds": None, "size": 1, "head": "", "lines": [], "picture": ""}
    if kind == "voice" and (length := LENGTH.match(text)):
        seconds = int(length[1]) * 60 + int(length[2])
        found |= {"words": text[length.end() :], "seconds": seconds}
        found["size"] = 1 + sum(seconds > most for most in LONG_VOICES)
    elif kind == "forwarded":
        head, *lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
        found |= {"head": head, "lines": lines}
    elif kind == "moments" and (picture := PICTURE.search(text)):
        found |= {"words": text[: picture.start()], "picture": picture[1]}
    return found


def is_group(messages: list[Mapping]) -> bool:
    """Return whether more than one other person speaks: then the names stand over what they say."""
    return len({message["sender"] for message in messages if not message["me"]}) > 1
