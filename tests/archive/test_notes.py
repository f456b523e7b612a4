"""What a reviewer writes is no second copy of the message."""

import pytest

from archive import casework, sealing, services
from archive.models import Finding, FindingStep, MessageText
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, at, line

pytestmark = pytest.mark.django_db
WORDS = "Please message me on my personal WhatsApp, the archive sees everything we write here."
CHINESE = "加我个人微信聊吧，这里会存档，合规的人天天都在看我们说的每一句话。"


@pytest.fixture
def finding(make_employee, run_import, write_feed) -> Finding:
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(1, WORDS, to=(CLIENT,), sent=at(12)), line(2, CHINESE, to=(CLIENT,), sent=at(13))]))
    return Finding.objects.get(kind="off_channel", message__seq=1)


@pytest.fixture
def reviewer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.mark.parametrize(
    ("text", "words", "is_quoted"),
    [
        ("a" * 29, "a" * 29, False),
        ("a" * 30, "xa" + "a" * 30, True),
        ("short", "short", False),
        ("他说合规的人天天都在看我们说的", "合规的人天天都在看我们说的每一句话", True),
        ("合规的人天天都在看", "合规的人天天都在看我们", False),
        ("abcdefghijkl", "abcdefghijkl", False),  # twelve, and not Chinese
        ("", "", False),
    ],
)
def test_a_quotation_is_a_piece_of_some_length(text, words, is_quoted):
    assert casework.quotes(text, words) is is_quoted


def test_whatever_a_reviewer_writes_may_not_repeat_the_message(finding, reviewer):
    """Case, spaces and look-alike letters make no difference, as for the lexicon."""
    said = f"The client was told: “{WORDS.upper().replace(' ', '  ')}”"
    before = Entry.objects.count(), FindingStep.objects.count()
    for deed in (
        lambda: services.note_on_finding(finding=finding, text=said, reviewer=reviewer),
        lambda: services.ask_person(finding=finding, question=said, reviewer=reviewer),
        lambda: services.read_words(finding=finding, reason=said, reviewer=reviewer),
        lambda: services.review_finding(finding=finding, decision="confirmed", reason=said, reviewer=reviewer),
    ):
        with pytest.raises(services.ReasonMissing, match="Say what it shows"):
            deed()
    assert (Entry.objects.count(), FindingStep.objects.count()) == before


def test_what_it_shows_may_be_said_with_the_phrase_that_was_found(finding, reviewer):
    services.note_on_finding(finding=finding, text="“my personal WhatsApp” to a client.", reviewer=reviewer)
    other = Finding.objects.get(kind="off_channel", message__seq=2)
    services.note_on_finding(finding=other, text="“加我个人微信聊吧”，对客户说的。", reviewer=reviewer)
    with pytest.raises(services.ReasonMissing):
        services.note_on_finding(finding=other, text=f"原话：{CHINESE}", reviewer=reviewer)


def test_the_person_answers_in_whatever_words(finding, reviewer):
    services.ask_person(finding=finding, question="What did you mean?", reviewer=reviewer)
    services.answer_question(finding=finding, text=f"I wrote: {WORDS}", by=finding.employee)
    assert FindingStep.objects.filter(what="answered").count() == 1


def test_words_that_are_gone_or_closed_to_us_stop_nobody(finding, reviewer, monkeypatch):
    def closed(*_args):
        raise sealing.KeyMissing("k")

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "unseal", closed)
        services.note_on_finding(finding=finding, text=WORDS, reviewer=reviewer)
    MessageText.objects.all().delete()
    services.note_on_finding(finding=finding, text=WORDS, reviewer=reviewer)
