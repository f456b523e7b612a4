"""Working on findings: one reviewer at a time, two pairs of eyes, closing on evidence, telling of oneself, samples."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from archive import casework, policy, services
from archive.models import Finding, FindingStep, Message, Sample, SampleItem
from archive.rules import BREACH
from archive.services import sampling
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, at, line
from tests.quizzes.test_races import at_once

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 10, 16, 10, tzinfo=UTC)


@pytest.fixture
def flagged(make_employee, run_import, write_feed) -> Finding:
    person = make_employee(wecom_userid="li.na")
    with time_machine.travel(FRIDAY):
        run_import(write_feed([line(1, "加我个人微信聊，价格好说", to=(CLIENT,))]))
    return Finding.objects.get(kind="off_channel", employee=person)


@pytest.fixture
def one(make_employee):
    return make_employee(roles=("Compliance",), name_en="One")


@pytest.fixture
def two(make_employee):
    return make_employee(roles=("Compliance",), name_en="Two")


def decide(finding: Finding, decision: str, reviewer, **more) -> Finding:
    return services.review_finding(finding=finding, decision=decision, reason="looked", reviewer=reviewer, **more)


# --- one at a time


def test_what_one_has_taken_on_nobody_else_decides(flagged, one, two):
    services.claim_finding(finding=flagged, reviewer=one)
    with pytest.raises(services.SomebodyElses, match="One is working on it"):
        decide(flagged, "confirmed", two)
    with pytest.raises(services.SomebodyElses):
        services.claim_finding(finding=flagged, reviewer=two)
    services.release_finding(finding=flagged, reviewer=one)
    assert decide(flagged, "confirmed", two).decided_by == two


def test_a_claim_that_was_forgotten_does_not_lock_the_finding(flagged, one, two):
    with time_machine.travel(FRIDAY, tick=False):
        services.claim_finding(finding=flagged, reviewer=one)
    with time_machine.travel(FRIDAY + casework.CLAIM_HOLDS, tick=False):
        assert services.claim_finding(finding=flagged, reviewer=two).claimed_by == two


def test_every_step_is_an_entry_in_order(flagged, one):
    services.claim_finding(finding=flagged, reviewer=one)
    services.claim_finding(finding=flagged, reviewer=one)  # again: nothing
    services.note_on_finding(finding=flagged, text="rang the desk", reviewer=one)
    decide(flagged, "dismissed", one)
    services.note_on_finding(finding=flagged, text="for later", reviewer=one)
    steps = list(flagged.steps.all())
    assert [step.what for step in steps] == ["claimed", "noted", "dismissed", "noted"]
    verbs = [Entry.objects.get(seq=step.entry_seq).verb for step in steps]
    assert verbs == [f"archive.finding_{step.what}" for step in steps]


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_who_decide_at_once_one_does(flagged, one, two):
    said = at_once(lambda: decide(flagged, "dismissed", one), lambda: decide(flagged, "confirmed", two))
    kinds = sorted(type(answer).__name__ for answer in said)
    assert kinds in (["AlreadyDecided", "Finding"], ["Finding", "SomebodyElses"])
    assert FindingStep.objects.filter(what__in=["dismissed", "confirmed"]).count() == 1


# --- two pairs of eyes, and evidence


def test_a_confirmed_breach_closes_on_a_second_reviewer_and_the_lesson(flagged, one, two):
    decide(flagged, "confirmed", one)

    def close(**more):
        return decide(flagged, "closed", one, how="remedied", **more)

    with pytest.raises(services.EvidenceMissing) as lacks:
        close()
    assert lacks.value.missing == {"second", "remedy"}
    with pytest.raises(services.SomebodyElses, match="must be another"):
        services.second_finding(finding=flagged, reviewer=one, reason="again")
    services.second_finding(finding=flagged, reviewer=two, reason="read it too")
    with pytest.raises(services.EvidenceMissing) as lacks:
        close()
    assert lacks.value.missing == {"remedy"}
    closed = close(evidence={"remedy"})
    assert (closed.state, closed.closed_how, closed.decided_by, closed.seconded_by) == ("closed", "remedied", one, two)


def test_the_database_itself_refuses_one_person_as_both(flagged, one):
    decide(flagged, "confirmed", one)
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.filter(pk=flagged.pk).update(seconded_by=one, seconded_at=FRIDAY)


def test_only_a_confirmed_finding_is_seconded_and_only_once(flagged, one, two, make_employee):
    with pytest.raises(services.AlreadyDecided):
        services.second_finding(finding=flagged, reviewer=two, reason="x")
    decide(flagged, "confirmed", one)
    services.second_finding(finding=flagged, reviewer=two, reason="x")
    with pytest.raises(services.AlreadyDecided):
        services.second_finding(finding=flagged, reviewer=make_employee(), reason="x")


def test_every_kind_says_how_it_closes_or_closes_by_itself():
    assert set(casework.CLOSES) | {"consent_missing"} == set(Finding.Kind.values)
    ways = {how for hows in casework.CLOSES.values() for how in hows}
    assert ways | {"facts"} == set(Finding.How.values)
    assert {(kind, how) for kind, how in casework.NEEDS if how not in casework.CLOSES[kind]} == set()


@pytest.mark.parametrize(("kind", "how"), [("consent_missing", "explained"), ("hole", "remedied"), ("hole", "")])
def test_a_kind_closes_only_in_its_own_way(kind, how):
    with pytest.raises(ValueError, match="does not close by"):
        casework.missing(kind, how, is_seconded=True, evidence={"remedy", "training"})


@pytest.mark.parametrize(
    ("kind", "how", "seconded", "evidence", "lacks"),
    [
        ("off_channel", "remedied", True, {"remedy"}, set()),
        ("off_channel", "remedied", False, {"remedy"}, {"second"}),
        ("barred_talk", "remedied", False, set(), {"training"}),
        ("barred_talk", "remedied", False, {"training"}, set()),
        ("hole", "lost", False, set(), set()),
        ("integrity", "explained", False, {"remedy"}, {"second"}),
    ],
)
def test_what_is_missing(kind, how, seconded, evidence, lacks):
    assert casework.missing(kind, how, is_seconded=seconded, evidence=evidence) == lacks


# --- asking the person


def test_the_person_is_asked_and_answers(flagged, one, make_employee):
    with pytest.raises(services.NotAsked):
        services.answer_question(finding=flagged, text="x", by=flagged.employee)
    services.ask_person(finding=flagged, question="What was it about?", reviewer=one)
    with pytest.raises(services.NotAsked):
        services.answer_question(finding=flagged, text="x", by=make_employee())
    services.answer_question(finding=flagged, text="A dinner.", by=flagged.employee)
    flagged.refresh_from_db()
    assert flagged.asked_at
    assert flagged.answered_at
    assert [(step.what, step.text) for step in flagged.steps.all()][1:] == [
        ("asked", "What was it about?"),
        ("answered", "A dinner."),
    ]
    decide(flagged, "dismissed", one)
    with pytest.raises(services.NotAsked):
        services.answer_question(finding=flagged, text="late", by=flagged.employee)


# --- the words


def test_reading_the_words_needs_a_reason_and_is_an_entry(flagged, one):
    with pytest.raises(services.ReasonMissing):
        services.read_words(finding=flagged, reason=" ", reviewer=one)
    assert not Entry.objects.filter(verb="archive.finding_read").exists()
    words = services.read_words(finding=flagged, reason="to decide", reviewer=one)
    assert words == "加我个人微信聊，价格好说"
    entry = Entry.objects.get(verb="archive.finding_read")
    assert (entry.actor, ledger.body_of(entry)["text"]) == (one.uid, "to decide")


def test_an_excerpt_shows_the_hit_and_a_little_around_it(flagged):
    [(before, hit, after)] = services.excerpts("加我个人微信聊，价格好说", flagged.facts["hits"])
    assert (before, hit, after) == ("", "加我个人微信", "聊价格好说")


def test_an_excerpt_reads_each_hit_as_its_language_does(run_import, write_feed, make_employee):
    """Chinese words are joined before they are looked at, so places after them differ between the two readings."""
    text = "好 的，没 问 题 please delete this chat ，加 我 个 人 微 信 聊"
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(1, text, to=(CLIENT,))]))
    finding = Finding.objects.get(kind="off_channel")
    assert {hit["language"] for hit in finding.facts["hits"]} == {"en", "zh"}
    shown = {hit for _before, hit, _after in services.excerpts(text, finding.facts["hits"])}
    assert any("delete this chat" in one for one in shown)
    assert any("加我个人微信" in one for one in shown)


def test_words_that_were_not_kept_are_empty(flagged, one):
    Message.objects.get().text.delete()
    assert services.read_words(finding=flagged, reason="to decide", reviewer=one) == ""


# --- telling of oneself


def tell(person, day: date):
    return services.report_slip(
        employee=person,
        happened_on=day,
        where="wechat",
        began="client",
        about="business",
        has_moved=True,
        has_kept=True,
    )


def test_who_tells_of_a_slip_gets_a_finding_that_asks_for_a_lesson(make_employee):
    person = make_employee()
    report = tell(person, date(2026, 10, 12))
    assert (report.finding.kind, report.finding.employee, report.finding.get_severity_display()) == (
        "self_report",
        person,
        "medium",
    )
    assert Entry.objects.filter(verb="archive.slip_reported", subject=person.uid).count() == 1


@pytest.mark.parametrize(("days", "severity", "told"), [(0, 2, True), (3, 2, True), (-3, 2, True), (4, 3, False)])
def test_what_is_found_about_those_days_weighs_less(make_employee, run_import, write_feed, days, severity, told):
    person = make_employee(wecom_userid="li.na")
    tell(person, date(2026, 10, 12) + timedelta(days=days))
    with time_machine.travel(FRIDAY):
        run_import(write_feed([line(1, "加我个人微信聊", to=(CLIENT,))]))
    finding = Finding.objects.get(kind="off_channel")
    assert (finding.severity, finding.is_self_reported) == (severity, told)


def test_a_confirmed_finding_that_was_told_of_is_no_breach(make_employee, run_import, write_feed, one):
    person = make_employee(wecom_userid="li.na")
    tell(person, date(2026, 10, 12))
    with time_machine.travel(FRIDAY):
        run_import(write_feed([line(1, "加我个人微信聊", to=(CLIENT,))]))
    decide(Finding.objects.get(kind="off_channel"), "confirmed", one)
    assert services.facts_for([person.pk], today=date(2026, 10, 16))[person.pk].state != BREACH


# --- the monthly sample

OCTOBER, SEED = date(2026, 10, 1), "ab" * 32


@pytest.fixture
def month(make_employee, run_import, write_feed) -> None:
    make_employee(wecom_userid="li.na")
    talk = [line(n, f"message {n}", to=(CLIENT,)) for n in range(1, 121)]
    others = [line(n, sender="nobody", to=("nobody.else",)) for n in range(200, 210)]
    with time_machine.travel(FRIDAY):
        run_import(write_feed([*talk, *others, line(300, sent=at(30, month=9))]))


def test_the_sample_is_drawn_again_exactly_from_seed_and_fingerprints(month):
    sample = services.draw_sample(month=OCTOBER, by="system:test", seed=SEED)
    theirs = Message.objects.filter(sender="li.na", sent_at__gte=datetime(2026, 10, 1, tzinfo=UTC))
    expected = sorted(
        (bytes(f) for f in theirs.values_list("fingerprint", flat=True)), key=lambda f: sampling.rank(SEED, f)
    )
    assert (sample.population, sample.size) == (120, 50)
    drawn = [bytes(item.fingerprint) for item in sample.items.all()]
    assert drawn == expected[:50]
    assert ledger.body_of(Entry.objects.get(seq=sample.entry_seq))["fingerprints"] == [one.hex() for one in drawn]


def test_a_sample_is_drawn_once_a_month_and_never_of_nothing(month):
    first = services.draw_sample(month=OCTOBER, by="system:test")
    assert services.draw_sample(month=OCTOBER, by="system:test", seed=SEED) == first
    assert services.draw_sample(month=date(2026, 1, 1), by="system:test") is None
    assert Sample.objects.count() == 1


def test_a_small_month_is_drawn_whole(make_employee, run_import, write_feed):
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(n) for n in range(1, 4)]))
    assert services.draw_sample(month=OCTOBER, by="system:test").items.count() == 3


def test_a_review_says_reviewer_item_date_and_action_once(month, one, two):
    item = services.draw_sample(month=OCTOBER, by="system:test").items.first()
    with pytest.raises(services.ReasonMissing):
        services.review_item(item=item, result="concern", action="", reviewer=one)
    reviewed = services.review_item(item=item, result="concern", action="told the manager", reviewer=one)
    assert (reviewed.reviewer, reviewed.result, reviewed.action) == (one, "concern", "told the manager")
    with pytest.raises(services.AlreadyDecided):
        services.review_item(item=item, result="fine", action="", reviewer=two)
    told = ledger.body_of(Entry.objects.get(seq=reviewed.entry_seq))
    assert (told["number"], told["result"], told["action"]) == (1, "concern", "told the manager")
    with pytest.raises(IntegrityError), transaction.atomic():
        SampleItem.objects.filter(pk=item.pk).update(result="")


def test_the_size_is_the_policys(month, monkeypatch):
    from dataclasses import replace

    monkeypatch.setattr(policy, "current", lambda: replace(policy.load(), sample_size=7))
    assert services.draw_sample(month=OCTOBER, by="system:test").items.count() == 7
