import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from django.template.loader import render_to_string

from tests.training.samples import BRANCH, CASE, CHAT, CHECK, RULE, STEPS, block
from training import blocks
from training.messages import MESSAGE_KINDS


def draw(text: str, answer=None, **more) -> BeautifulSoup:
    shown = blocks.shown(block(text), answer)
    context = {**shown, "action_url": "/here/", "csrf_token": "token", **more}
    return BeautifulSoup(render_to_string(shown["template"], context), "html.parser")


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        (CHECK, ["Purely social", "An order is business", "right"]),
        (CHAT, ["Only a greeting", "Plainly an order", "sec-17a-4", "SEC Rule", "is-right"]),
        (
            BRANCH,
            ["goes where", "accepts an order", "SEC Rule", "is-right", "keeps", "breaks", "And the price", "stands in"],
        ),
    ],
)
def test_the_page_of_an_unanswered_block_holds_no_answer(text, secrets):
    page = str(draw(text))
    assert not [secret for secret in secrets if secret in page]


@pytest.mark.parametrize("text", [CHECK, CHAT, BRANCH, STEPS])
def test_an_exercise_is_a_plain_form_that_htmx_only_shortens(text):
    page = draw(text)
    [form] = page.select("form")
    [root] = page.find_all(recursive=False)
    name = block(text)["name"]
    assert (form["method"], form["action"], form["hx-post"]) == ("post", "/here/", "/here/")
    assert (form["hx-target"], form["hx-swap"]) == (f"#{root['id']}", "outerHTML")
    assert root["id"] == f"block-{name}"
    assert form.select_one("[name=block]")["value"] == name
    assert form.select_one("[name=csrfmiddlewaretoken]")["value"] == "token"


@pytest.mark.parametrize("text", [CHECK, CHAT])
def test_every_choice_stands_in_a_fieldset_with_a_legend_and_a_label(text):
    page = draw(text)
    assert page.select("input[type=radio]")
    for radio in page.select("input[type=radio]"):
        assert radio.find_parent("label")
        assert radio.find_parent("fieldset").legend.get_text(strip=True)


@pytest.mark.parametrize(
    ("text", "fields"), [(CHECK, {"choice"}), (CHAT, {"mark-0", "mark-2"}), (BRANCH, {"path"}), (STEPS, {"step"})]
)
def test_a_form_sends_what_is_read_from_it(text, fields):
    sent = {field["name"] for field in draw(text).select("[type=radio], button[name]")}
    assert sent == fields


@pytest.mark.parametrize(("text", "answer"), [(CHECK, 0), (CHAT, {"0": "both"}), (BRANCH, [0]), (STEPS, 3)])
def test_feedback_is_announced_and_takes_the_focus_only_as_the_answer_to_a_click(text, answer):
    [said] = draw(text, answer).select("[role=status]")
    assert said["aria-live"] == "polite"
    assert not said.has_attr("autofocus")
    [fresh] = draw(text, answer, request=SimpleNamespace(htmx=True)).select("[autofocus]")
    assert fresh["role"] == "status"


def test_the_next_step_takes_the_focus_so_that_the_keyboard_stays_where_it_was():
    [fresh] = draw(STEPS, 1, request=SimpleNamespace(htmx=True)).select("[autofocus]")
    assert "Say what it is." in fresh.get_text()


def test_the_right_answer_is_told_in_words_and_not_by_colour_alone():
    said = draw(CHECK, 0).get_text(" ", strip=True)
    for words in ("Not this one", "Your answer", "The right answer", "An order is business."):
        assert words in said


def test_a_wrong_mark_names_both_what_was_marked_and_what_it_is():
    said = " ".join(draw(CHAT, {"0": "both", "2": "business"}).get_text(" ").split())
    assert "You marked: Both It is: Personal Only a greeting." in said
    assert "1 of 2 marks are right" in said


def test_a_step_shows_one_screen_and_the_end_lists_all_steps():
    first, end = draw(STEPS), draw(STEPS, 3)
    assert "Step 1 of 3" in first.get_text()
    assert "Say what it is." not in first.get_text()
    assert [li.b.get_text() for li in end.select("ol.summary li")] == ["Open it.", "Say what it is.", "Leave it there."]


def test_the_drawn_button_of_a_step_leads_on_like_the_real_one():
    page = draw(STEPS)
    assert page.select_one(".phone button")["value"] == page.select_one(".walk-on button")["value"] == "1"


def test_who_is_past_the_first_step_can_go_back():
    assert [b["value"] for b in draw(STEPS, 1).select(".walk-on button")] == ["0", "2"]


def test_a_branch_shows_what_was_said_what_it_does_to_the_record_and_where_it_led():
    said = " ".join(draw(BRANCH, [1, 0]).get_text(" ").split())
    for words in (
        "Your reply: OK 👍",
        "This breaks the rule. That accepts",
        "And the price?",
        "This keeps the record.",
    ):
        assert words in said
    assert "Where it led Compliance has the chat by eleven. 2 of 4 points on this path." in said
    assert "41.5" not in said


def test_a_branch_leads_on_back_and_to_its_beginning_by_plain_buttons():
    assert [b["value"] for b in draw(BRANCH).select("button")] == ["0", "1"]
    assert [b["value"] for b in draw(BRANCH, [1]).select("button")] == ["1-0", "1-1", "start"]
    assert [b["value"] for b in draw(BRANCH, [1, 1]).select("button")] == ["1", "start"]


def test_names_are_seen_in_a_group_and_only_heard_in_a_chat_of_two():
    assert not draw(CHAT).select(".sender")
    group = draw(CHAT.replace("from: Mr Chen\n    kind", "from: Ms Li\n    kind"))
    assert [name.get_text() for name in group.select(".sender")] == ["Mr Chen: ", "Ms Li: "]


def test_figures_are_a_table_with_bars_beside_the_numbers():
    page = draw(CASE)
    assert [row.get_text(" ", strip=True) for row in page.select(".bars tr")] == ["SEC 125", "CFTC 75"]
    assert [bar["width"] for bar in page.select("rect")] == ["100", "60"]
    assert "USD million" in page.caption.get_text()


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_every_kind_of_message_is_drawn_with_what_is_seen_or_heard(kind):
    text = CHAT.replace("kind: voice", f"kind: {kind}")
    [drawn] = draw(text).select("li:nth-of-type(3) .bubble")
    assert "The bond: go ahead" in drawn.get_text()
    assert kind == "text" or f"is-{kind}" in drawn["class"]


@pytest.mark.parametrize("text", [RULE, CASE])
def test_a_card_names_its_source_and_links_to_it(text):
    page = draw(text)
    assert page.select_one("a")["href"] == "https://example.com/1"
    assert "The long name" in page.get_text()


@pytest.mark.parametrize("text", [RULE, CHECK, CHAT, BRANCH, STEPS, CASE])
def test_text_from_a_course_is_never_markup(text):
    hostile = json.loads(
        json.dumps(block(text))
        .replace("Open it", "<i>")
        .replace("texted", "<i>")
        .replace("Lunch", "<i>")
        .replace("Buy", "<i>")
    )
    shown = blocks.shown(hostile, None)
    page = render_to_string(shown["template"], {**shown, "action_url": "/", "csrf_token": "t"})
    assert "<i>" not in page


@pytest.mark.parametrize("name", sorted(p.name for p in Path("templates/components").glob("lesson_*.html")))
def test_a_component_begins_by_naming_what_it_takes_and_holds_nothing_inline(name):
    text = (Path("templates/components") / name).read_text(encoding="utf-8")
    assert text.startswith("{# ")
    assert "Takes `" in text.splitlines()[0]
    assert not [word for word in (" style=", " onclick", "<script", "hx-on", "javascript:") if word in text]
