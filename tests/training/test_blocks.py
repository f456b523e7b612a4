import json

import pytest

from tests.training.samples import BRANCH, CASE, CHAT, CHECK, LESSON, RULE, SOURCES, STEPS, block, read
from training import blocks
from training.messages import face
from training.parsing import parse

# --- reading -----------------------------------------------------------------------------------------------------


def test_a_lesson_is_read_into_its_blocks_in_order():
    found, mistakes = read(LESSON)
    assert mistakes == []
    assert [b["kind"] for b in found] == ["markdown", "rule", "check", "markdown", "chat", "branch", "steps", "case"]


def test_blocks_are_plain_json():
    found, _ = read(LESSON)
    assert json.loads(json.dumps(found)) == found


def test_every_block_comes_with_the_line_on_which_it_begins():
    found = parse("\n\nText.\n\n::: rule sec-17a-4\nKeep.\n:::\n", sources=SOURCES, report=print, first_line=10)
    assert [line for line, _ in found] == [12, 14]


def test_a_rule_shows_its_source_and_its_text_as_markdown():
    rule = block(RULE)
    assert rule["source"] == SOURCES["sec-17a-4"]
    assert rule["html"] == "<p>Keep it for <strong>three</strong> years.</p>\n"


def test_a_message_brings_the_names_and_links_of_what_it_cites():
    assert block(CHAT)["messages"][2]["cites"] == [
        {"id": "sec-17a-4", "short": "SEC Rule 17a-4", "link": "https://example.com/1"},
        {"id": "practice", "short": "Good practice", "link": ""},
    ]


@pytest.mark.parametrize(
    ("sender", "title", "drawn"),
    [
        ("陈先生", "", "陈"),
        ("Mr Chen 陈先生", "", "陈"),
        ("Mr Chen", "Mr Chen 陈先生", "陈"),
        ("Mr Chen", "Ms Li 李女士", "C"),
        ("Mr. Chen", "", "C"),
        ("lin", "", "L"),
        ("Mr", "", "M"),
    ],
)
def test_a_person_is_drawn_as_one_character(sender, title, drawn):
    assert face(sender, title) == drawn


def test_text_wholly_in_brackets_on_a_phone_is_a_thing():
    screen = block(STEPS)["steps"][0]["screen"]
    assert screen[0] == {"part": "them", "text": "photo of a form", "is_thing": True}
    assert screen[1] == {"part": "button", "text": "View original", "is_thing": False}


def test_words_between_two_brackets_are_words():
    steps = block(STEPS.replace("Received, thank you.", '"[12:04] Received [1]"'))
    assert steps["steps"][1]["screen"][0] == {"part": "me", "text": "[12:04] Received [1]", "is_thing": False}


def test_text_that_cannot_be_read_is_reported_once_and_not_for_every_field():
    assert len(read(CHECK.replace("Purely social.", "Purely: social."))[1]) == 1


def test_a_code_fence_may_show_how_a_block_is_written():
    found, mistakes = read("```\n::: check x\n:::\n```\n")
    assert mistakes == []
    assert [b["kind"] for b in found] == ["markdown"]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("text\n\n::: quiz one\n:::\n", 3, "'quiz' is not a kind of block"),
        ("::: check\n:::\n", 1, "this check has no name"),
        ("::: check Lunch_Time\n:::\n", 1, "a block is named 'Lunch_Time'"),
        ("::: check lunch and more\n:::\n", 1, "a block's name is followed by 'and more'"),
        (RULE + "\n" + RULE, 5, "the lesson has a second block 'sec-17a-4'"),
        ("text\n::: rule sec-17a-4\nKeep.\n", 2, "block 'sec-17a-4' is not closed"),
        ("::: rule sec-17a-4\nKeep.\n\n" + CHECK, 1, "block 'sec-17a-4' is not closed"),
        ("text\n\n:::\n", 3, "':::' closes a block that was never opened"),
        ("  ::: rule sec-17a-4\nKeep.\n:::\n", 1, "':::' is indented"),
        ("::: rule nobody-1\nKeep.\n:::\n", 1, "source 'nobody-1' is not known"),
        ("::: rule sec-17a-4\n\n:::\n", 1, "this rule says nothing"),
        ("::: rule sec-17a-4\nKeep\n<b>it</b>\n:::\n", 3, "raw HTML: <b>"),
        (CASE.replace("case-big-2021", "sec-17a-4"), 1, "source 'sec-17a-4' is a rule, not a case"),
        (CASE.replace("happened", "hapened"), 2, "this case has no field 'hapened'"),
        (CASE.replace("cost: USD 125 million.\n", ""), 2, "this case has no 'cost'"),
        (CASE.replace("when: December 2021, ", ""), 4, "this event has no 'when'"),
        (CHECK.replace("    right: true\n", ""), 3, "no option is right"),
        (CHECK.replace("Lunch at noon?", "Lunch\n    right: true"), 7, "a second option is right"),
        (CHECK.replace("    why: Purely social.\n", ""), 4, "this option has no 'why'"),
        (CHECK.replace("right: true", "right: yes please"), 7, "'right' is neither true nor false"),
        (CHECK.replace("The order went through.", "The order: it went"), 6, "this is not YAML"),
        (CHECK.replace("The order went through.", "[The order]"), 6, "'text' is a list, not text"),
        (CHECK.replace("The order went through.", "2021"), 6, "'text' is 2021, not text"),
        (CHECK.replace("The order went through.", "It went. [@sec-17a-4]"), 6, "'text' has [@sec-17a-4], which"),
        (CHECK.replace("The order went through.", "The <b>order</b>"), 6, "'text' has raw HTML: <b>"),
        (CHECK.replace("options:", "options: none\nother:"), 3, "'options' is not a list"),
        ("::: check lunch\njust text\n:::\n", 1, "this check is not made of 'name: value' lines"),
        ("::: check lunch\n:::\n", 2, "there is nothing here"),
        ("::: check lunch\n~\n:::\n", 2, "there is nothing here"),
        (CHECK.replace("right: true", "correct: true"), 7, "this option has no field 'correct'"),
        (STEPS.replace("why: It must", "because: It must"), 9, "this step has no field 'because'"),
        (CASE.replace("{when:", "{place: here, when:"), 4, "this event has no field 'place'"),
        (CHAT.replace("mark: business", "mark: secret"), 15, "'mark' is 'secret'"),
        (CHAT.replace("kind: voice", "kind: fax"), 13, "'kind' is 'fax'"),
        (CHAT.replace("    mark: personal\n", ""), 7, "this message has a 'why' but no 'mark'"),
        (CHAT.replace("    why: Plainly an order.\n", ""), 12, "this message has no 'why'"),
        (CHAT.replace("cites: [sec-17a-4", "cites: [sec-1"), 17, "source 'sec-1' is not known"),
        (CHAT.split("  - from: Lin")[0] + ":::\n", 4, "'messages' has 1 items"),
        (STEPS.replace("      - note: Sent", "      - beep: Sent"), 13, "a part of the screen is not understood"),
        (STEPS.replace("    why: Words can be searched.\n", ""), 10, "this step has no 'why'"),
        (STEPS.split("  - do: Leave")[0] + ":::\n", 4, "'steps' has 2 items"),
        (CASE.replace("number: 75", "number: many"), 12, "'number' is 'many'"),
        (CASE.replace("unit: USD million\n", ""), 7, "the figures have no unit"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_block_is_reported_with_its_line(text, line, what):
    assert (line, what) in [(at, said[: len(what)]) for at, said in read(text)[1]]


def test_lines_inside_yaml_count_from_where_the_lesson_begins_in_its_file():
    text = "Text.\n\n" + CHECK.replace("    why: Purely social.\n", "")
    assert read(text, first_line=20)[1] == [(25, "this option has no 'why'")]


def test_a_chat_in_which_nothing_is_marked_is_reported():
    text = CHAT
    for gone in ("personal", "business"):
        text = text.replace(f"    mark: {gone}\n", "")
    assert (4, "no message is to be marked") in read(text)[1]


def test_reading_goes_on_after_a_mistake():
    text = CHECK.replace("right: true", "right: perhaps") + CHAT.replace("kind: voice", "kind: fax")
    assert [what for _, what in read(text)[1]] == [
        "'right' is neither true nor false",
        "no option is right",
        "'kind' is 'fax'",
    ]


# --- answers -----------------------------------------------------------------------------------------------------


def test_a_check_tells_nothing_before_it_is_answered():
    shown = blocks.shown(block(CHECK), None)
    assert shown["block"]["options"] == [{"text": "Lunch at noon?"}, {"text": "The order went through."}]
    assert shown["feedback"] is None


def test_a_chat_tells_nothing_before_it_is_marked_but_which_messages_are_asked_about():
    shown = blocks.shown(block(CHAT), None)
    assert [set(m) for m in shown["block"]["messages"]] == [{"sender", "face", "me", "kind", "text", "asks"}] * 3
    assert [m["asks"] for m in shown["block"]["messages"]] == [True, False, True]
    assert shown["feedback"] is None


@pytest.mark.parametrize(("chosen", "right"), [(0, False), (1, True)])
def test_a_check_explains_every_option_once_answered(chosen, right):
    graded = blocks.grade_check(block(CHECK), chosen)
    assert graded["right"] is right
    assert [(o["chosen"], o["right"], o["why"]) for o in graded["options"]] == [
        (chosen == 0, False, "Purely social."),
        (chosen == 1, True, "An order is business."),
    ]


def test_a_chat_says_which_marks_are_right_and_why():
    graded = blocks.grade_chat(block(CHAT), {"0": "both", "2": "business"})
    assert (graded["right"], graded["of"], graded["all_right"]) == (1, 2, False)
    assert [(m["asks"], m["chosen"], m["right"]) for m in graded["messages"]] == [
        (True, "both", False),
        (False, None, False),
        (True, "business", True),
    ]
    assert graded["messages"][2]["why"] == "Plainly an order."


def test_an_unmarked_message_is_not_right():
    graded = blocks.grade_chat(block(CHAT), {"2": "business"})
    assert (graded["right"], graded["messages"][0]["chosen"]) == (1, None)


def test_all_marks_right_is_said():
    assert blocks.grade_chat(block(CHAT), {"0": "personal", "2": "business"})["all_right"] is True


@pytest.mark.parametrize("marks", [{}, {"1": "both"}, {"9": "both"}, {"0": "secret"}])
def test_marks_that_the_page_did_not_offer_are_refused(marks):
    with pytest.raises(blocks.BadAnswer):
        blocks.grade_chat(block(CHAT), marks)


@pytest.mark.parametrize("chosen", [-1, 2, True, "1", None])
def test_an_option_that_the_page_did_not_offer_is_refused(chosen):
    with pytest.raises(blocks.BadAnswer):
        blocks.grade_check(block(CHECK), chosen)


@pytest.mark.parametrize(
    ("text", "data", "answer"),
    [
        (CHECK, {"choice": "1"}, 1),
        (CHAT, {"mark-0": "personal", "mark-2": "both", "x": "y"}, {"0": "personal", "2": "both"}),
        (STEPS, {"step": "3"}, 3),
        (BRANCH, {"path": "1-0"}, [1, 0]),
        (BRANCH, {"path": "start"}, []),
    ],
)
def test_an_answer_is_read_from_what_the_form_sent(text, data, answer):
    assert blocks.read_answer(block(text), data) == answer


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (CHECK, {}),
        (CHECK, {"choice": "2"}),
        (CHECK, {"choice": "-1"}),
        (CHECK, {"choice": "١"}),
        (CHECK, {"choice": "9" * 5000}),
        (CHAT, {}),
        (CHAT, {"mark-1": "both"}),
        (CHAT, {"mark-0": "secret"}),
        (STEPS, {"step": "4"}),
        (RULE, {"choice": "0"}),
        *((BRANCH, {"path": path}) for path in ("", "2", "1-0-0", "-1", "0-", "١", "9" * 5000)),
        (BRANCH, {}),
    ],
)
def test_what_no_form_sends_is_refused(text, data):
    with pytest.raises(blocks.BadAnswer):
        blocks.read_answer(block(text), data)


def test_steps_are_walked_one_at_a_time_and_listed_at_the_end():
    steps = block(STEPS)
    first, last, end = (blocks.feedback(steps, number) for number in (None, 2, 3))
    assert (first["shown"], first["of"], first["back"], first["next"]) == (1, 3, None, 1)
    assert first["step"]["do"] == "Open it."
    assert first["dots"] == ["now", "ahead", "ahead"]
    assert (last["back"], last["next"], last["is_last"], last["done"]) == (1, 3, True, False)
    assert (end["step"], end["next"], end["done"], end["dots"]) == (None, None, True, ["done"] * 3)


@pytest.mark.parametrize(
    ("text", "answer", "done"),
    [
        (RULE, None, True),
        (CHECK, None, False),
        (CHECK, 0, True),
        (CHAT, None, False),
        (CHAT, {"0": "both"}, True),
        (STEPS, None, False),
        (STEPS, 2, False),
        (STEPS, 3, True),
        (BRANCH, None, False),
        (BRANCH, [1], False),
        (BRANCH, [1, 0], True),
    ],
)
def test_a_block_is_done_when_it_was_answered_or_walked_to_the_end(text, answer, done):
    assert blocks.is_done(block(text), answer) is done


def test_a_chat_in_which_several_others_speak_is_a_group():
    assert blocks.shown(block(CHAT), None)["block"]["is_group"] is False
    assert blocks.shown(block(CHAT.replace("from: Mr Chen\n    kind", "from: Ms Li\n    kind")), None)["block"][
        "is_group"
    ]


def test_figures_are_drawn_as_shares_of_the_largest():
    drawn = blocks.shown(block(CASE), None)["block"]["bars"]
    assert [(bar["number"], bar["share"]) for bar in drawn] == [("125", 100), ("75", 60)]


def test_a_case_published_before_there_were_figures_is_still_shown():
    old = block(CASE)
    del old["figures"]
    assert blocks.shown(old, None)["block"]["bars"] == []
