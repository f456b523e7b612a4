"""A question of every kind, in two languages, as publish_bank takes them; and how a form would answer each rightly."""

from collections.abc import Mapping

from quizzes.models import Response
from tests.quizzes.conftest import question


def two(english: str, chinese: str) -> dict[str, str]:
    return {"en": english, "zh-hans": chinese}


def both(text: str) -> dict[str, str]:
    return two(text, f"中文 {text}")


def plain(slug: str, kind: str, options: list[dict], detail: dict | None = None, **fields) -> dict:
    about = {"stem": both(f"{slug}: stem"), "explanation": both(f"{slug}: SECRET explanation"), "detail": detail or {}}
    return question(slug, options=options, **about) | {"kind": kind} | fields


WORDS = {"right": "lark", "right-1": "lynx", "right-2": "mole", "wrong-1": "newt", "wrong-2": "orca"}
WORDS |= {"first": "pike", "second": "rook", "third": "swan", "fourth": "toad", "yes": "True", "no": "False"}


def option(name: str, text: str = "", **fields) -> dict:
    return {"id": name, "text": both(text or WORDS[name]), "why": both(f"SECRET why {name}")} | fields


SINGLE = plain("single", "single", [option("right", right=True), option("wrong-1"), option("wrong-2")])
MULTIPLE = plain(
    "multiple", "multiple", [option("right-1", right=True), option("right-2", right=True), option("wrong-1")]
)
TRUEFALSE = plain("truefalse", "truefalse", [option("yes", right=True), option("no", right=False)])
MATCHING = plain(
    "matching",
    "matching",
    [option("us", "Three years"), option("cn", "Twenty years"), option("none", "One day")],
    {
        "prompts": [
            {"id": "p-us", "text": both("SEC"), "match": "us", "why": both("SECRET why us")},
            {"id": "p-cn", "text": both("CSRC"), "match": "cn", "why": both("SECRET why cn")},
        ]
    },
)
ORDERING = plain("ordering", "ordering", [option("first"), option("second"), option("third"), option("fourth")])
NUMERIC = plain(
    "numeric",
    "numeric",
    [
        {"id": "three", "right": True, "value": "3", "tolerance": "0.25", "why": both("SECRET three")},
        {"id": "six", "value": "6", "why": both("SECRET six")},
    ],
    {
        "units": [
            {"id": "years", "text": two("years", "年"), "factor": "1"},
            {"id": "months", "text": two("months", "个月"), "factor": "1/12"},
        ]
    },
)
TEXT = plain(
    "text",
    "text",
    [
        {
            "id": "wecom",
            "right": True,
            "accepts": {"en": ["WeCom", "enterprise wechat*"], "zh-hans": ["企业微信"]},
            "why": both("SECRET wecom"),
        },
        {
            "id": "wechat",
            "weight": "1/2",
            "accepts": {"en": ["WeChat"], "zh-hans": ["微信"]},
            "why": both("SECRET half"),
        },
    ],
)
CHAT = plain(
    "chat",
    "chat",
    [],
    {
        "title": both("Mr Chen"),
        "messages": [
            {
                "id": "hello",
                "sender": both("Mr Chen"),
                "text": both("Happy new year"),
                "mark": "personal",
                "why": both("SECRET hello"),
            },
            {"id": "thanks", "sender": both("Lin"), "me": True, "text": both("Thank you"), "mark": None},
            {
                "id": "order",
                "sender": both("Mr Chen"),
                "kind": "voice",
                "text": both("Buy the bond"),
                "mark": "business",
                "why": both("SECRET order"),
            },
        ],
    },
)
SCENARIO = plain(
    "scenario",
    "scenario",
    [],
    {
        "start": "call",
        "scenes": [
            {
                "id": "call",
                "text": both("A client writes on WeChat"),
                "choices": [
                    {"id": "move", "text": both("Move it to WeCom"), "to": "moved", "why": both("SECRET move")},
                    {"id": "reply", "text": both("Reply there"), "to": "replied", "why": both("SECRET reply")},
                ],
            },
            {
                "id": "replied",
                "text": both("The order stands in a private chat"),
                "choices": [
                    {"id": "report", "text": both("Tell Compliance"), "to": "told", "why": both("SECRET report")},
                    {"id": "hide", "text": both("Say nothing"), "to": "hidden", "why": both("SECRET hide")},
                ],
            },
            {"id": "moved", "text": both("It is captured"), "weight": "1", "why": both("SECRET moved")},
            {"id": "told", "text": both("It is captured late"), "weight": "1/2", "why": both("SECRET told")},
            {"id": "hidden", "text": both("It comes out"), "weight": "0", "why": both("SECRET hidden")},
        ],
    },
)
ALL = [SINGLE, MULTIPLE, TRUEFALSE, MATCHING, ORDERING, NUMERIC, TEXT, CHAT, SCENARIO]
BY_KIND = {sample["kind"]: sample for sample in ALL}

# As a form sends them, with ids in place of tokens: {kind: {field: [values]}}.
RIGHT: dict[str, dict[str, list[str]]] = {
    "single": {"": ["right"]},
    "multiple": {"": ["right-1", "right-2"]},
    "truefalse": {"": ["yes"]},
    "matching": {"p-us": ["us"], "p-cn": ["cn"]},
    "ordering": {"first": ["1"], "second": ["2"], "third": ["3"], "fourth": ["4"]},
    "numeric": {"": ["36"], "unit": ["months"]},
    "text": {"": ["企业微信"]},
    "chat": {"hello": ["personal"], "order": ["business"]},
    "scenario": {"": ["move"]},
}
WRONG: dict[str, dict[str, list[str]]] = {
    "single": {"": ["wrong-1"]},
    "multiple": {"": ["wrong-1"]},
    "truefalse": {"": ["no"]},
    "matching": {"p-us": ["cn"], "p-cn": ["us"]},
    "ordering": {"first": ["4"], "second": ["3"], "third": ["2"], "fourth": ["1"]},
    "numeric": {"": ["6"], "unit": ["years"]},
    "text": {"": ["telegram"]},
    "chat": {"hello": ["business"], "order": ["personal"]},
    "scenario": {"": ["reply"]},
}


def sent(response: Response, fields: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the fields with the tokens of the response's page in place of ids."""
    token_of = {name: token for token, name in response.tokens.items()}
    return {
        token_of.get(field, field): [token_of.get(value, value) for value in values] for field, values in fields.items()
    }
