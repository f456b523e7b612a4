import pytest

from archive import lexicon


def rules_in(text: str, **context) -> dict[str, int]:
    return {hit.rule: hit.weight for hit in lexicon.current().judge(text, **context) if hit.is_signal}


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
    [hit] = lexicon.current().judge("call me when you land", with_contact=True)
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
    [hit] = [hit for hit in lexicon.current().judge(text) if hit.rule == "move-app"]
    assert hit.weight == 3
    assert text[hit.start : hit.end] == "add me on signal"
    assert hit.start == text.rindex("add me")


def test_a_broken_list_says_what_to_mend():
    with pytest.raises(lexicon.BrokenLexicon, match="rule broken: '\\('"):
        lexicon.build(
            {
                "version": 1,
                "rules": [{"id": "broken", "weight": 1, "class": "off_channel", "en": ["("]}],
                "negations": {},
            }
        )
    with pytest.raises(lexicon.BrokenLexicon, match="version"):
        lexicon.build({"rules": [], "negations": {"en": [], "zh": []}, "disguises": []})
