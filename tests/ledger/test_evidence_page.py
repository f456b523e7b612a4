"""The page Evidence, in words that compliance and auditors read."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone, translation

from portal.jobs.models import Job
from portal.ledger import findings, sealing, sending, services, tasks
from portal.ledger.models import Entry, Verification

pytestmark = pytest.mark.django_db
PAGE = "/evidence/"


@pytest.fixture
def auditor(make_employee, sign_in):
    return sign_in(make_employee(roles=("Auditor",), employee_no=None))


def words(response) -> str:
    assert response.status_code == 200
    return " ".join(BeautifulSoup(response.content, "html.parser").main.get_text(" ").split())


def test_a_log_without_a_seal_says_so(auditor):
    told = words(auditor.get(PAGE))
    assert "Nothing is sealed yet" in told
    assert "Not verified yet" in told
    assert "Nowhere: so whoever holds the database and the key could rewrite both" in told


def test_the_page_shows_seal_keys_deliveries_and_the_last_verification(auditor, write, settings, tmp_path):
    settings.SEALS_OUT_DIR = str(tmp_path)
    write(4)
    seal = sealing.seal()
    sending.deliver_due()
    now = timezone.now()
    Verification.objects.create(is_full=True, began_at=now, ended_at=now, after=0, upto=5, seals=1, outside=1)
    told = words(auditor.get(PAGE))
    assert "Sound: verified up to entry 5 on" in told
    assert "5 entries · 1 seal · 1 copy from outside" in told
    assert " ".join(seal.note.split()) in told
    assert "seal-00000001.txt" in told
    assert "Nowhere" not in told
    file = auditor.get(reverse("ledger:seal_file", args=[1]))
    assert file.content == seal.note.encode()
    assert file.headers["Content-Disposition"] == 'attachment; filename="seal-00000001.txt"'


def test_a_fault_is_told_with_its_entry_in_both_languages(auditor):
    now = timezone.now()
    fault = {"fault_seq": 17, "fault_code": "digest"}
    Verification.objects.create(is_full=True, began_at=now, ended_at=now, after=0, upto=16, seals=1, outside=0, **fault)
    assert "First bad entry: 17, its digest does not fit what it says." in words(auditor.get(PAGE))
    english = findings.words("digest", {})
    with translation.override("zh-hans"):
        chinese = findings.words("digest", {})
    assert chinese != english
    assert chinese in words(auditor.get(PAGE, headers={"Accept-Language": "zh-hans"}))


def test_an_entry_is_found_by_its_number_with_its_proof(auditor, write):
    write(4)
    sealing.seal()
    page = auditor.get(PAGE, {"seq": 2})
    told = words(page)
    assert "Entry 2" in told
    assert "test.done" in told
    assert "first under seal 1 of" in told
    link = BeautifulSoup(page.content, "html.parser").find("a", string="Download the proof")["href"]
    proof = auditor.get(link).json()
    assert proof["format"] == "onchannel-proof/1"
    assert '"seq":2,' in proof["entry"]
    assert "body" not in proof
    tlog = auditor.get(f"{link}?format=tlog")
    assert tlog.content.startswith(b"c2sp.org/tlog-proof@v1\n")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [("99", "There is no entry 99."), ("x", "That is not a number."), ("-1", "Entries are counted from 1.")],
)
def test_a_number_that_is_none_is_told(auditor, write, asked, answer):
    write(1)
    assert answer in words(auditor.get(PAGE, {"seq": asked}))


def test_an_entry_that_was_disposed_of_says_when_and_under_what(auditor, write):
    write(4)
    services.dispose(seqs=[2], rule="R-CN-12", citation="PIPL 47", asked_by="a", approved_by="b", by="a")
    told = words(auditor.get(PAGE, {"seq": 2}))
    assert "under R-CN-12, PIPL 47, by entry 5" in told
    assert "not yet" in told


def test_a_proof_that_cannot_be_given_is_told(auditor, write, without_guards):
    write(4)
    sealing.seal()
    write(1)
    proof = reverse("ledger:proof_file", args=[6])
    assert "No seal covers this entry yet." in words(auditor.get(proof, follow=True))
    Entry.objects.filter(seq=2).update(verb="forged")
    proof = reverse("ledger:proof_file", args=[2])
    assert "No proof: the log is not what was sealed." in words(auditor.get(proof, follow=True))
    assert auditor.get(reverse("ledger:proof_file", args=[99])).status_code == 404


def test_the_page_costs_the_same_for_a_short_log_and_for_a_long_one(auditor, write, settings, tmp_path, count_queries):
    settings.SEALS_OUT_DIR = str(tmp_path)
    write(2)
    sealing.seal()
    sending.deliver_due()
    short = count_queries(lambda: auditor.get(PAGE, {"seq": 2}))
    for _ in range(12):
        write(30)
        sealing.seal()
    sending.deliver_due()
    assert count_queries(lambda: auditor.get(PAGE, {"seq": 2})) == short


def test_the_whole_log_is_verified_when_somebody_asks_once_an_hour(auditor, write):
    write(3)
    sealing.seal()
    for _ in range(2):
        told = words(auditor.post("/evidence/verify/", follow=True))
        assert "The whole log is being read." in told
    tasks.verify(Job.objects.get(kind="portal.ledger.tasks.verify").pk)
    assert Verification.objects.get().is_full
    assert "Sound: verified up to entry 4" in words(auditor.get(PAGE))
