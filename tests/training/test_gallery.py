import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from training import blocks, gallery
from training.messages import MESSAGE_KINDS

PAGE = reverse("training:components")


@pytest.fixture
def author(make_employee, sign_in):
    return sign_in(make_employee(roles=("Author",)))


def test_every_block_and_every_kind_of_message_is_on_the_page():
    for language in ("en", "zh-hans"):
        lesson = gallery._lesson(language)
        assert {block["kind"] for block in lesson} >= {"markdown", "rule", "case", *blocks.INTERACTIVE}
        kinds = {message["kind"] for block in lesson for message in block.get("messages", ())}
        assert kinds == set(MESSAGE_KINDS)


def test_both_languages_show_the_same_blocks():
    english, chinese = ([blocks.shape(block) for block in gallery._lesson(code)] for code in ("en", "zh-hans"))
    assert english == chinese


def test_the_page_shows_both_themes_and_no_id_twice(author):
    page = BeautifulSoup(author.get(PAGE).text, "html.parser")
    assert [section["data-theme"] for section in page.select("[data-theme]")] == ["light", "dark"]
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_what_is_tried_on_the_page_is_shown_answered_and_kept_nowhere(author, headers):
    sent = {"block": "sample-check-0-dark", "choice": "1"}
    answered = BeautifulSoup(author.post(PAGE, sent, headers=headers).text, "html.parser")
    assert "Right." in answered.select_one("#block-sample-check-0-dark").get_text()
    again = BeautifulSoup(author.get(PAGE).text, "html.parser")
    assert again.select_one("#block-sample-check-0-dark form")


def test_what_the_page_does_not_offer_changes_nothing(author):
    for sent in ({"block": "nobody"}, {"block": "sample-check-0-dark", "choice": "9"}, {}):
        assert author.post(PAGE, sent).status_code == 200


def test_a_fixed_theme_has_the_colours_of_the_theme_that_a_reader_has():
    css = Path("static/css/tokens.css").read_text(encoding="utf-8")

    def colours(text: str) -> dict[str, str]:
        return dict(re.findall(r"(--[a-z0-9-]+): ((?:#|rgb)[^;]+);", text))

    light, dark, fixed_light, fixed_dark = (colours(part) for part in re.split(r"@media|\[data-theme=\"\w+\"\]", css))
    assert light == fixed_light
    assert dark == fixed_dark
