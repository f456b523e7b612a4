"""The firm's own lexicon: drafts, trying, switching on, and who finds what with which."""

import pytest
from django.urls import reverse

from archive import lexicon_text, tasks
from archive.models import Finding, LexiconVersion, Signal
from archive.services import casework, lexicon_trials, lexicons
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, line

pytestmark = pytest.mark.django_db
MINE = """negations: {en: [do not], zh: [不要]}
rules:
  - id: plan-b
    weight: 3
    class: off_channel
    zh: [老地方聊]
"""


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def second(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def draft(officer) -> LexiconVersion:
    made = lexicons.begin_draft(by=officer)
    return lexicons.save_draft(draft=made, content=MINE, seen=lexicon_text.digest(made.content), by=officer)


def turn_on(draft: LexiconVersion, officer) -> LexiconVersion:
    seen = lexicon_text.digest(draft.content)
    return lexicons.switch_on(draft=draft, note="new words", seen=seen, by=officer, despite="a narrow trial")


def test_without_a_version_what_ships_counts():
    assert lexicons.active() is lexicon_text.shipped()


def test_a_draft_counts_from_when_it_is_switched_on_and_old_signals_keep_their_version(
    draft, second, run_import, write_feed, make_employee
):
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(1, "加我个人微信聊"), line(2, "老地方聊")]))
    turn_on(draft, second)
    run_import(write_feed([line(3, "加我个人微信聊"), line(4, "老地方聊")], "next.jsonl"))
    found = Signal.objects.order_by("pk").values_list("message__seq", "rule", "lexicon_version")
    assert list(found) == [(1, "move-app", "shipped-1"), (4, "plan-b", str(draft.number))]


def test_switching_on_is_an_entry_with_both_digests_and_the_note(draft, second):
    turn_on(draft, second)
    body = ledger.body_of(Entry.objects.get(verb="archive.lexicon_switched_on"))
    assert body["before"] == lexicon_text.digest(lexicon_text.shipped_text())
    assert body["digest"] == lexicon_text.digest(MINE)
    assert body["note"] == "new words"
    assert "send to my Gmail" in body["check_failed"]
    assert body["despite"] == "a narrow trial"


def test_who_wrote_the_text_does_not_switch_it_on(draft, officer, second):
    with pytest.raises(lexicons.SamePerson):
        turn_on(draft, officer)
    seen = lexicon_text.digest(MINE)
    lexicons.save_draft(draft=draft, content=MINE + "# mine", seen=seen, by=second)
    draft.refresh_from_db()
    with pytest.raises(lexicons.SamePerson):
        turn_on(draft, second)
    assert turn_on(draft, officer).state == "active"


def test_a_draft_that_fails_its_self_check_needs_a_reason(draft, second):
    with pytest.raises(lexicons.CheckFails):
        lexicons.switch_on(draft=draft, note="x", seen=lexicon_text.digest(MINE), by=second, despite=" ")
    assert not LexiconVersion.objects.filter(state="active").exists()


def test_switching_on_needs_a_note_a_draft_and_the_text_that_was_looked_at(draft, officer, second):
    with pytest.raises(lexicons.NoteMissing):
        lexicons.switch_on(draft=draft, note=" ", seen=lexicon_text.digest(MINE), by=officer)
    with pytest.raises(lexicons.ChangedMeanwhile):
        lexicons.switch_on(draft=draft, note="x", seen="another", by=officer)
    turn_on(draft, second)
    with pytest.raises(lexicons.NotADraft):
        turn_on(draft, second)
    with pytest.raises(lexicons.NotADraft):
        lexicons.save_draft(draft=draft, content=MINE, seen=lexicon_text.digest(MINE), by=officer)


def test_the_next_version_retires_the_one_before(draft, officer, second):
    turn_on(draft, second)
    later = lexicons.begin_draft(by=officer)
    assert later.content == MINE
    turn_on(later, second)
    assert list(LexiconVersion.objects.order_by("number").values_list("state", flat=True)) == ["retired", "active"]
    assert lexicons.active().version == str(later.number)


def test_there_is_one_draft_at_a_time_and_it_can_be_thrown_away(draft, officer):
    with pytest.raises(lexicons.DraftExists):
        lexicons.begin_draft(by=officer)
    lexicons.throw_away(draft=draft, by=officer)
    assert not LexiconVersion.objects.exists()
    assert Entry.objects.filter(verb="archive.lexicon_draft_thrown_away").count() == 1


def test_two_who_edit_do_not_undo_each_other(draft, officer):
    with pytest.raises(lexicons.ChangedMeanwhile):
        lexicons.save_draft(draft=draft, content=MINE + "# mine", seen="what was there before", by=officer)


def test_a_trial_counts_what_would_newly_hit_and_what_no_longer(
    draft, officer, run_import, write_feed, make_employee, settings, monkeypatch
):
    settings.ARCHIVE_TEXT = "all"
    monkeypatch.setattr(lexicon_trials, "STEP", 2)
    make_employee(wecom_userid="li.na")
    words = ["加我个人微信聊", "老地方聊", "hello", "不要老地方聊", "wxid_ab12cd34ef"]
    run_import(write_feed([line(n, text, to=(CLIENT,)) for n, text in enumerate(words, start=1)]))
    job = lexicon_trials.start_trial(draft=draft, by=officer)
    tasks.try_lexicon(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == (Job.State.DONE, 5, 5)
    assert {name: job.result[name] for name in ("looked_at", "new", "gone", "unopened")} == {
        "looked_at": 5,
        "new": 2,
        "gone": 2,
        "unopened": 0,
    }
    assert (job.result["otherwise"], job.result["unseen"]) == (0, 0)
    assert job.result["rules"]["plan-b"] == {"new": 2, "gone": 0, "same": 0}
    assert job.result["rules"]["move-app"] == {"new": 0, "gone": 1, "same": 0}
    assert ledger.body_of(Entry.objects.get(verb="archive.lexicon_tried"))["result"] == job.result
    assert lexicon_trials.trial_of(draft) == job


def test_precision_is_confirmed_of_reviewed_and_hits_are_of_late(officer, run_import, write_feed, make_employee):
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(n, "加我个人微信聊") for n in (1, 2, 3)]))
    first, second, _third = Finding.objects.filter(kind="off_channel").order_by("message__seq")
    casework.review_finding(finding=first, decision="confirmed", reason="so it is", reviewer=officer)
    casework.review_finding(finding=second, decision="dismissed", reason="a joke", reviewer=officer)
    sent = Signal.objects.first().sent_at
    found = lexicons.figures(now=sent)["move-app"]
    assert (found.hits, found.confirmed, found.reviewed, found.percent) == (3, 1, 2, 50)
    assert lexicons.figures(now=sent + lexicons.LATELY * 2)["move-app"].hits == 0


def test_the_pages_show_rules_faults_differences_and_a_line_with_its_reasons(draft, officer, sign_in):
    client, url = sign_in(officer), reverse("archive:lexicon_version", args=[draft.number])
    assert "move-app" in client.get(reverse("archive:lexicon")).text
    page = client.get(url).text
    assert "老地方聊" in page
    assert "removed" in page
    broken = client.post(url, {"content": MINE.replace("weight: 3", "weight: 9"), "seen": lexicon_text.digest(MINE)})
    assert "Line 4: a weight is 1, 2, 3 or 4" in broken.text
    assert "weight: 9" in broken.text
    line_url = reverse("archive:lexicon_line", args=[draft.number])
    tried = client.post(line_url, {"line": "不要 老 地方聊 <b>", "with_contact": "on"}).text
    assert "<mark>老地方聊</mark>" in tried
    assert "“不要” stands before it" in tried
    assert "<b>" not in tried
    client.post(reverse("archive:lexicon_switch_on", args=[draft.number]), {"note": ""})
    assert not LexiconVersion.objects.filter(state="active").exists()


def test_an_auditor_reads_and_changes_nothing(draft, make_employee, sign_in):
    client, url = sign_in(make_employee(roles=("Auditor",))), reverse("archive:lexicon_version", args=[draft.number])
    page = client.get(url)
    assert page.status_code == 200
    assert 'name="content"' not in page.text
    assert client.post(url, {"content": MINE, "seen": ""}).status_code == 403


def test_a_trial_says_what_it_cannot_know(draft, officer, sign_in, run_import, write_feed, make_employee):
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(n, "please, the report") for n in range(1, 4)] + [line(9, "加我个人微信聊")]))
    job = lexicon_trials.start_trial(draft=draft, by=officer)
    tasks.try_lexicon(job.pk)
    job.refresh_from_db()
    assert (job.result["looked_at"], job.result["unseen"]) == (1, 3)
    page = sign_in(officer).get(reverse("archive:lexicon_version", args=[draft.number])).text
    assert "3 messages could not be looked at" in page


def test_what_other_rules_find_is_neither_new_nor_gone(draft, officer, run_import, write_feed, make_employee, settings):
    settings.ARCHIVE_TEXT = "all"
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(1, "加我个人微信聊,老地方聊")]))
    job = lexicon_trials.start_trial(draft=draft, by=officer)
    tasks.try_lexicon(job.pk)
    job.refresh_from_db()
    assert [job.result[name] for name in ("new", "gone", "otherwise")] == [0, 0, 1]
    assert job.result["rules"] == {
        "plan-b": {"new": 1, "gone": 0, "same": 0},
        "move-app": {"new": 0, "gone": 1, "same": 0},
    }


TYPED = MINE.replace("老地方聊", "老地方见")


@pytest.mark.parametrize("deed", ["line", "trial", "switch_on", ""])
@pytest.mark.parametrize("content", [TYPED, TYPED.replace("weight: 3", "weight: 9")])
def test_what_was_typed_is_never_lost(draft, second, sign_in, deed, content):
    client = sign_in(second)
    name = f"archive:lexicon_{deed}" if deed else "archive:lexicon_version"
    told = {"content": content, "seen": lexicon_text.digest(MINE), "line": "老地方见", "note": "why"}
    answer = client.post(reverse(name, args=[draft.number]), told, follow=True)
    assert ("老地方见</textarea>" in answer.text) or (f"{content}</textarea>" in answer.text)
    draft.refresh_from_db()
    is_kept = deed in ("trial", "") and content == TYPED
    assert draft.content == (TYPED if is_kept else MINE)
    assert ("is not saved yet" in answer.text) is not is_kept
    assert draft.state == "draft"


@pytest.mark.parametrize("deed", ["version", "trial"])
def test_what_was_typed_beside_the_text_is_not_lost_when_that_is_saved(draft, second, sign_in, deed):
    told = {"content": TYPED, "seen": lexicon_text.digest(MINE), "line": "a line", "note": "half a note"}
    page = sign_in(second).post(reverse(f"archive:lexicon_{deed}", args=[draft.number]), told).text
    draft.refresh_from_db()
    assert draft.content == TYPED
    assert ">a line</textarea>" in page
    assert f'name="seen" value="{lexicon_text.digest(TYPED)}"' in page
    assert "is not saved yet" not in page


def test_a_line_is_tried_with_what_stands_on_the_page(draft, officer, sign_in):
    told = {"content": TYPED, "seen": lexicon_text.digest(MINE), "line": "老地方见"}
    page = sign_in(officer).post(reverse("archive:lexicon_line", args=[draft.number]), told).text
    assert "<mark>老地方见</mark>" in page


def test_another_persons_text_over_mine_is_told_and_mine_is_still_there(draft, second, sign_in):
    told = {"content": TYPED, "seen": lexicon_text.digest("what I began with")}
    url = reverse("archive:lexicon_version", args=[draft.number])
    page = sign_in(second).post(url, told).text
    assert "Somebody else has saved the draft meanwhile" in page
    assert "老地方见" in page


def test_the_page_asks_for_a_second_person_and_for_a_reason(draft, officer, second, sign_in):
    url = reverse("archive:lexicon_version", args=[draft.number])
    mine = sign_in(officer).get(url).text
    assert "Somebody else has to switch it on" in mine
    assert 'name="despite"' not in mine
    client = sign_in(second)
    assert 'name="despite"' in client.get(url).text
    told = {"note": "new words", "seen": lexicon_text.digest(MINE)}
    on = reverse("archive:lexicon_switch_on", args=[draft.number])
    refused = client.post(on, told).text
    assert "fails its own self-check" in refused
    assert 'value="new words"' in refused
    assert client.post(on, {**told, "despite": "a trial"}).status_code == 302
    assert lexicons.active_version() == draft


def test_one_person_goes_back_to_what_counted_before(draft, officer, second, sign_in):
    turn_on(draft, second)
    later = lexicons.begin_draft(by=officer, shipped=True)
    assert later.content == lexicon_text.shipped_text()
    turn_on(later, second)
    client = sign_in(officer)
    assert "Switch it on again" in client.get(reverse("archive:lexicon_version", args=[draft.number])).text
    client.post(reverse("archive:lexicon_back", args=[draft.number]), {"note": "it flooded us"})
    assert lexicons.active_version() == draft
    client.post(reverse("archive:lexicon_back_shipped"), {"note": "that too"})
    assert lexicons.active() is lexicon_text.shipped()
    told = [ledger.body_of(one) for one in Entry.objects.filter(verb="archive.lexicon_switched_back").order_by("seq")]
    assert [(one["number"], one["replaces"], one["note"]) for one in told] == [
        (draft.number, later.number, "it flooded us"),
        (1, draft.number, "that too"),
    ]


def test_only_what_counted_before_is_switched_on_without_a_second_person(draft, second):
    for to in (draft, None):
        with pytest.raises(lexicons.NotRetired):
            lexicons.switch_back(to=to, note="x", by=second)
    turn_on(draft, second)
    with pytest.raises(lexicons.NoteMissing):
        lexicons.switch_back(to=None, note=" ", by=second)


def test_a_draft_begins_from_any_version(draft, officer, second, sign_in):
    turn_on(draft, second)
    client = sign_in(officer)
    client.post(reverse("archive:lexicon_back_shipped"), {"note": "back"})
    client.post(reverse("archive:lexicon_begin_from", args=[draft.number]))
    assert LexiconVersion.objects.get(state="draft").content == MINE


def test_what_a_draft_changes_is_told_in_words(draft, officer, sign_in):
    page = sign_in(officer).get(reverse("archive:lexicon_version", args=[draft.number])).text
    assert "Put in: <ins>zh: 老地方聊</ins>" in page
    assert "Taken out: <del>" in page


def test_a_text_that_is_no_yaml_is_told_in_the_readers_language(draft, officer, sign_in):
    client, url = sign_in(officer), reverse("archive:lexicon_version", args=[draft.number])
    told = {"content": MINE + "  x: [", "seen": lexicon_text.digest(MINE)}
    assert "look for a quotation mark, a dash" in client.post(url, told).text
    told_in_chinese = client.post(url, told, headers={"Accept-Language": "zh-hans"}).text
    assert "did not find" not in told_in_chinese
    assert "look for" not in told_in_chinese
