"""A chat whose messages are marked: business, personal or both. An answer maps messages to marks, by id.

``detail`` holds ``title`` and ``messages``: {id, sender, me, kind, text, mark, why}; a message whose mark is None is
scenery. Messages stand in the order in which they were said.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from quizzes.kinds.base import (
    EVERYTHING,
    NOTHING,
    Answer,
    Content,
    Forged,
    Kind,
    Sent,
    Tell,
    flaws_in_count,
    flaws_in_ids,
    one,
    only,
)
from quizzes.rules import Flaw

FEWEST, MOST = 1, 12
MESSAGE_KINDS = ("text", "voice", "image", "file", "link", "sticker", "red-packet", "recalled", "forwarded")


class Mark(TextChoices):
    PERSONAL = "personal", gettext_lazy("Personal")
    BUSINESS = "business", gettext_lazy("Business")
    BOTH = "both", gettext_lazy("Both")


class Chat(Kind):
    name = look = "chat"
    credit_rules = ("parts", "all")

    def flaws(self, content: Content) -> Iterator[Flaw]:
        messages = content["detail"].get("messages", [])
        yield from self.flaws_in_rule(content)
        yield from flaws_in_count(("messages",), _("messages"), len(messages), FEWEST, MOST)
        yield from flaws_in_ids(("messages",), messages, set())
        if not any(message.get("mark") for message in messages):
            yield Flaw(
                ("messages",), _("no message is to be marked"), _("Mark at least one: in a file with 'mark: business'.")
            )
        for number, message in enumerate(messages):
            if message.get("mark") is not None and message["mark"] not in Mark.values:
                remedy = _("Use one of: %(names)s.") % {"names": ", ".join(Mark.values)}
                yield Flaw(("messages", number, "mark"), _("the mark is %(mark)r") % {"mark": message["mark"]}, remedy)
            if message.get("kind", "text") not in MESSAGE_KINDS:
                remedy = _("Use one of: %(names)s.") % {"names": ", ".join(MESSAGE_KINDS)}
                yield Flaw(("messages", number, "kind"), _("the kind is %(kind)r") % {"kind": message["kind"]}, remedy)

    def order(self, content: Content, chance: random.Random) -> list[str]:
        return [message["id"] for message in content["detail"]["messages"] if message["mark"]]

    def read(self, content: Content, tokens: Mapping[str, str], sent: Sent, before: Answer) -> Answer:
        only(sent, tokens)
        marks = {name: one(sent, token) for token, name in tokens.items() if one(sent, token)}
        if not set(marks.values()) <= set(Mark.values):
            raise Forged("a mark that the page did not offer")
        return marks or None

    def is_complete(self, content: Content, answer: Answer) -> bool:
        return len(answer or ()) == sum(message["mark"] is not None for message in content["detail"]["messages"])

    def credit(self, content: Content, answer: Answer) -> Fraction:
        marks = answer or {}
        asked = [message for message in content["detail"]["messages"] if message["mark"]]
        right = sum(marks.get(message["id"]) == message["mark"] for message in asked)
        if self.rule(content) == "all":
            return EVERYTHING if right == len(asked) else NOTHING
        return Fraction(right, len(asked))

    def shown(self, content: Content, names: Mapping[str, str], answer: Answer, tell: Tell) -> dict:
        marks = answer or {}
        return {
            "title": tell(content["detail"]["title"]),
            "messages": [
                _drawn(message, tell)
                | {"token": names.get(message["id"], ""), "asks": message["mark"] is not None}
                | {"chosen": marks.get(message["id"], "")}
                for message in content["detail"]["messages"]
            ],
        }

    def explained(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> dict:
        marks = answer or {}
        messages = []
        for message in content["detail"]["messages"]:
            drawn = _drawn(message, tell) | {"asks": message["mark"] is not None}
            if message["mark"]:
                chosen = marks.get(message["id"], "")
                drawn |= {"chosen": chosen, "mark": message["mark"], "right": chosen == message["mark"]}
                drawn |= {"why": tell(message["why"])}
            messages.append(drawn)
        return {"title": tell(content["detail"]["title"]), "messages": messages}

    def told(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> list[dict]:
        marks, labels = answer or {}, {mark.value: str(mark.label) for mark in Mark}
        return [
            {
                "shown": f"{tell(message['sender'])}: {tell(message['text'])}",
                "answered": labels.get(marks.get(message["id"]), ""),
                "right": labels.get(message["mark"], ""),
            }
            for message in content["detail"]["messages"]
        ]

    def parts(self, content: Content, answer: Answer) -> list[str]:
        return [f"{message}>{mark}" for message, mark in (answer or {}).items()]

    def parts_told(self, content: Content, tell: Tell) -> list[dict]:
        return [
            {
                "key": f"{message['id']}>{mark.value}",
                "text": f"{tell(message['text'])}: {mark.label}",
                "right": message["mark"] == mark.value,
            }
            for message in content["detail"]["messages"]
            if message["mark"]
            for mark in Mark
        ]


def _drawn(message: Mapping, tell: Tell) -> dict:
    sender = tell(message["sender"])
    return {
        "sender": sender,
        "face": sender[:1],
        "me": bool(message.get("me")),
        "kind": message.get("kind", "text"),
        "text": tell(message["text"]),
    }
