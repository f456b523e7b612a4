"""A faulty question is called back: who is affected, both results, what follows for modules and certificates."""

import pytest
from django.core import mail
from django.urls import reverse

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from quizzes import recalls as results
from quizzes import services as quizzes
from quizzes import tasks as quiz_tasks
from quizzes.models import Attempt, Question, Recall, Regrade
from tests.quizzes.conftest import tokens_for
from training import learning, recalls, tasks
from training.models import Certificate, Completion, ModuleResult


@pytest.fixture
def boss(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture(autouse=True)
def second(make_employee):
    return make_employee(name_en="Second Pair", roles=("Compliance",))


@pytest.fixture
def sit(make_edition, make_assignment, finish_lessons):
    """Let people take the quiz of a course of one module. ``wrong``: the positions that each has wrong."""
    edition = make_edition(modules=1)

    def go(*wrong: set[int], employee=None) -> list[Attempt]:
        attempts = []
        for places in wrong:
            assignment = finish_lessons(make_assignment(employee, edition.course))
            module = edition.modules.get()
            by = assignment.employee.uid
            attempt = learning.start_quiz(assignment=assignment, module=module, language="en", by=by)
            right = tokens_for(attempt, lambda options: [name for name, o in options.items() if o["right"]])
            false = tokens_for(attempt, lambda options: [next(n for n, o in options.items() if not o["right"])])
            answers = {place: false[place] if place in places else right[place] for place in right}
            attempts.append(learning.submit_quiz(attempt=attempt, answers=answers, by=by))
        return attempts

    return go


def asked(attempt: Attempt, position: int) -> Question:
    return attempt.responses.get(position=position).question


def call_back(question: Question, boss, rule: str = Recall.Rule.LEFT_OUT) -> Recall:
    recall = quizzes.recall_question(question=question, rule=rule, reason="Two options are right.", by=boss)
    quiz_tasks.regrade(recall.job_id)
    recall.refresh_from_db()
    return recall


def settle(recall: Recall) -> None:
    recalls.settle(recall=recall, by=Employee.objects.get(name_en="Second Pair"))
    from portal.jobs.models import Job

    tasks.settle_recall(Job.objects.get(kind=recalls.SETTLE, key=recall.uid).pk)


def test_a_recall_withdraws_the_question_and_sets_both_results_beside_each_other(sit, boss):
    passes, fails = sit({4}, {1, 2})  # 3 and 2 of 4 right; 80% passes
    assert (passes.percent, fails.percent) == (75, 50)
    question = asked(passes, 4)
    recall = call_back(question, boss)
    question.refresh_from_db()
    assert question.withdrawn_at
    row = Regrade.objects.get(attempt=passes)
    assert (row.percent_before, row.passed_before, row.percent_after, row.passed_after) == (75, False, 100, True)
    passes.refresh_from_db()
    assert (passes.percent, passes.passed) == (75, False)  # the old record stays
    assert Entry.objects.filter(verb="quizzes.question_recalled").count() == 1
    entry = Entry.objects.get(verb="quizzes.attempt_regraded", subject=passes.employee.uid)
    assert ledger.body_of(entry)["after"] == {"percent": 100, "passed": True}
    assert results.summary(recall)["now_passed"] >= 1


def test_everybody_gets_the_points_where_compliance_says_so(sit, boss):
    [attempt] = sit({1, 2})
    call_back(asked(attempt, 1), boss, Recall.Rule.FULL)
    assert Regrade.objects.get().percent_after == 75


def test_whoever_passes_after_all_has_the_module_the_course_and_a_certificate(sit, boss):
    [attempt] = sit({4})
    recall = call_back(asked(attempt, 4), boss)
    assert not ModuleResult.objects.exists()  # nothing follows before it is settled
    settle(recall)
    row = Regrade.objects.get()
    certificate = Certificate.objects.get()
    assert (row.outcome, row.certificate) == ("completed", certificate.serial)
    assert certificate.facts["percent"] == Completion.objects.get().percent == 100


def test_nobody_loses_a_pass_and_the_certificate_is_confirmed(sit, boss):
    [attempt] = sit(set())
    Attempt.objects.update(pass_percent=100)
    attempt.responses.filter(position=1).update(credit=0, is_right=False)  # as if another answer had been the key
    recall = call_back(asked(attempt, 2), boss)
    row = Regrade.objects.get()
    assert (row.passed_before, row.passed_after) == (True, False)
    settle(recall)
    row.refresh_from_db()
    certificate = Certificate.objects.get()
    assert (row.outcome, row.certificate) == ("confirmed", certificate.serial)
    assert certificate.revoked_at is None
    assert Entry.objects.filter(verb="training.certificate_confirmed", subject=attempt.employee.uid).count() == 1


def test_a_better_mark_replaces_the_certificate_and_the_completion_stays(sit, boss):
    Question.objects.all()
    [attempt] = sit(set())
    # One of four wrong would not pass at 80%; so the mark is lowered for this attempt, as an older quiz had it.
    ModuleResult.objects.update(percent=75)
    Completion.objects.update(percent=75)
    Certificate.objects.update(facts=Certificate.objects.get().facts | {"percent": 75})
    Attempt.objects.update(percent=75, right=3)
    attempt.responses.filter(position=1).update(credit=0, is_right=False)
    recall = call_back(asked(attempt, 1), boss)
    settle(recall)
    old, new = Certificate.objects.order_by("pk")
    assert old.superseded_by == new
    assert (old.facts["percent"], new.facts["percent"], Completion.objects.get().percent) == (75, 100, 75)
    assert Regrade.objects.get().outcome == "replaced"


def test_a_second_recall_stands_on_what_the_first_made_of_it(sit, boss):
    [attempt] = sit({1, 2})
    first = call_back(asked(attempt, 1), boss)
    second = call_back(asked(attempt, 2), boss)
    rows = Regrade.objects.order_by("pk")
    assert [(row.percent_before, row.percent_after) for row in rows] == [(50, 66), (66, 100)]
    assert quizzes.recall_question(question=first.question, rule="full", reason="again", by=boss) == first
    assert second != first


def test_many_results_are_looked_at_in_steps_and_each_once(sit, boss, monkeypatch):
    monkeypatch.setattr(results, "BATCH", 2)
    attempts = sit(*[{1}] * 5)
    words = {attempt.pk: set(attempt.responses.values_list("question__words", flat=True)) for attempt in attempts}
    question = asked(attempts[0], 1)
    recall = call_back(question, boss)
    touched = {pk for pk, asked_words in words.items() if question.words in asked_words}
    assert set(Regrade.objects.values_list("attempt", flat=True)) == touched
    assert recall.job.done == len(touched)


def test_what_was_handed_in_while_the_question_was_called_back_is_not_missed(sit, boss):
    first, second = sit({1, 2, 3}, {1, 2, 3})
    shared = set(first.responses.values_list("question", flat=True)) & set(
        second.responses.values_list("question", flat=True)
    )
    recall = call_back(Question.objects.get(pk=min(shared)), boss)
    Regrade.objects.filter(attempt=second).delete()
    settle(recall)
    assert set(Regrade.objects.values_list("attempt", flat=True)) == {first.pk, second.pk}


def test_people_are_told_once_in_their_language(sit, boss):
    [attempt] = sit({4})
    attempt.employee.language = "zh-hans"
    attempt.employee.save()
    recall = call_back(asked(attempt, 4), boss)
    assert recalls.tell_waiting() == 0
    settle(recall)
    assert (recalls.tell_waiting(), recalls.tell_waiting()) == (1, 0)
    [sent] = mail.outbox
    assert sent.to == [attempt.employee.email]
    assert "75%" in sent.body
    assert "Two options" not in sent.body
    assert Certificate.objects.get().serial in sent.body


def test_who_has_left_is_not_written_to_and_not_waited_for(sit, boss):
    [attempt] = sit({4})
    recall = call_back(asked(attempt, 4), boss)
    settle(recall)
    attempt.employee.is_active = False
    attempt.employee.save()
    recalls.tell_waiting()
    assert mail.outbox == []
    assert not recalls.untold().exists()


def test_the_pages_lead_from_the_question_to_the_settled_recall(sit, boss, second, sign_in):
    [attempt] = sit({4})
    question = asked(attempt, 4)
    client = sign_in(boss)
    begin = reverse("training:recall_begin", args=[question.bank.slug, question.slug])
    assert begin in client.get(reverse("quizzes:question", args=[question.bank.slug, question.slug])).text
    assert "1 result" in client.get(begin).text
    assert client.post(begin, {"reason": " ", "rule": "full"}).status_code == 200
    assert not Recall.objects.exists()
    response = client.post(begin, {"reason": "Wrong key.", "rule": "left-out"})
    recall = Recall.objects.get()
    assert response.url == reverse("training:recall", args=[recall.uid])
    client.post(reverse("training:recall_settle", args=[recall.uid]))  # too early: nothing is settled
    recall.refresh_from_db()
    assert recall.settled_at is None
    quiz_tasks.regrade(recall.job_id)
    page = client.get(response.url).text
    assert attempt.employee.name in page
    assert "Somebody else who may call questions back" in page
    client.post(reverse("training:recall_settle", args=[recall.uid]))  # whoever asked does not settle
    recall.refresh_from_db()
    assert recall.settled_at is None
    client = sign_in(second)
    page = client.get(response.url).text
    assert "1 mail will be sent." in page
    assert f"Dear {attempt.employee.name}," in page
    client.post(reverse("training:recall_settle", args=[recall.uid]))
    recall.refresh_from_db()
    assert recall.settled_by == second
    assert "Wrong key." in client.get(reverse("training:recall_list")).text


def test_the_person_sees_both_results(sit, boss, sign_in):
    [attempt] = sit({4})
    settle(call_back(asked(attempt, 4), boss))
    page = sign_in(attempt.employee).get(reverse("training:result", args=[attempt.uid])).text
    assert "Before: 75%; looked at again: 100%." in page
    assert "passed after all" in page


def test_a_list_of_results_costs_the_same_for_many(sit, boss, sign_in, count_queries):
    attempts = sit(*[{1, 2, 3}] * 12)
    question = asked(attempts[0], 1)
    recall = call_back(question, boss)
    client, url = sign_in(boss), reverse("training:recall", args=[recall.uid])
    many = count_queries(lambda: client.get(url))
    kept = Regrade.objects.first()
    Regrade.objects.exclude(pk=kept.pk).delete()
    assert count_queries(lambda: client.get(url)) == many


def test_whoever_asked_neither_settles_nor_sends_back(sit, boss):
    [attempt] = sit({4})
    recall = call_back(asked(attempt, 4), boss)
    with pytest.raises(recalls.OwnRecall):
        recalls.settle(recall=recall, by=boss)
    with pytest.raises(recalls.OwnRecall):
        recalls.send_back(recall=recall, why="no", by=boss)
    recall.refresh_from_db()
    assert (recall.settled_at, recall.sent_back_at) == (None, None)


def test_what_was_sent_back_changes_nothing_until_it_is_asked_for_again(sit, boss, second, sign_in):
    [attempt] = sit({4})
    recall = call_back(asked(attempt, 4), boss)
    client, url = sign_in(second), reverse("training:recall_send_back", args=[recall.uid])
    client.post(url, {"why": " "})
    recall.refresh_from_db()
    assert recall.sent_back_at is None
    client.post(url, {"why": "Everybody should get the points."})
    recall.refresh_from_db()
    assert recall.sent_back_by == second
    with pytest.raises(recalls.SentBack):
        settle(recall)
    assert not ModuleResult.objects.exists()
    client = sign_in(boss)
    assert "Everybody should get the points." in client.get(reverse("training:recall", args=[recall.uid])).text
    begin = reverse("training:recall_begin", args=[recall.question.bank.slug, recall.question.slug])
    client.post(begin, {"reason": "Two are right.", "rule": "full"})
    recall.refresh_from_db()
    assert (recall.sent_back_at, recall.rule) == (None, "full")
    quiz_tasks.regrade(recall.job_id)
    settle(recall)
    assert Regrade.objects.get().outcome == "completed"
    verbs = ["training.recall_sent_back", "quizzes.recall_asked_again", "training.recall_settled"]
    assert [entry.verb for entry in Entry.objects.filter(verb__in=verbs).order_by("pk")] == verbs
    with pytest.raises(recalls.AlreadySettled):
        recalls.send_back(recall=recall, why="too late", by=second)


def test_whose_result_does_not_get_better_is_not_written_to(sit, boss):
    lower, same = sit({1}, set())
    recall = call_back(asked(lower, 2), boss)  # one that was answered right is left out: 66% beside 75%
    Regrade.objects.filter(attempt=same).delete()
    row = Regrade.objects.get(attempt=lower)
    assert row.percent_after < row.percent_before
    assert (recalls.to_be_told(recall), recalls.sample_mail(recall.regrades.all(), "en")) == (0, None)
    settle(recall)
    assert recalls.tell_waiting() == 0
    assert mail.outbox == []
