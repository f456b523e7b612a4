"""A question file that an author sends: looked at first, then imported exactly as it was shown."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from portal.ledger.models import Entry
from quizzes import importing, services, uploads
from quizzes.formats import FORMATS, guessed
from quizzes.models import Bank, Question, Upload
from tests.quizzes.reading import DULL, QTI2, QTI3, zipped
from tests.quizzes.samples import ALL

GIFT = "::one:: Kept? {T}\n\n::two:: Who? {=Ann ~Bob}\n\n::three:: Essay {}\n"
MOODLE = (
    '<?xml version="1.0"?><quiz><question type="truefalse"><name><text>t</text></name><questiontext><text>So?</text>'
    '</questiontext><answer fraction="100"><text>true</text></answer></question></quiz>'
)
AIKEN = "Which?\nA. This\nB. That\nANSWER: A\n"


@pytest.fixture
def author(make_employee):
    return make_employee(roles=("Author",))


@pytest.fixture
def client(author, sign_in):
    return sign_in(author)


def send(client, text: str | bytes, name: str = "questions.txt", **fields):
    data = text if isinstance(text, bytes) else text.encode()
    dull = {"bank": "US rules", "language": "en", "file_format": "", "file": SimpleUploadedFile(name, data)}
    return client.post(reverse("quizzes:upload"), dull | fields)


def seen_on(page: str) -> str:
    return BeautifulSoup(page, "html.parser").select_one("input[name=seen]")["value"]


def test_what_was_shown_is_imported_and_waits_for_review(author, client):
    address = send(client, GIFT).url
    page = client.get(address).text
    figures = [dd.text for dd in BeautifulSoup(page, "html.parser").select("dl.facts dd")]
    assert figures == ["3", "2", "0", "1"]
    assert "line 5" in page
    assert "an essay: only a person could grade it" in page
    assert not Bank.objects.exists()
    answer = client.post(address, {"seen": seen_on(page)})
    assert answer.url == reverse("quizzes:bank", args=["us-rules"])
    rows = Question.objects.order_by("slug")
    assert [(q.slug, q.state, q.written_by) for q in rows] == [("one", "proposed", author), ("two", "proposed", author)]
    assert Entry.objects.get(verb="quizzes.questions_imported").actor == author.uid
    assert not Upload.objects.exists()


def test_reasons_are_told_in_chinese(client, settings):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    page = client.get(send(client, GIFT).url).text
    assert "第 5 行" in page
    assert "问答题" in page


def test_nothing_is_imported_when_the_bank_has_changed_since(client):
    address = send(client, GIFT).url
    seen = seen_on(client.get(address).text)
    services.import_questions(
        data=b"::one:: Otherwise? {T}", file_format="gift", bank="US rules", language="en", by="x"
    )
    answer = client.post(address, {"seen": seen}, follow=True)
    assert "The bank has changed since this page was shown." in answer.text
    assert not Question.objects.filter(slug="two").exists()
    assert "version 2" in client.get(address).text


def test_the_format_may_be_said_where_the_guess_is_wrong(client):
    address = send(client, AIKEN, file_format="gift").url
    assert "input[name=seen]" not in client.get(address).text
    page = client.get(address, {"format": "aiken"}).text
    client.post(address, {"seen": seen_on(page), "format": "aiken"})
    assert Question.objects.get().kind == "single"


def test_a_file_that_is_none_of_it_says_so(client):
    page = client.get(send(client, b"PK\x03\x04 broken", name="x.zip").url).text
    assert "it is no ZIP file" in page


def test_a_file_that_means_harm_is_refused_in_words(client):
    bomb = '<!DOCTYPE q [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><quiz><question type="essay">&b;</question></quiz>'
    assert "declares entities" in client.get(send(client, bomb, name="x.xml").url).text


def test_a_file_that_is_too_large_is_refused_on_the_form_and_beyond_it_unread(client, monkeypatch):
    monkeypatch.setattr("quizzes.forms.UPLOAD_MOST", 2**20)
    assert "larger than 1 MiB" in send(client, b"x" * (2**20 + 1)).text
    assert send(client, b"x" * (5 * 2**20)).status_code == 413
    assert not Upload.objects.exists()


def test_more_questions_than_a_page_takes_are_left_to_the_command(client, monkeypatch):
    monkeypatch.setattr(uploads, "QUESTIONS_MOST", 2)
    assert "it holds 3 questions; 2 are the most" in client.get(send(client, GIFT).url).text


def test_another_person_sees_nothing_of_it(client, make_employee, sign_in):
    address = send(client, GIFT).url
    assert sign_in(make_employee(roles=("Author",))).get(address).status_code == 404


def test_a_person_has_one_file_waiting_and_it_goes_after_a_day(author, make_employee, client):
    send(client, GIFT)
    send(client, AIKEN)
    kept = Upload.objects.get()
    assert kept.file_format == "aiken"
    Upload.objects.update(at=timezone.now() - timedelta(days=2))
    about = {"data": b"", "name": "x", "file_format": "gift", "bank": "b", "language": "en"}
    uploads.keep(by=make_employee(roles=("Author",)), **about)
    assert not Upload.objects.filter(pk=kept.pk).exists()


@pytest.mark.parametrize(
    ("data", "name", "found"),
    [
        (GIFT, "x.txt", "gift"),
        (AIKEN, "x.txt", "aiken"),
        (AIKEN.replace("\n", "\r\n").encode("utf-16"), "x", "aiken"),
        (MOODLE, "x", "moodle"),
        (QTI2, "x.xml", "qti"),
        (QTI3, "x.xml", "qti"),
        (zipped({"item.xml": QTI3}), "x", "qti"),
        ("# a bank\n- id: q\n  kind: single\n", "x", "yaml"),
        ("kind: single", "x.yml", "yaml"),
        ("", "x", "gift"),
    ],
)
def test_a_format_is_guessed_by_what_is_in_the_file(data, name, found):
    assert guessed(data if isinstance(data, bytes) else data.encode(), name) == found


@pytest.mark.parametrize("name", list(FORMATS))
def test_what_each_format_writes_is_guessed_to_be_it(name):
    written, _lost = FORMATS[name].write([DULL | one for one in ALL], "en", "Bank")
    assert guessed(written) == name


def test_the_print_is_of_what_would_be_written_and_of_no_words(db, settings):
    def look(text: str) -> str:
        return importing.import_questions(
            data=text.encode(), file_format="gift", bank="b", language="en", by="x", dry_run=True
        ).print

    assert look(GIFT) == look(GIFT)
    assert look(GIFT) != look(GIFT.replace("Bob", "Cy"))
