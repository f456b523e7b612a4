"""What the log says, in words: of a person, of the whole firm, and of one row with its proof."""

import json

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import translation

from portal.evidence import check_pack, labels, timeline, words
from portal.ledger import guards
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from tests.evidence.conftest import checked

pytestmark = pytest.mark.django_db


def history(client, person: Employee, **query) -> str:
    return client.get(reverse("evidence:person_history", args=[person.uid]), query).text


def test_ones_own_history_is_told_in_words_in_both_languages(firm, sign_in):
    client = sign_in(firm["ann"])
    page = client.get(reverse("evidence:history")).text
    for sentence in (
        "“Tiny course” was assigned, due on",
        "Began “Tiny course”, edition 1.",
        "Read the lesson “Lesson of first” to its end.",
        "Handed in the quiz “Module first”, try 1: passed with 100%.",
        "Passed the module “Module second” with 100%.",
        f"Certificate {firm['certificate'].serial} was issued.",
        "Told of a slip of their own, of",
        "A finding was opened: Self-report.",
        "Standing: may",
        "Came onto HR’s list.",
    ):
        assert sentence in page
    with translation.override("zh-hans"):
        chinese = client.get(reverse("evidence:history"), headers={"accept-language": "zh-hans"}).text
    assert "测验" in chinese
    assert "Handed in" not in chinese


def test_hr_reads_training_and_managers_no_slips(firm, sign_in, make_employee):
    hr = history(sign_in(make_employee(roles=("HR",))), firm["ann"])
    assert "Handed in the quiz" in hr
    for word in ("Standing: may", "A finding was opened", "slip of their own"):
        assert word not in hr
    manager = history(sign_in(firm["head"]), firm["ann"])
    assert "Standing: may" in manager
    assert "A finding was opened" in manager
    assert "slip of their own" not in manager
    assert "Came onto HR’s list" not in manager
    assert reverse("evidence:entry", args=[1]).rpartition("1")[0] not in manager


@pytest.mark.parametrize("kind", ["slips", "review", "standing"])
def test_a_kind_that_one_may_not_read_is_not_had_by_asking_for_it(firm, sign_in, make_employee, kind):
    page = history(sign_in(make_employee(roles=("HR",))), firm["ann"], kind=kind)
    assert "Nothing." in page


def test_filters_stand_in_the_address(firm, sign_in):
    client = sign_in(firm["auditor"])
    page = history(client, firm["ann"], kind="certificates")
    assert "was issued" in page
    assert "Handed in" not in page
    assert "Nothing." in history(client, firm["ann"], to="2001-01-01")
    assert "was issued" in history(client, firm["ann"], **{"from": "2001-01-01", "to": "not a day"})


def test_a_history_is_paged_at_a_constant_cost(firm, sign_in, count_queries, monkeypatch):
    client = sign_in(firm["auditor"])

    def away(count: int) -> None:
        with transaction.atomic():
            for day in range(1, count + 1):
                days = {"first_on": f"2026-10-{day:02}", "last_on": "2026-10-30", "last_on_before": None}
                ledger.append(verb="people.leave_set", actor="system:hr", subject=firm["ann"].uid, body=days)

    away(1)
    few = count_queries(lambda: history(client, firm["ann"], kind="people"))
    away(9)
    assert count_queries(lambda: history(client, firm["ann"], kind="people")) == few
    monkeypatch.setattr("portal.evidence.views.LINES", 2)
    assert "Page 1 of" in history(client, firm["ann"])


def test_every_entry_about_a_person_that_the_portal_writes_has_its_words(firm):
    told = {verb for _label, verbs in timeline.KINDS.values() for verb in verbs}
    assert told <= words._SENTENCES.keys()
    assert not told & labels.LABELS.keys()
    for entry in Entry.objects.filter(verb__in=told):
        said = ledger.body_of(entry)
        sentence = words.say(entry.verb, said, words.titles_for([said]))
        assert sentence != entry.verb
        assert "%(" not in sentence


def test_what_was_disposed_of_says_so(firm, sign_in):
    slip = Entry.objects.get(verb="archive.slip_reported")
    ledger.dispose(seqs=[slip.seq], rule="R", citation="Law", asked_by="a", approved_by="b", by="system:test")
    assert "What this said was disposed of" in history(sign_in(firm["auditor"]), firm["ann"])


# --- the log ------------------------------------------------------------------------------------------------------


def log(client, **query) -> str:
    return client.get(reverse("evidence:find"), query).text


def test_the_log_names_people_and_says_what_happened(firm, sign_in):
    page = log(sign_in(firm["auditor"]))
    assert firm["ann"].name_en in page.replace("&#x27;", "'")
    assert "the portal (archive)" in page
    assert "Figures of a month were computed." in page
    assert firm["ann"].uid not in page


def test_the_log_is_found_by_person_kind_and_day(firm, sign_in):
    client = sign_in(firm["auditor"])
    answer = client.post(reverse("evidence:find"), {"about_text": firm["bea"].employee_no, "kind": "quizzes"})
    assert firm["bea"].uid in answer.url
    assert firm["bea"].employee_no not in answer.url
    page = client.get(answer.url).text
    assert "not passed, 0%" in page
    assert "=Ann" not in page
    nobody = client.post(reverse("evidence:find"), {"by_text": "nobody"}, follow=True).text
    assert "Nobody has this employee number or e-mail." in nobody
    assert "was computed" not in log(client, kind="archive", **{"to": "2001-01-01"})
    assert "Figures of a month" in log(client, kind="archive")
    assert "“Tiny course” was assigned" not in log(client, kind="archive")
    by = client.post(reverse("evidence:find"), {"by_text": firm["ann"].employee_no}).url
    assert "Told of a slip" in client.get(by).text


def test_the_log_goes_on_to_older_entries(firm, sign_in, monkeypatch):
    monkeypatch.setattr("portal.evidence.log.SHOWN", 3)
    client, seen, url = sign_in(firm["auditor"]), [], reverse("evidence:find")
    while url:
        answer = client.get(url)
        seen += [row.entry.seq for row in answer.context["rows"]]
        url = f"{reverse('evidence:find')}?{answer.context['older']}" if answer.context["older"] else ""
    assert seen == list(range(ledger.head_seq(), 0, -1))


# --- the proof of a row -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["certificate", "attempt", "finding", "standing"])
def test_from_any_row_to_its_entries(firm, sign_in, row):
    change = firm["ann"].standing_changes.first()
    wanted, verb = {
        "certificate": (firm["certificate"].serial, "training.certificate_issued"),
        "attempt": (firm["attempt"].uid, "quizzes.attempt_submitted"),
        "finding": (firm["finding"].uid, "archive.finding_opened"),
        "standing": (str(change.entry_seq), "standing.changed"),
    }[row]
    answer = sign_in(firm["auditor"]).get(reverse("evidence:find"), {"of": wanted})
    if answer.status_code == 302:
        answer = sign_in(firm["auditor"]).get(answer.url)
        assert verb in answer.text
    else:
        assert verb in [row.entry.verb for row in answer.context["rows"]]


def test_a_proof_is_told_step_by_step_and_each_step_is_checked(firm, sign_in):
    page = sign_in(firm["auditor"]).get(reverse("evidence:entry", args=[5])).text
    assert "Checked just now" in page
    assert page.count(">holds<") == 4
    assert "does not hold" not in page
    assert "It may speak of a person" in page


def test_an_entry_that_was_changed_is_told(firm, sign_in, django_db_blocker):
    from django.db import connection

    guards.lift(connection)
    Entry.objects.filter(seq=5).update(actor="system:forger")
    guards.install(connection)
    page = sign_in(firm["auditor"]).get(reverse("evidence:entry", args=[5])).text
    assert "Something does not hold." in page
    assert "does not hold" in page


def test_what_an_entry_says_is_read_for_a_reason_which_is_an_entry(firm, sign_in):
    client, entry = sign_in(firm["auditor"]), Entry.objects.get(verb="archive.slip_reported")
    url = reverse("evidence:entry", args=[entry.seq])
    assert "@told" not in client.get(url).text
    assert "Say why you need to read it." in client.post(url, {"reason": " "}).text
    assert "@told" in client.post(url, {"reason": "matter 7"}).text
    read = Entry.objects.get(verb="evidence.entry_read")
    assert ledger.body_of(read) == {"entry": entry.seq, "reason": "matter 7"}
    assert read.actor == firm["auditor"].uid


def test_the_proof_that_is_taken_away_is_accepted_by_the_checker(firm, sign_in, tmp_path):
    client, entry = sign_in(firm["auditor"]), Entry.objects.get(verb="archive.slip_reported")
    proofs = {
        "whole.json": client.post(reverse("evidence:entry_file", args=[entry.seq]), {"reason": "matter 7"}),
        "bare.json": client.get(reverse("ledger:proof_file", args=[entry.seq])),
        "tlog.txt": client.get(reverse("ledger:proof_file", args=[entry.seq]), {"format": "tlog"}),
    }
    from portal.ledger import keys

    key = str(keys.public_keys()[0])
    for name, answer in proofs.items():
        file = tmp_path / name
        file.write_bytes(answer.content)
        code, said = checked(file, "--key", key, "--lang", "en")
        assert code == 0, said
        assert f"Entry {entry.seq} (archive.slip_reported" in said
    assert "@told" in (tmp_path / "whole.json").read_text()
    assert "@told" not in (tmp_path / "bare.json").read_text()
    changed = json.loads((tmp_path / "whole.json").read_text())
    changed["body"] = changed["body"].replace("@told", "@sold")
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(changed))
    assert checked(file, "--key", key)[0] == 1
    text = (tmp_path / "tlog.txt").read_text().replace("index ", "index 1")
    (tmp_path / "other.txt").write_text(text)
    assert check_pack.main([str(tmp_path / "other.txt"), "--key", key]) == 1


def test_without_a_reason_no_proof_with_its_text_leaves(firm, sign_in):
    answer = sign_in(firm["auditor"]).post(reverse("evidence:entry_file", args=[5]), {"reason": ""})
    assert answer.url == reverse("evidence:entry", args=[5])
    assert not Entry.objects.filter(verb="evidence.entry_read").exists()


def test_an_entry_that_no_seal_covers_says_so(firm, sign_in):
    with transaction.atomic():
        entry = ledger.append(verb="people.leave_set", actor="system:hr", subject=firm["ann"].uid, body={})
    page = sign_in(firm["auditor"]).get(reverse("evidence:entry", args=[entry.seq])).text
    assert "No seal covers it yet." in page
    assert "Download the proof" not in page


@pytest.mark.parametrize("text", ["nonsense", "OC00-0000", "0" * 32, "99999999", "x" * 500])
def test_what_is_nowhere_is_told(firm, sign_in, text):
    assert "No entry speaks of this." in log(sign_in(firm["auditor"]), of=text)
