"""The lexicon as people write it: every fault has its line, and changing one rule leaves all other lines alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import lexicon_text
from archive.lexicon import Rule
from archive.lexicon_text import BrokenLexicon, parse

GOOD = """# what it is for
disguises:
  - [v信, 微信]
negations:
  en: [do not]
  zh: [不要]
rules:
  - id: first  # a word on it
    weight: 3
    class: off_channel
    en:
      - 'whatsapp'

  # about the second
  - id: second
    weight: 4
    class: deletion
    zh: [看完就删, 'it''s']
"""


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BrokenLexicon) as caught:
        parse(text)
    return [(fault.line, fault.what) for fault in caught.value.faults]


def test_a_good_text_is_read():
    words = parse(GOOD, version="7")
    assert words.version == "7"
    assert [(rule.id, rule.weight, rule.kind) for rule in words.rules] == [
        ("first", 3, "off_channel"),
        ("second", 4, "deletion"),
    ]
    assert words.rules[1].patterns == {"en": (), "zh": ("看完就删", "it's")}


@pytest.mark.parametrize(
    ("was", "becomes", "line", "what"),
    [
        ("'whatsapp'", "'(whatsapp'", 12, "missing )"),
        ("'whatsapp'", "'(?<!no )whatsapp'", 12, "invalid perl operator"),
        ("'whatsapp'", "'(a)\\1'", 12, "invalid escape"),
        ("'whatsapp'", "'((((((a{100}){100}){100}){100}){100}){100})'", 12, "is not a pattern"),
        ("'whatsapp'", "'a*'", 12, "finds nothing at all"),
        ("'whatsapp'", "'" + "a" * 501 + "'", 12, "longer than 500"),
        ("weight: 3", "weight: 5", 9, "a weight is 1, 2, 3 or 4"),
        ("weight: 3", "weight: three", 9, "a weight is 1, 2, 3 or 4"),
        ("weight: 3", "wieght: 3", 9, "“wieght” is not known"),
        ("weight: 3", "class: deletion", 10, "“class” is there twice"),
        ("id: second", "id: first", 15, "first is there twice"),
        ("id: second", "id: Second One", 15, "an id is small letters"),
        ("class: deletion", "class: rude", 17, "a class is off_channel or deletion"),
        ("    zh: [看完就删, 'it''s']", "    zh: []", 15, "the rule has no patterns"),
        ("zh: [看完就删", "zh: &a [看完就删", 18, "anchors, aliases"),
        ("zh: [看完就删", "zh: !!python/name:os.system [看完就删", 18, "anchors, aliases"),
        ("zh: [看完就删", "zh: [[[[[[[[[看完就删", 18, "nested too deeply"),
        ("  en: [do not]", "  en: [do not", 6, "unreadable from here on"),
        ("- [v信, 微信]", "- [v信]", 3, "a disguise is"),
        ("rules:", "rules: 5\nother:", 7, "must be a list"),
    ],
)
def test_every_fault_is_told_with_its_line(was, becomes, line, what):
    assert was in GOOD
    found = faults(GOOD.replace(was, becomes, 1))
    assert line in [at for at, _what in found]
    assert what in " ".join(told for _at, told in found)


@pytest.mark.parametrize(
    "text", ["", "just words", "[]", "a: [", "\x00", "rules: []\nversion: 1\n" + "#" * 300_000, "[" * 50_000]
)
def test_what_is_no_lexicon_is_refused(text):
    if text.startswith("rules") and len(text) < 1000:
        parse(text)
    else:
        assert faults(text)


def test_all_faults_are_told_at_once():
    broken = GOOD.replace("weight: 3", "weight: 9").replace("class: deletion", "class: x")
    assert [line for line, _what in faults(broken)] == [9, 17]


RULES = st.builds(
    lambda identity, weight, kind, en, zh: Rule(identity, weight, kind, {"en": tuple(en), "zh": tuple(zh)}),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
    st.integers(1, 4),
    st.sampled_from(["off_channel", "deletion"]),
    st.lists(
        st.sampled_from(["a b", "it's", r"\bx\.y", "# no remark", "- x", "微信：", "a: b", '"', "é\u00a0x"]),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.sampled_from(["加我", "[微v]信", "yes", "null", "1"]), max_size=2),
)


@given(RULES, st.sampled_from(["first", "second", ""]))
@settings(max_examples=100, deadline=None)
def test_one_rule_is_put_in_and_all_other_lines_stay(rule, replaces):
    if rule.id in ("first", "second") and rule.id != replaces:
        return
    text = lexicon_text.with_rule(GOOD, rule, replaces=replaces)
    after = parse(text)
    assert rule in after.rules
    others = [one for one in parse(GOOD).rules if one.id != replaces]
    assert [one for one in after.rules if one.id != rule.id] == others
    assert "# what it is for\n" in text
    assert ("# about the second\n" in text) is True
    assert lexicon_text.without_rule(text, rule.id).count("- id:") == len(others)


def test_the_shipped_text_comes_back_from_its_own_rules():
    text = lexicon_text.shipped_text()
    for rule in lexicon_text.shipped().rules:
        text = lexicon_text.with_rule(text, rule, replaces=rule.id)
    assert parse(text) == lexicon_text.shipped()


def test_what_differs_is_told_rule_by_rule():
    after = GOOD.replace("weight: 3", "weight: 2").replace("看完就删, ", "").replace("- [v信, 微信]", "- [vx, 微信]")
    after = lexicon_text.with_rule(after, Rule("third", 1, "deletion", {"en": ("x",), "zh": ()}))
    told = [(one.what, one.sort, one.was, one.now) for one in lexicon_text.differences(parse(GOOD), parse(after))]
    assert told == [
        ("disguises", "changed", ("v信 → 微信",), ("vx → 微信",)),
        ("first", "changed", ("weight: 3",), ("weight: 2",)),
        ("second", "changed", ("zh: 看完就删",), ()),
        ("third", "added", (), ("weight: 1", "class: deletion", "en: x")),
    ]
    [gone] = lexicon_text.differences(parse(GOOD), parse(lexicon_text.without_rule(GOOD, "first")))
    assert (gone.what, gone.sort) == ("first", "removed")
