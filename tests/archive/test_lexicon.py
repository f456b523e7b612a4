import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive import lexicon, lexicon_check, lexicon_text
from archive.lexicon import Disguise, Lexicon, Rule
from archive.normalising import joiner, normalise


def rules_in(text: str, **context) -> dict[str, int]:
    return {hit.rule: hit.weight for hit in lexicon_text.shipped().judge(text, **context) if hit.is_signal}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Message me on my personal WhatsApp", "move-app"),
        ("let's switch to Signal", "move-app"),
        ("Let’s use Telegram", "move-app"),
        ("my other number is better", "move-app"),
        ("Contact me on LinkedIn", "move-app"),
        ("call my... no, call me on my cell", "away-from-text"),
        ("Let's take this offline", "away-from-text"),
        ("TYOP", "away-from-text"),
        ("I would rather not put the numbers here.", "knows-recorded"),
        ("careful, this is recorded", "knows-recorded"),
        ("Off the record: yes", "knows-recorded"),
        ("don't leave a trail", "knows-recorded"),
        ("please delete this message", "delete-evade"),
        ("delete it after reading", "delete-evade"),
        ("No screenshots!", "delete-evade"),
        ("send it to my Gmail", "personal-delivery"),
        ("wxid_ab12cd34ef", "account-offered"),
        ("https://wa.me/85290000000", "account-offered"),
        ("wire it to my personal account", "money-aside"),
        ("加我个人微信聊", "move-app"),
        ("加我微信", "move-app"),
        ("换个平台聊吧", "move-app"),
        ("这个号别聊", "move-app"),
        ("价格细节不方便在这里说", "away-from-text"),
        ("我们电话里说", "away-from-text"),
        ("企业微信会存档的", "knows-recorded"),
        ("合规会看到", "knows-recorded"),
        ("别留痕迹", "knows-recorded"),
        ("看完就删", "delete-evade"),
        ("把聊天记录删了，删掉这些聊天记录", "delete-evade"),
        ("阅后即焚", "delete-evade"),
        ("发到我私人邮箱", "personal-delivery"),
        ("微信号：abc_12345", "account-offered"),
        ("转我个人账户", "money-aside"),
    ],
)
def test_words_that_point_off_the_channel_are_seen(text, rule):
    assert rule in rules_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "加我 个 人 微 信",
        "加我个人，微信",
        "加我v信",
        "加我薇信",
        "加我V 信",
        "加我微❤️",
        "加我绿泡泡",
        "加我微\u200b信",
    ],
)
def test_disguises_are_seen_through(text):
    assert "move-app" in rules_in(text)


@pytest.mark.parametrize(
    "text", ["ａｄｄ ｍｅ ｏｎ ＷｈａｔｓＡｐｐ", "ADD  ME\n on WhatsApp", "add me on What\u200bsApp"]
)
def test_spelling_tricks_do_not_help(text):
    assert "move-app" in rules_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "we do not use WhatsApp",
        "Hi all, per our policy we do not use WhatsApp for client business, so please keep everything in this group.",
        "please keep everything in this group",
        "delete the old draft from the folder",
        "call me when you land",
        "请在企业微信里联系我",
        "请勿添加个人微信",
        "按规定不能用私人微信",
        "请用企业微信，不用个人微信",
        "会议记录",
        "删除重复行",
        "我坐飞机去上海，下午上飞机",
        'Training: never write "message me on my personal WhatsApp"',
        "培训案例：“加我私人微信聊”是不允许的",
        "好的，明天十点用企业微信语音联系您。",
        "",
    ],
)
def test_false_friends_are_no_reason_for_a_finding(text):
    assert max(rules_in(text, with_contact=True).values(), default=0) < 3


def test_a_thing_that_is_only_named_is_no_signal():
    [hit] = lexicon_text.shipped().judge("call me when you land", with_contact=True)
    assert (hit.rule, hit.weight, hit.is_signal) == ("call-me", 1, False)


def test_a_contact_makes_a_hit_heavier_and_a_negation_lighter():
    assert rules_in("add me on WhatsApp")["move-app"] == 3
    assert rules_in("add me on WhatsApp", with_contact=True)["move-app"] == 4
    assert rules_in("please do not add me on WhatsApp")["move-app"] == 1
    assert rules_in("不要加我微信")["move-app"] == 1


def test_a_negation_counts_only_before_the_hit_and_near_it():
    assert rules_in("add me on WhatsApp, do not wait")["move-app"] == 3
    assert rules_in("do not worry about the print that we sent you last week, add me on WhatsApp")["move-app"] == 3
    assert rules_in("不要担心上周给您发的那份资料里的小字，加我微信")["move-app"] == 3
    assert rules_in("不要写在这里")["knows-recorded"] == 4  # its own words are no negation of it


def test_the_heaviest_hit_of_a_rule_counts_and_its_span_is_told():
    text = "do not add me on signal. after a second thought, and a third, add me on signal"
    [hit] = [hit for hit in lexicon_text.shipped().judge(text) if hit.rule == "move-app"]
    assert hit.weight == 3
    assert text[hit.start : hit.end] == "add me on signal"
    assert hit.start == text.rindex("add me")


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("请不要 add me on WhatsApp", 1),
        ("please do not 加我微信", 1),
        ("one two three four five six seven eight do not 加我微信", 1),
        ("do not one two three four five six seven add me on WhatsApp", 3),
        ("do not one two three four five six add me on WhatsApp", 1),
        ("不要一二三四五六七八九十加我微信", 1),
        ("不要一二三四五六七八九十十加我微信", 3),
    ],
)
def test_a_negation_in_either_language_reaches_eight_words_or_twelve_characters(text, weight):
    assert rules_in(text)["move-app"] == weight


# --- normalising


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ＡＢＣ  ①\tﬁ", "abc 1 fi"),
        ("Stra\u00dfe ’", "strasse '"),
        ("a\u200bb\u00adc\ufe0fd\u3164e\U000e0041f\x07g", "abcdefg"),
        ("e\u200b\u0301", "é"),
        ("a\x00b\x1cc\x85d", "ab c d"),
        ("  a \n\n b\u3000c ", "a b c"),
    ],
)
def test_what_is_written_differently_and_means_the_same_is_the_same(text, plain):
    assert normalise(text) == plain


@given(st.text())
@example("ẖ")
@example("ΐ ǰ ẚ")
@settings(max_examples=600, deadline=None)
def test_normalising_twice_changes_nothing(text):
    plain = normalise(text)
    assert normalise(plain) == plain
    assert unicodedata.is_normalized("NFKC", plain)


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("加 我，微 信。abc def", "加我微信abc def"),
        ("加_我_微_信", "加我微信"),
        ("abc_def ghi", "abc_def ghi"),
        ("加🙂我 ok", "加我ok"),
        ("𠀀 𠀁 〇 々", "𠀀𠀁〇々"),
        ("", ""),
        ("，加", "加"),
    ],
)
def test_spaces_and_signs_next_to_chinese_characters_go(text, joined):
    assert joiner("")(text) == joined


# --- the built-in examples


@pytest.mark.parametrize("outcome", lexicon_check.check(lexicon_text.shipped()), ids=lambda one: one.example.text)
def test_the_lexicon_that_ships_does_as_every_example_says(outcome):
    assert outcome.is_as_expected, outcome.hits


def test_an_example_that_fails_is_told():
    nothing = Lexicon(
        "1", (Rule("never", 4, "deletion", {"en": ("会议",), "zh": ("会议记录",)}),), (), {"en": (), "zh": ()}
    )
    failed = {one.example.text for one in lexicon_check.check(nothing) if not one.is_as_expected}
    assert "send to my Gmail" in failed
    assert "会议记录" in failed
    assert "删除重复行" not in failed


# --- the fast way finds what trying everything finds

PIECES = [
    "微信",
    "加我",
    "微",
    "信",
    "v信",
    "vx",
    "飞机",
    "坐",
    "不要",
    "do not ",
    "删",
    "记录",
    "a",
    "b",
    " ",
    "，",
    "1",
    "❤",
    "x9",
]
ATOMS = st.sampled_from(
    [*PIECES, "(加|换)", "[微v]", ".{0,3}", "x?", "(a|b)+", r"\b", "[0-9]{1,3}", ".", "(?P<hit>微信)", "$"]
)
PATTERNS = st.lists(ATOMS, min_size=1, max_size=5).map("".join)
WORDS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=30)


def usable(pattern: str) -> bool:
    try:
        lexicon.compiled(pattern)
    except lexicon.BadPattern:
        return False
    return True


LEXICONS = st.builds(
    lambda patterns, disguises, negations: Lexicon(
        "1",
        tuple(
            Rule(f"r{n}", weight, "off_channel", {"en": (en,), "zh": (zh, en)})
            for n, (weight, en, zh) in enumerate(patterns)
        ),
        tuple(Disguise(pattern, "微信") for pattern in disguises),
        {"en": ("do not",), "zh": negations},
    ),
    st.lists(st.tuples(st.integers(1, 4), PATTERNS.filter(usable), PATTERNS.filter(usable)), max_size=12),
    st.lists(PATTERNS.filter(usable), max_size=2),
    st.sampled_from([("不要",), ("不$",), ()]),
)


@given(LEXICONS, st.lists(WORDS, min_size=1, max_size=5), st.booleans())
@settings(max_examples=400, deadline=None)
def test_the_filter_hides_nothing(words, texts, with_contact):
    for text in texts:
        assert words.judge(text, with_contact=with_contact) == words.judge_plainly(text, with_contact=with_contact)


@given(WORDS | st.sampled_from([one.text for one in lexicon_check.examples()]))
@settings(max_examples=400, deadline=None)
def test_the_filter_hides_nothing_of_the_lexicon_that_ships(text):
    words = lexicon_text.shipped()
    assert words.judge(text, with_contact=True) == words.judge_plainly(text, with_contact=True)


def test_a_pattern_that_ruins_others_costs_no_more_than_its_text_is_long():
    cruel = Lexicon(
        "1", (Rule("cruel", 4, "deletion", {"en": ("(a+)+$", "(a|aa)+b"), "zh": ()}),), (), {"en": (), "zh": ()}
    )
    [hit] = cruel.judge("a" * 100_000 + "c" + "a" * 50)
    assert hit.end - hit.start == 50
    assert cruel.judge("a" * 100_000 + "!") == []
