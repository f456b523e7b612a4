"""Attempts with a question of every kind, from the draw to the record of it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from quizzes import papers, replays, services
from quizzes.models import Attempt, Question, Response, Showing
from tests.quizzes.conftest import all_right, all_wrong, question
from tests.quizzes.samples import ALL, BY_KIND, RIGHT, SCENARIO, WRONG, sent

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def every_kind(make_quiz, begin) -> Attempt:
    return begin(make_quiz(questions=ALL))


def answers_of(attempt: Attempt, answers: dict = RIGHT) -> dict[int, dict]:
    rows = attempt.responses.select_related("question")
    return {response.position: sent(response, answers[response.question.kind]) for response in rows}


def position_of(attempt: Attempt, kind: str) -> int:
    return attempt.responses.get(question__kind=kind).position


def save(attempt: Attempt, kind: str, fields: dict, **about) -> Response:
    response = attempt.responses.get(question__kind=kind)
    about = {"by": attempt.employee.uid} | about
    return services.save_answer(attempt=attempt, position=response.position, sent=sent(response, fields), **about)


# --- graded ------------------------------------------------------------------------------------------------------


def test_every_kind_answered_rightly_is_everything(every_kind):
    graded = services.submit(attempt=every_kind, answers=answers_of(every_kind), by=every_kind.employee.uid)
    assert (graded.right, graded.percent, graded.passed) == (9, 100, True)


def test_every_kind_answered_wrongly_is_nothing(every_kind):
    graded = services.submit(attempt=every_kind, answers=answers_of(every_kind, WRONG), by=every_kind.employee.uid)
    assert (graded.right, graded.percent, graded.passed) == (0, 0, False)


def test_saved_one_by_one_the_result_is_the_same(every_kind):
    for position, fields in answers_of(every_kind).items():
        services.save_answer(attempt=every_kind, position=position, sent=fields, by=every_kind.employee.uid)
    assert services.progress(every_kind) == (9, 9)
    assert services.submit(attempt=every_kind, answers={}, by=every_kind.employee.uid).percent == 100


def test_part_credit_and_points_make_the_percent(make_quiz, begin):
    text = BY_KIND["text"] | {"points": 3}
    attempt = begin(make_quiz(questions=[text, BY_KIND["single"]], pass_percent=60))
    by = attempt.employee.uid
    save(attempt, "text", {"": ["WeChat"]})
    save(attempt, "single", RIGHT["single"])
    graded = services.submit(attempt=attempt, answers={}, by=by)
    assert (graded.right, graded.percent, graded.passed) == (1, 62, True)  # 1.5 + 1 of 4 points
    result = papers.result(graded, "en")
    assert result["points"] == {"earned": "2.5", "of": 4}
    told = {q["kind"]: (q["earned"], q["points"], q["is_right"], q["in_part"]) for q in result["questions"]}
    assert told == {"text": ("1.5", 3, False, True), "single": ("1", 1, True, False)}


def test_a_question_that_must_be_right_decides_whatever_the_others_come_to(make_quiz, begin):
    quiz = make_quiz(questions=[BY_KIND["single"] | {"must_pass": True}, question("other")], pass_percent=50)
    outcomes = []
    for answers in (RIGHT, WRONG):
        attempt = begin(quiz)
        by = attempt.employee.uid
        rights = all_right(attempt)
        must = attempt.responses.get(question__must_pass=True)
        other = next(place for place in rights if place != must.position)
        told = {must.position: sent(must, answers["single"]), other: rights[other]}
        graded = services.submit(attempt=attempt, answers=told, by=by)
        outcomes.append((graded.percent, graded.passed, papers.result(graded, "en")["missed"]))
    assert outcomes == [(100, True, 0), (50, False, 1)]


def test_points_and_must_pass_are_frozen_as_shown(make_quiz, begin):
    attempt = begin(make_quiz(questions=[BY_KIND["single"] | {"points": 4, "must_pass": True}]))
    Question.objects.update(points=1, must_pass=False)
    response = attempt.responses.get()
    assert (response.points, response.must_pass) == (4, True)


# --- drawn -------------------------------------------------------------------------------------------------------


def test_a_quiz_draws_by_its_blueprint(make_quiz, begin):
    asked = [
        question(f"{tag}-{level}-{n}", tag=tag, difficulty=level) for tag in "ab" for level in (1, 3) for n in "xyz"
    ]
    blueprint = [{"questions": 2, "tag": "a", "difficulty": 3}, {"questions": 1, "tag": "b", "difficulty": 1}]
    quiz = make_quiz(questions=asked, draw=3, blueprint=blueprint)
    for _ in range(4):
        slugs = begin(quiz).responses.values_list("question__slug", flat=True)
        assert sorted(slug[:3] for slug in slugs) == ["a-3", "a-3", "b-1"]


def test_a_blueprint_that_cannot_be_filled_is_not_published(make_quiz):
    with pytest.raises(services.BadQuestion, match="of a sort of which there are 0"):
        make_quiz(questions=[question("q", difficulty=1)], draw=1, blueprint=[{"questions": 1, "difficulty": 3}])


def test_by_blueprint_too_the_second_try_shows_other_questions(make_quiz, make_employee, hand_in, begin):
    asked = [question(f"{tag}-{n}", tag=tag) for tag in "ab" for n in range(6)]
    quiz = make_quiz(questions=asked, draw=4, blueprint=[{"questions": 2, "tag": "a"}])
    me = make_employee()
    first = set(hand_in(quiz, me, passed=False).responses.values_list("question", flat=True))
    assert not first & set(begin(quiz, me).responses.values_list("question", flat=True))


# --- reviewed, withdrawn -----------------------------------------------------------------------------------------


def test_what_nobody_has_reviewed_is_in_no_quiz(make_quiz):
    make_quiz(bank="b", questions=[question("q")])
    Question.objects.update(state=Question.State.PROPOSED, reviewed_at=None)
    rows = list(Question.objects.all())
    terms = {"title": {"en": "Quiz"}, "draw": 1, "pass_percent": 80, "tries_before_wait": 3, "wait_minutes": 30}
    with pytest.raises(services.BadQuestion, match="nobody has reviewed"):
        services.publish_quiz(slug="other", questions=rows, by="system:test", **terms)


def test_nobody_reviews_a_question_of_their_own(make_quiz, make_employee):
    make_quiz(questions=[question("q")])
    author = make_employee()
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.update(written_by=author, reviewed_by=author)
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.update(written_by=author, reviewed_by=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.update(reviewed_at=None)


def test_a_withdrawn_question_is_drawn_no_more(make_quiz, begin, make_employee):
    quiz = make_quiz(questions=[question("q0"), question("q1")], draw=2)
    gone = Question.objects.get(slug="q0")
    services.withdraw_question(question=gone, reason="The rule changed.", by=make_employee())
    assert list(begin(quiz).responses.values_list("question__slug", flat=True)) == ["q1"]
    entry = Entry.objects.get(verb="quizzes.question_withdrawn")
    assert ledger.body_of(entry)["reason"] == "The rule changed."


def test_a_quiz_of_which_everything_was_withdrawn_asks_nothing(make_quiz, begin, make_employee):
    quiz = make_quiz(questions=[question("q0")])
    services.withdraw_question(question=Question.objects.get(), reason="Wrong.", by=make_employee())
    with pytest.raises(services.NothingToAsk):
        begin(quiz)
    assert not Attempt.objects.exists()


def test_a_question_is_withdrawn_once_and_with_a_reason(make_quiz, make_employee):
    make_quiz(questions=[question("q0")])
    by, row = make_employee(), Question.objects.get()
    with pytest.raises(services.NoReason):
        services.withdraw_question(question=row, reason="  ", by=by)
    services.withdraw_question(question=row, reason="Wrong.", by=by)
    with pytest.raises(services.AlreadyWithdrawn):
        services.withdraw_question(question=row, reason="Again.", by=by)
    assert Question.objects.get().withdrawn_why == "Wrong."


def test_an_attempt_that_shows_a_withdrawn_question_is_graded_without_it(make_quiz, begin, make_employee):
    attempt = begin(make_quiz(questions=[question("q0"), question("q1")], pass_percent=100))
    wrong = Question.objects.get(slug="q0")
    services.withdraw_question(question=wrong, reason="Wrong.", by=make_employee())
    place = attempt.responses.get(question=wrong).position
    answers = all_right(attempt) | {place: all_wrong(attempt)[place]}
    graded = services.submit(attempt=attempt, answers=answers, by=attempt.employee.uid)
    assert (graded.right, graded.percent, graded.passed) == (1, 100, True)
    result = papers.result(graded, "en")
    assert (result["total"], result["left_out"]) == (1, 1)
    assert [r["is_counted"] for r in ledger.body_of(Entry.objects.order_by("-seq").first())["responses"]].count(
        True
    ) == 1


def test_versions_that_differ_in_tags_alone_share_their_words(make_quiz):
    make_quiz(bank="b", questions=[question("q", tag="rules")])
    make_quiz(bank="b", questions=[question("q", tag="habits", difficulty=3)])
    make_quiz(bank="b", questions=[question("q", tag="habits", stem={"en": "Other words"})])
    first, retagged, reworded = Question.objects.order_by("version")
    assert first.words == retagged.words != reworded.words
    assert len({first.fingerprint, retagged.fingerprint, reworded.fingerprint}) == 3
    assert list(Question.objects.newest()) == [reworded]


# --- forms that are old or forged --------------------------------------------------------------------------------


def test_an_old_form_does_not_overwrite_what_was_answered_since(every_kind):
    first = save(every_kind, "single", RIGHT["single"], revisions={position_of(every_kind, "single"): 0})
    assert first.revision == 1
    position = first.position
    with pytest.raises(services.OutOfDate) as old:
        save(every_kind, "single", WRONG["single"], revisions={position: 0})
    assert old.value.positions == [position]
    assert every_kind.responses.get(position=position).answer == ["right"]
    save(every_kind, "single", RIGHT["single"], revisions={position: 0})  # says what is kept anyway
    save(every_kind, "single", {}, revisions={position: 0})  # knows of no answer: says nothing
    assert every_kind.responses.get(position=position).answer == ["right"]
    assert save(every_kind, "single", WRONG["single"], revisions={position: 1}).answer == ["wrong-1"]


def test_a_replayed_request_changes_nothing(every_kind):
    position = position_of(every_kind, "single")
    for revision, answer in enumerate((RIGHT, WRONG)):
        save(every_kind, "single", answer["single"], revisions={position: revision})
    with pytest.raises(services.OutOfDate):
        save(every_kind, "single", RIGHT["single"], revisions={position: 0})
    assert every_kind.responses.get(position=position).answer == ["wrong-1"]


def test_an_old_form_hands_nothing_in(every_kind):
    save(every_kind, "text", {"": ["WeCom"]})
    stale = answers_of(every_kind, WRONG)
    with pytest.raises(services.OutOfDate):
        services.submit(
            attempt=every_kind, answers=stale, revisions=dict.fromkeys(stale, 0), by=every_kind.employee.uid
        )
    every_kind.refresh_from_db()
    assert every_kind.is_open
    assert every_kind.responses.exclude(answer=None).count() == 1


def test_a_choice_made_elsewhere_is_not_undone_by_an_old_form(every_kind):
    position = position_of(every_kind, "scenario")
    save(every_kind, "scenario", {"": ["reply"]})
    with pytest.raises(services.OutOfDate):
        save(every_kind, "scenario", {"": ["move"]}, revisions={position: 0})
    assert save(every_kind, "scenario", {"": ["report"]}, revisions={position: 1}).answer == ["reply", "report"]


@pytest.mark.parametrize("kind", [kind for kind in BY_KIND if kind not in ("text", "numeric")])
def test_tokens_of_another_attempt_and_bare_ids_are_forged_in_every_kind(make_quiz, begin, kind):
    quiz = make_quiz(questions=[BY_KIND[kind]])
    mine, theirs = begin(quiz), begin(quiz)
    for fields in (sent(theirs.responses.get(), RIGHT[kind]), RIGHT[kind]):
        with pytest.raises(services.ForgedAnswer):
            services.submit(attempt=mine, answers={1: fields}, by=mine.employee.uid)
        with pytest.raises(services.ForgedAnswer):
            services.save_answer(attempt=mine, position=1, sent=fields, by=mine.employee.uid)
    mine.refresh_from_db()
    assert mine.is_open
    assert mine.responses.get().answer is None


def test_a_question_that_was_not_drawn_cannot_be_answered(make_quiz, begin):
    quiz = make_quiz(questions=[question(f"q{n}") for n in range(4)], draw=2)
    attempt = begin(quiz)
    with pytest.raises(services.ForgedAnswer, match="there is no question 3"):
        services.submit(attempt=attempt, answers={3: ["x"]}, by=attempt.employee.uid)


# --- languages and devices ---------------------------------------------------------------------------------------


def test_it_is_kept_in_which_language_and_on_which_device_the_paper_was_shown_when(every_kind):
    for minute, (language, device) in enumerate(
        [("en", "phone"), ("en", "phone"), ("zh-hans", "phone"), ("zh-hans", "desk"), ("en", "desk")]
    ):
        with time_machine.travel(NOON + timedelta(minutes=minute), tick=False):
            services.note_showing(attempt=every_kind, language=language, device=device)
    said = Showing.objects.values_list("language", "device", "shown_at")
    assert [(language, device, (at - NOON).seconds // 60) for language, device, at in said] == [
        ("en", "phone", 0),
        ("zh-hans", "phone", 2),
        ("zh-hans", "desk", 3),
        ("en", "desk", 4),
    ]


def test_an_answer_tells_in_which_language_and_on_which_device_it_was_given(every_kind):
    saved = save(every_kind, "single", RIGHT["single"], language="zh-hans", device="phone")
    assert (saved.language, saved.device) == ("zh-hans", "phone")


def test_the_paper_keeps_its_places_and_names_when_the_language_is_switched(every_kind):
    save(every_kind, "matching", RIGHT["matching"])
    english, chinese = papers.paper(every_kind, "en"), papers.paper(every_kind, "zh-hans")
    assert (english["lang"], chinese["lang"]) == ("en", "zh-hans")
    assert [q["fields"] for q in english["questions"]] == [q["fields"] for q in chinese["questions"]]
    assert [q["answered"] for q in english["questions"]] == [q["answered"] for q in chinese["questions"]]
    assert not [q["stem"] for q in chinese["questions"] if "中文" not in q["stem"]]


def test_a_paper_is_told_in_the_languages_that_all_of_its_questions_have(make_quiz, begin):
    attempt = begin(make_quiz(questions=[BY_KIND["single"], question("english-only")]))
    assert attempt.languages == ["en"]
    assert services.language_for(attempt, "zh-hans") == "en"


# --- time --------------------------------------------------------------------------------------------------------


def test_time_is_given_to_the_question_that_was_answered_and_adds_up(make_quiz, begin):
    with time_machine.travel(NOON, tick=False) as clock:
        attempt = begin(make_quiz(questions=[BY_KIND["single"], BY_KIND["text"]]))
        clock.shift(timedelta(seconds=20))
        save(attempt, "text", {"": ["We"]})
        clock.shift(timedelta(seconds=5))
        save(attempt, "single", RIGHT["single"])
        clock.shift(timedelta(seconds=7))
        save(attempt, "text", {"": ["WeCom"]})
        clock.shift(timedelta(minutes=1))
        services.submit(attempt=attempt, answers={}, by=attempt.employee.uid)
    spent = dict(attempt.responses.values_list("question__kind", "spent_ms"))
    assert spent == {"text": 27_000, "single": 5_000}


def test_of_answers_that_come_together_nobody_knows_how_long_each_took(every_kind):
    services.submit(attempt=every_kind, answers=answers_of(every_kind), by=every_kind.employee.uid)
    assert set(every_kind.responses.values_list("spent_ms", flat=True)) == {None}


def test_extra_time_lengthens_what_is_begun_while_it_holds(make_quiz, begin, make_employee):
    quiz, me, hr = make_quiz(time_limit_minutes=10), make_employee(), make_employee()
    with time_machine.travel(NOON, tick=False):
        services.grant_extra_time(
            employee=me, percent=50, reason="As agreed", starts_on=NOON.date(), ends_on=None, by=hr
        )
        services.grant_extra_time(employee=me, percent=25, reason="Older", starts_on=NOON.date(), ends_on=None, by=hr)
        mine, other = begin(quiz, me), begin(quiz)
    assert (mine.closes_at, mine.extra_percent) == (NOON + timedelta(minutes=15), 50)
    assert (other.closes_at, other.extra_percent) == (NOON + timedelta(minutes=10), 0)
    with time_machine.travel(NOON + timedelta(minutes=14), tick=False):
        assert services.submit(attempt=mine, answers=all_right(mine), by=me.uid).percent == 100
        assert services.submit(attempt=other, answers=all_right(other), by=other.employee.uid).percent == 0
    other.refresh_from_db()
    assert other.timed_out


def test_extra_time_is_an_entry_with_its_reason_in_the_body_alone(make_employee):
    me, hr = make_employee(), make_employee()
    given = services.grant_extra_time(
        employee=me, percent=50, reason="dyslexia", starts_on=NOON.date(), ends_on=None, by=hr
    )
    entry = Entry.objects.get(verb="quizzes.extra_time_granted")
    assert (entry.actor, entry.subject) == (hr.uid, me.uid)
    assert ledger.body_of(entry)["reason"] == "dyslexia"
    services.end_extra_time(given=given, by=hr)
    with pytest.raises(services.AlreadyEnded):
        services.end_extra_time(given=given, by=hr)
    assert Entry.objects.filter(verb="quizzes.extra_time_ended").count() == 1


def test_nobody_grants_time_to_themselves(make_employee):
    me = make_employee()
    with pytest.raises(services.NotForOneself):
        services.grant_extra_time(employee=me, percent=50, reason="x", starts_on=NOON.date(), ends_on=None, by=me)


# --- drawn again -------------------------------------------------------------------------------------------------


@pytest.fixture
def submitted(every_kind) -> Attempt:
    services.note_showing(attempt=every_kind, language="en", device="phone")
    services.note_showing(attempt=every_kind, language="zh-hans", device="phone")
    return services.submit(attempt=every_kind, answers=answers_of(every_kind, WRONG), by=every_kind.employee.uid)


def test_an_attempt_is_drawn_again_as_it_was_shown_in_every_language(submitted):
    again = replays.replay(submitted)
    assert [paper["lang"] for paper in again["papers"]] == ["en", "zh-hans"]
    for paper, lang in zip(again["papers"], ("en", "zh-hans"), strict=True):
        shown = papers.paper(submitted, lang)
        assert [q["stem"] for q in paper["questions"]] == [q["stem"] for q in shown["questions"]]
        for told, question_shown in zip(paper["questions"], shown["questions"], strict=True):
            if question_shown["look"] == "choice":
                order = [option["text"] for option in question_shown["options"]]
                assert [line["shown"] for line in told["lines"]] == order
            if question_shown["look"] == "matching":
                order = [prompt["text"] for prompt in question_shown["prompts"]]
                assert [line["shown"] for line in told["lines"]][:2] == order
    assert again["proof"].is_same
    assert again["proof"].seq == Entry.objects.get(verb="quizzes.attempt_started").seq


def test_an_edited_question_does_not_change_what_is_drawn_again(submitted, make_quiz):
    before = json.dumps(replays.replay(submitted)["papers"], default=str)
    bank = Question.objects.first().bank.slug
    make_quiz(bank=bank, questions=[BY_KIND["single"] | {"stem": {"en": "Other", "zh-hans": "别的"}}])
    assert json.dumps(replays.replay(submitted)["papers"], default=str) == before


@pytest.mark.parametrize(
    "tamper",
    [
        lambda attempt: Question.objects.filter(slug="single").update(stem={"en": "Another", "zh-hans": "另"}),
        lambda attempt: Question.objects.filter(slug="ordering").update(fingerprint="0" * 64),
        lambda attempt: attempt.responses.filter(position=1).update(points=9),
        lambda attempt: attempt.responses.filter(question__slug="single").update(order=["wrong-2", "x", "right"]),
        lambda attempt: Attempt.objects.update(closes_at=attempt.started_at + timedelta(days=1)),
        lambda attempt: Attempt.objects.update(pass_percent=1),
    ],
    ids=["stem", "fingerprint", "points", "order", "closing time", "pass mark"],
)
def test_whoever_changes_a_row_is_found_out(submitted, tamper):
    tamper(submitted)
    submitted.refresh_from_db()
    rows = list(submitted.responses.select_related("question"))
    assert not replays.proof_of(submitted, rows).is_same


def test_an_attempt_begun_before_papers_were_kept_says_so(submitted):
    begun = Entry.objects.get(verb="quizzes.attempt_started")
    Showing.objects.all().delete()
    Attempt.objects.update(
        started_at=submitted.started_at + timedelta(days=1), submitted_at=NOON + timedelta(days=9999)
    )
    submitted.refresh_from_db()
    again = replays.replay(submitted)
    assert begun.seq
    assert (again["proof"].seq, again["proof"].is_same, again["proof"].changed) == (None, False, [])
    assert len(again["papers"]) == 1


def test_drawing_again_costs_the_same_for_ten_questions_as_for_two(make_quiz, begin, count_queries):
    costs = []
    for size in (2, 10):
        attempt = begin(make_quiz(questions=[question(f"q{size}-{i}") for i in range(size)]))
        services.submit(attempt=attempt, answers={}, by=attempt.employee.uid)
        row = Attempt.objects.select_related("quiz", "employee").get(pk=attempt.pk)
        costs.append(count_queries(lambda a=row: replays.replay(a)))
    assert costs[0] == costs[1]


def test_looking_at_what_another_answered_takes_a_reason_and_is_an_entry(submitted, make_employee):
    reviewer = make_employee(roles=("Compliance",))
    assert Attempt.objects.reviewable_by(reviewer).get() == submitted
    for other in (make_employee(roles=("HR",)), submitted.employee):
        assert not Attempt.objects.reviewable_by(other).exists()
    with pytest.raises(services.NoReason):
        services.look_at(attempt=submitted, reason=" ", by=reviewer)
    services.look_at(attempt=submitted, reason="A complaint", by=reviewer)
    entry = Entry.objects.get(verb="quizzes.attempt_looked_at")
    assert (entry.actor, entry.subject) == (reviewer.uid, submitted.employee.uid)


# --- nothing leaks -----------------------------------------------------------------------------------------------


def test_an_open_paper_of_every_kind_tells_no_secret(every_kind):
    for language in ("en", "zh-hans"):
        paper = papers.paper(every_kind, language)
        for shown in paper["questions"]:
            shown.pop("fields")
        told = json.dumps(paper, default=str, ensure_ascii=False)
        ids = ["right-1", "wrong-1", "p-us", "first", "hello", "moved"]
        assert [word for word in ("SECRET", "weight", '"why"', every_kind.seed, *ids) if word in told] == []


def test_the_end_of_a_path_tells_its_text_and_not_its_worth(make_quiz, begin):
    attempt = begin(make_quiz(questions=[SCENARIO]))
    for choice in ("reply", "hide"):
        saved = save(attempt, "scenario", {"": [choice]})
    shown = json.dumps(papers.question(saved, "en"))
    assert "It comes out" in shown
    assert "SECRET" not in shown
    assert '"0"' not in shown


def test_grades_stand_in_the_database_as_they_are_or_not_at_all(every_kind):
    for fields in ({"is_right": True, "credit": None}, {"is_right": False, "credit": 10_000}, {"credit": 500}):
        with pytest.raises(IntegrityError), transaction.atomic():
            every_kind.responses.filter(position=1).update(**fields)
