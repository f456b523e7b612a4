"""Questions of every kind in fields: nothing is lost there and back, and what is wrong is said where it stands."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes import editor, services
from quizzes.editor.shapes import SHAPES, credits_of
from quizzes.formats.base import texts_in
from quizzes.kinds import KINDS
from quizzes.models import Bank, Question
from tests.quizzes.reading import DULL
from tests.quizzes.samples import ALL, BY_KIND
from tests.quizzes.test_editing import form_of

CHAT = BY_KIND["chat"]
for message in CHAT["detail"]["messages"]:
    message.setdefault("kind", "text")  # as every reader of files writes it


def whole(sample: dict) -> dict:
    return DULL | sample


@pytest.fixture
def author(make_employee):
    return make_employee(roles=("Author",))


@pytest.fixture
def bank(db) -> Bank:
    services.publish_bank(slug="b", title={"en": "Bank"}, questions=ALL, by="system:test")
    return Bank.objects.get()


def test_every_kind_has_its_fields():
    assert set(SHAPES) == set(KINDS) == set(Question.Kind.values)


@pytest.mark.parametrize("sample", ALL, ids=lambda one: one["kind"])
def test_a_question_is_the_same_after_its_form(sample):
    draft = editor.read(editor.data_of(whole(sample), sample["slug"]))
    assert draft.errors == {}
    assert draft.slug == sample["slug"]
    assert editor.fits(whole(sample))


@pytest.mark.parametrize("sample", ALL, ids=lambda one: one["kind"])
def test_what_a_page_shows_comes_back_unchanged(bank, author, sign_in, sample):
    client, address = sign_in(author), reverse("quizzes:edit", args=["b", sample["slug"]])
    page = client.get(address).text
    assert 'name="text"' not in page
    client.post(address, form_of(page) | {"stem-en": "Asked otherwise", "save": "1"})
    first, second = Question.objects.filter(slug=sample["slug"]).order_by("version")
    assert second.stem == first.stem | {"en": "Asked otherwise"}
    assert {o["id"] for o in second.options} == {o["id"] for o in first.options}
    assert second.detail.keys() == first.detail.keys()


NEW = {
    "single": {"options-0-text-en": "This", "options-0-right": "on", "options-1-text-en": "That"},
    "multiple": {
        "options-0-text-en": "This", "options-0-right": "on", "options-1-text-en": "That", "options-2-text-en": "It",
        "options-2-right": "on", "credit": "parts",
    },
    "truefalse": {"options-0-text-en": "True", "options-0-right": "on", "options-1-text-en": "False"},
    "matching": {
        "options-0-text-en": "Three", "options-1-text-en": "Six", "prompts-0-text-en": "US", "prompts-0-match": "a",
        "prompts-1-text-en": "EU", "prompts-1-match": "b",
    },
    "ordering": {f"options-{n}-text-en": f"Step {n}" for n in range(3)},
    "numeric": {"options-0-value": "3", "options-0-right": "on", "options-0-tolerance": "5%"},
    "text": {"options-0-accepts-en": "WeCom\nWeChat Work", "options-0-right": "on"},
    "chat": {
        "title-en": "Mr Chen", "messages-0-sender-en": "Mr Chen", "messages-0-text-en": "Go ahead",
        "messages-0-mark": "business", "messages-0-kind": "voice",
    },
    "scenario": {
        "scenes-0-text-en": "A call", "scenes-0-choices-0-text-en": "Move", "scenes-0-choices-0-to": "s2",
        "scenes-0-choices-1-text-en": "Stay", "scenes-0-choices-1-to": "s3", "scenes-1-text-en": "Good",
        "scenes-1-weight": "1", "scenes-2-text-en": "Bad", "scenes-2-weight": "0",
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(NEW))
def test_a_new_question_of_every_kind_is_written_in_fields(bank, author, sign_in, kind):
    client, address = sign_in(author), reverse("quizzes:new", args=["b"])
    empty = form_of(client.get(address, {"kind": kind}).text)
    typed = empty | NEW[kind] | {"id": "fresh", "stem-en": "What?"}
    preview = client.post(address, typed | {"preview": "1"}).text
    assert "Mend these first" not in preview
    assert client.post(address, typed | {"save": "1"}).status_code == 302
    made = Question.objects.get(slug="fresh")
    assert made.kind == kind
    assert made.state == "draft"
    assert editor.fits({name: getattr(made, name) for name in (*DULL, *whole(BY_KIND[kind])) if hasattr(made, name)})


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("single", {"options-0-right": None}, "options"),
        ("single", {"credit": "weights", "options-0-weight": "3"}, "options-0-weight"),
        ("single", {"stem-zh-hans": "什么？"}, "options-0-text-zh-hans"),
        ("matching", {"prompts-1-match": ""}, "prompts-1-match"),
        ("numeric", {"options-0-tolerance": "wide"}, "options-0-tolerance"),
        ("numeric", {"options-0-value": "", "options-0-why-en": "So"}, "options-0-value"),
        ("text", {"options-1-why-en": "No words"}, "options-1-accepts-en"),
        ("chat", {"title-en": ""}, "title-en"),
        ("chat", {"messages-0-sender-en": ""}, "messages-0-sender-en"),
        ("scenario", {"scenes-0-choices-1-to": "s9"}, "scenes-0-choices-1-to"),
        ("scenario", {"scenes-2-weight": "many"}, "scenes-2-weight"),
        ("scenario", {"scenes-2-weight": ""}, "scenes-2"),
        ("ordering", {"points": "many"}, "points"),
    ],
)
def test_what_is_wrong_stands_at_its_field(kind, change, field):
    data = editor.begun(kind) | NEW[kind] | {"stem-en": "What?"} | change
    data = {name: value for name, value in data.items() if value is not None}
    draft = editor.read(data)
    assert draft.question is None
    assert field in draft.errors
    assert draft.errors[field][0] in set(texts_in(editor.shown(data, draft.errors)))


def test_an_error_on_the_page_names_the_field_it_is_about(bank, author, sign_in):
    address = reverse("quizzes:new", args=["b"]) + "?kind=numeric"
    typed = editor.begun("numeric") | NEW["numeric"] | {"stem-en": "What?", "options-0-tolerance": "wide"}
    page = BeautifulSoup(sign_in(author).post(address, typed | {"save": "1"}).text, "html.parser")
    field = page.select_one('[name="options-0-tolerance"]')
    assert field["aria-invalid"] == "true"
    assert "tolerance" in page.select_one("#" + field["aria-describedby"]).text
    assert page.select_one('[name="options-0-value"]')["value"] == "3"


# --- rows ----------------------------------------------------------------------------------------------------------


def test_rows_are_added_removed_and_moved_without_scripts(bank, author, sign_in):
    client, address = sign_in(author), reverse("quizzes:edit", args=["b", "ordering"])
    form = form_of(client.get(address).text)
    assert form["options-rows"] == "6"
    form = form_of(client.post(address, form | {"more": "options"}).text)
    assert form["options-rows"] == "8"
    form = form_of(client.post(address, form | {"remove": "options:0"}).text)
    assert [form[f"options-{n}-text-en"] for n in range(4)] == ["rook", "swan", "toad", ""]
    form = form_of(client.post(address, form | {"up": "options:2"}).text)
    assert [form[f"options-{n}-text-en"] for n in range(3)] == ["rook", "toad", "swan"]
    assert [form[f"options-{n}-id"] for n in range(3)] == ["second", "fourth", "third"]
    assert Question.objects.filter(slug="ordering").count() == 1  # nothing is saved by it
    client.post(address, form | {"save": "1"})
    saved = Question.objects.filter(slug="ordering").newest().get()
    assert [o["id"] for o in saved.options] == ["second", "fourth", "third"]


def test_choices_of_a_scene_are_rows_as_well():
    data = editor.begun("scenario") | NEW["scenario"]
    more = editor.changed_rows(data | {"more": "scenes-0-choices"})
    assert more["scenes-0-choices-rows"] == "4"
    less = editor.changed_rows(more | {"remove": "scenes-0-choices:0"})
    assert less["scenes-0-choices-0-text-en"] == "Stay"
    gone = editor.changed_rows(less | {"remove": "scenes:0"})
    assert gone["scenes-0-text-en"] == "Good"
    assert "scenes-2-text-en" not in gone


@pytest.mark.parametrize("deed", ["remove", "up", "more"])
@pytest.mark.parametrize("value", ["", "options", "options:99", "nothing:1", "options-1-x:0", ":", "options:-1"])
def test_forged_buttons_change_nothing(deed, value):
    data = editor.begun("single") | NEW["single"] | {"stem-en": "What?"}
    changed = editor.changed_rows(data | {deed: value})
    assert editor.read(changed).question["options"] == editor.read(data).question["options"]


NAMES = [
    "kind", "options-rows", "options-0-id", "options-0-text-en", "points", "scenes-rows", "scenes-0-choices-rows",
    "prompts-0-match", "credit", "stem-en", "difficulty",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12)))
@settings(max_examples=200)
def test_no_form_brings_the_editor_down(data):
    for kind in SHAPES:
        form = data | {"kind": kind}
        draft = editor.read(form)
        assert draft.question is None or editor.fits(draft.question)
        editor.shown(form, draft.errors)


def test_a_rule_of_credit_is_chosen_where_there_is_one():
    assert [rule for rule, _label in credits_of("multiple")] == ["", "all", "parts", "weights"]
    assert credits_of("numeric") == []


def test_who_would_lose_something_in_fields_edits_text(bank, author, sign_in):
    odd = BY_KIND["ordering"] | {"shuffle": False, "slug": "odd"}
    services.publish_bank(slug="b", title={"en": "Bank"}, questions=[odd], by="system:test")
    assert 'name="text"' in sign_in(author).get(reverse("quizzes:edit", args=["b", "odd"])).text
