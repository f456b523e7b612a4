"""A lexicon of any number of rules for measuring: those that ship, one rule a pattern, then more of their sort."""

from collections.abc import Iterator

from archive.lexicon import LANGUAGES, Lexicon, Rule
from archive.lexicon_text import shipped

# A list each, as words in a line.
NAMES = [
    "viber",
    "skype",
    "snapchat",
    "discord",
    "slack",
    "threema",
    "wire",
    "element",
    "session",
    "briar",
    "jami",
    "zoom",
    "teams",
    "webex",
    "meet",
    "allo",
    "tango",
    "hike",
    "imo",
    "zalo",
    "line2",
    "kik",
    "groupme",
    "marco",
    "voxer",
    "twist",
    "chanty",
    "ryver",
    "flock",
    "zulip",
    "mattermost",
    "rocket",
    "keybase",
    "wickr",
    "confide",
    "dust",
    "cyphr",
    "silence",
    "pryvate",
    "surespot",
]
NAMES_ZH = [
    "微博",
    "抖音",
    "小红书",
    "陌陌",
    "探探",
    "脉脉",
    "知乎",
    "豆瓣",
    "贴吧",
    "闲鱼",
    "旺旺",
    "来往",
    "易信",
    "米聊",
    "子弹",
    "多闪",
    "马桶",
    "连信",
    "派派",
    "比心",
    "他趣",
    "积目",
    "世纪佳缘",
    "珍爱",
    "云信",
    "容联",
    "环信",
    "融云",
    "蓝信",
    "有度",
    "微议",
    "信源",
    "密信",
    "蝙蝠",
    "事密达",
    "安司密信",
    "泰信",
    "密聊",
    "私聊宝",
    "悄悄话",
]
TEMPLATES = {
    "en": (r"\b(message|text|ping|add|find) me (on|via|through) (my )?{}\b", r"\bmy {} (account|id|number|name)\b"),
    "zh": ("[加换用上到转].{{0,4}}{}", "{}(上|里)?(聊|说|联系|发我)"),
}


def rules() -> Iterator[Rule]:
    """Yield rules without end: first what ships, in turn of both languages, then what firms add."""
    one_each = {
        language: [(rule, text) for rule in shipped().rules for text in rule.patterns[language]]
        for language in LANGUAGES
    }
    number = 0
    for n in range(max(len(found) for found in one_each.values())):
        for language, found in one_each.items():
            if n < len(found):
                rule, text = found[n]
                number += 1
                yield Rule(f"rule-{number}", rule.weight, rule.kind, {"en": (), "zh": (), language: (text,)})
    round_no = 0
    while True:
        for names, language in ((NAMES, "en"), (NAMES_ZH, "zh")):
            for name in names:
                for template in TEMPLATES[language]:
                    number += 1
                    pattern = template.format(name + (str(round_no) if round_no else ""))
                    yield Rule(f"rule-{number}", 3, "off_channel", {"en": (), "zh": (), language: (pattern,)})
        round_no += 1


def lexicon(count: int) -> Lexicon:
    """Return a lexicon of so many rules."""
    made = tuple(rule for rule, _n in zip(rules(), range(count), strict=False))
    return Lexicon(f"bench-{count}", made, shipped().disguises, shipped().negations)
