"""Questions are written in the browser, previewed, and read by a second person before they count."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from portal.ledger.models import Entry
from quizzes import authoring, services
from quizzes.models import Bank, Question, QuestionStep
from tests.quizzes.conftest import question
from tests.quizzes.samples import ALL


@pytest.fixture
def bank(db) -> Bank:
    services.publish_bank(slug="b", title={"en": "Bank"}, questions=[question("old")], by="system:test")
    return Bank.objects.get()


@pytest.fixture
def author(make_employee):
    return make_employee(roles=("Author",))


@pytest.fixture
def second(make_employee):
    return make_employee(roles=("Author",))


FIELDS = {
    "id": "fresh", "kind": "single", "tags": "US rules, periods", "difficulty": "3", "points": "2", "shuffle": "on",
    "stem-en": "Which one?", "stem-zh-hans": "哪一个？", "explanation-en": "So it is.",
    "options-rows": "3",
    "options-0-text-en": "This", "options-0-text-zh-hans": "这个", "options-0-right": "on", "options-0-why-en": "Yes.",
    "options-1-text-en": "That", "options-1-text-zh-hans": "那个", "options-1-why-en": "No.", "options-2-text-en": "",
}  # fmt: skip


def form_of(page: str) -> dict[str, str]:
    """What a browser would send of the editor in view."""
    data: dict[str, str] = {}
    for tag in BeautifulSoup(page, "html.parser").select("main form input, main form textarea, main form select"):
        if tag.name == "textarea":
            data[tag["name"]] = tag.text.removeprefix("\n")
        elif tag.name == "select":
            data[tag["name"]] = (tag.select_one("option[selected]") or tag.select_one("option"))["value"]
        elif tag.get("type") != "checkbox" or tag.has_attr("checked"):
            data[tag["name"]] = tag.get("value", "on")
    return data


def test_a_question_is_written_proposed_and_accepted_by_another(bank, author, second, sign_in):
    client = sign_in(author)
    response = client.post(reverse("quizzes:new", args=["b"]), FIELDS | {"propose": "1"})
    assert response.url == reverse("quizzes:question", args=["b", "fresh"])
    fresh = Question.objects.get(slug="fresh")
    assert (fresh.state, fresh.written_by, fresh.tags, fresh.points) == ("proposed", author, ["us-rules", "periods"], 2)
    assert [(o["text"]["zh-hans"], o["right"]) for o in fresh.options] == [("这个", True), ("那个", False)]
    review = reverse("quizzes:review", args=["b", "fresh"])
    client.post(review, {"deed": "accept"})
    fresh.refresh_from_db()
    assert fresh.state == "proposed"  # not by oneself
    sign_in(second).post(review, {"deed": "accept", "text": "Good."})
    fresh.refresh_from_db()
    assert (fresh.state, fresh.reviewed_by) == ("accepted", second)
    assert list(QuestionStep.objects.values_list("deed", flat=True)) == ["saved", "proposed", "accepted"]
    assert Entry.objects.filter(verb="quizzes.question_accepted", actor=second.uid).count() == 1


def test_what_is_sent_back_says_why_and_comes_again_as_the_next_version(bank, author, second, sign_in):
    sign_in(author).post(reverse("quizzes:new", args=["b"]), FIELDS | {"propose": "1"})
    review, reader = reverse("quizzes:review", args=["b", "fresh"]), sign_in(second)
    reader.post(review, {"deed": "return", "text": " "})
    assert Question.objects.get(slug="fresh").state == "proposed"
    reader.post(review, {"deed": "return", "text": "Which year?"})
    assert Question.objects.get(slug="fresh").state == "returned"
    client = sign_in(author)
    assert "Which year?" in client.get(reverse("quizzes:question", args=["b", "fresh"])).text
    edit = reverse("quizzes:edit", args=["b", "fresh"])
    client.post(edit, form_of(client.get(edit).text) | {"stem-en": "Which one in 2030?", "propose": "1"})
    newest = Question.objects.filter(slug="fresh").newest().get()
    assert (newest.version, newest.state, newest.stem["en"]) == (2, "proposed", "Which one in 2030?")
    assert Question.objects.get(slug="fresh", version=1).stem["en"] == "Which one?"


def test_the_fields_hold_a_question_whole(bank, author, sign_in):
    client, edit = sign_in(author), reverse("quizzes:edit", args=["b", "old"])
    client.post(edit, form_of(client.get(edit).text) | {"save": "1"})
    assert Question.objects.filter(slug="old").count() == 1  # it says the same: no new version


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample["kind"])
def test_every_kind_is_edited_as_text_and_comes_back_as_it_was(bank, author, sign_in, sample):
    services.publish_bank(slug="b", title={"en": "Bank"}, questions=[sample], by="system:test")
    client = sign_in(author)
    edit = reverse("quizzes:edit", args=["b", sample["slug"]]) + "?as=text"
    text = form_of(client.get(edit).text)["text"]
    changed = text.replace(f"{sample['slug']}: stem", "Asked otherwise")
    assert client.post(edit, {"text": changed, "save": "1"}).status_code == 302
    first, second = Question.objects.filter(slug=sample["slug"]).order_by("version")
    assert second.stem["en"] == "Asked otherwise"
    assert {o["id"] for o in second.options} == {o["id"] for o in first.options}
    assert second.state == "draft"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"options-0-right": None}, "No option is right"),
        ({"stem-en": "", "stem-zh-hans": ""}, "Write what is asked."),
        ({"options-1-text-en": "", "options-1-text-zh-hans": "", "options-1-why-en": ""}, "1 options"),
        ({"options-1-right": "on"}, "2 right options"),
        ({"id": "old"}, "already"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(bank, author, sign_in, change, words):
    data = {name: value for name, value in (FIELDS | change).items() if value is not None}
    page = sign_in(author).post(reverse("quizzes:new", args=["b"]), data | {"save": "1"}).text
    assert words in page
    assert form_of(page)["explanation-en"] == "So it is."
    assert not Question.objects.filter(slug="fresh").exists()


def test_a_preview_is_what_the_page_shows_and_saves_nothing(bank, author, sign_in):
    client = sign_in(author)
    alone = client.post(reverse("quizzes:preview"), FIELDS).text
    assert "哪一个？" in alone
    assert "Yes." in alone
    whole = client.post(reverse("quizzes:new", args=["b"]), FIELDS | {"preview": "1"}).text
    assert "哪一个？" in whole
    assert not Question.objects.filter(slug="fresh").exists()
    flaws = client.post(reverse("quizzes:preview"), {"text": "- id: q\n  kind: single"}).text
    assert "Mend these first" in flaws


def test_questions_are_tagged_many_at_once_and_keep_their_review_and_figures(bank, author, sign_in):
    services.publish_bank(
        slug="b", title={"en": "Bank"}, questions=[question(f"q{n}") for n in range(3)], by="system:test"
    )
    client = sign_in(author)
    client.post(reverse("quizzes:retag", args=["b"]), {"question": ["q0", "q2"], "add": "Big Fines", "remove": "rules"})
    tags = {q.slug: (q.version, q.tags, q.state) for q in Question.objects.newest()}
    assert tags["q0"] == (2, ["big-fines"], "accepted")
    assert tags["q1"] == (1, ["rules"], "accepted")
    assert len(set(Question.objects.filter(slug="q0").values_list("words", flat=True))) == 1
    assert authoring.retag(bank=bank, slugs=["q0"], add=["rules"], remove=["big-fines"], by=author) == 1
    assert Question.objects.filter(slug="q0").newest().get().tags == ["rules"]  # undone, as a third version


def test_a_bank_goes_out_as_a_file_and_that_is_an_entry(bank, author, sign_in):
    response = sign_in(author).post(reverse("quizzes:export", args=["b"]), {"format": "gift", "anyway": "1"})
    assert response["Content-Disposition"] == 'attachment; filename="b.txt"'
    assert b"::old::" in response.content
    assert Entry.objects.filter(verb="quizzes.bank_exported", actor=author.uid).count() == 1


def test_what_a_format_cannot_carry_is_said_before_the_file_is_handed_out(bank, author, sign_in):
    services.publish_bank(slug="b", title={"en": "Bank"}, questions=ALL, by="system:test")
    client, url = sign_in(author), reverse("quizzes:export", args=["b"])
    page = client.post(url, {"format": "aiken"}).text
    assert "Aiken has no scenario questions" in page
    assert not Entry.objects.filter(verb="quizzes.bank_exported").exists()
    assert b"ANSWER:" in client.post(url, {"format": "aiken", "anyway": "1"}).content


def test_two_people_who_accept_at_once_accept_once(bank, author, second, make_employee):
    given = question("q") | {"detail": {}}
    row = authoring.save_question(bank=bank, given=given, by=author, propose=True)
    authoring.accept(question=row, by=second)
    with pytest.raises(authoring.NotForReview):
        authoring.accept(question=row, by=make_employee())
    with pytest.raises(authoring.OwnQuestion):
        authoring.send_back(question=row, by=author, text="no")


def test_a_course_that_is_loaded_again_takes_the_newest_of_the_same(bank, author):
    authoring.retag(bank=bank, slugs=["old"], add=["new"], by=author)
    authoring.retag(bank=bank, slugs=["old"], remove=["new"], by=author)
    [row] = services.publish_bank(slug="b", title={"en": "Bank"}, questions=[question("old")], by="system:test")
    assert row.version == 3


def test_an_author_withdraws_a_question_with_a_reason(bank, author, sign_in):
    client, address = sign_in(author), reverse("quizzes:withdraw", args=["b", "old"])
    assert "Say why" in client.post(address, {"reason": " "}, follow=True).text
    assert "It is wrong since May." in client.post(address, {"reason": "It is wrong since May."}, follow=True).text
    assert not Question.objects.usable().exists()
    assert Entry.objects.get(verb="quizzes.question_withdrawn").actor == author.uid
    assert "It is withdrawn already." in client.post(address, {"reason": "again"}, follow=True).text


def test_who_may_read_it_is_told_and_a_question_never_shown_is_not_called_back(bank, author, second, sign_in):
    sign_in(author).post(reverse("quizzes:new", args=["b"]), FIELDS | {"propose": "1"})
    page = sign_in(author).get(reverse("quizzes:question", args=["b", "fresh"])).text
    assert second.name in page
    assert "Call it back" not in page
