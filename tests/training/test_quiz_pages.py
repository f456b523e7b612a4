from datetime import timedelta
from functools import partial

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse

from quizzes import services as quizzes
from quizzes.models import Attempt, Response
from tests.quizzes.conftest import all_right, all_wrong
from training.models import Completion, ModuleResult


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def learner(make_assignment, make_edition, finish_lessons, sign_in):
    """Somebody who has finished the lessons of a course of two modules: (client, assignment)."""
    assignment = finish_lessons(make_assignment(course=make_edition().course))
    return sign_in(assignment.employee), assignment


@pytest.fixture
def paper(learner):
    """The same, with the first quiz begun: (client, assignment, attempt)."""
    client, assignment = learner
    client.post(quiz_url(assignment))
    return client, assignment, Attempt.objects.get()


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def quiz_url(assignment, module: int = 1) -> str:
    return reverse("training:quiz", args=[assignment.course.slug, f"module-{module}"])


def attempt_url(attempt) -> str:
    return reverse("training:attempt", args=[attempt.uid])


def form(attempt, answers: dict[int, list[str]]) -> dict:
    return {"key": attempt.uid} | {f"q{position}": tokens for position, tokens in answers.items()}


def test_the_intro_says_what_awaits_one(learner):
    client, assignment = learner
    text = client.get(quiz_url(assignment)).text
    for words in (
        "<dd>4</dd>",
        "80% right",
        "Failures in a row before a wait: 3. The wait: 30 minutes.",
        "Begin the quiz",
    ):
        assert words in text
    assert Attempt.objects.count() == 0


def test_a_quiz_is_begun_by_post_and_goes_on_where_it_was(learner):
    client, assignment = learner
    first = client.post(quiz_url(assignment))
    attempt = Attempt.objects.get()
    assert first.headers["Location"] == attempt_url(attempt)
    assert "Go on with the quiz" in client.get(quiz_url(assignment)).text
    assert client.post(quiz_url(assignment)).headers["Location"] == attempt_url(attempt)
    assert Attempt.objects.count() == 1


def test_before_the_lessons_are_finished_the_intro_leads_to_them(make_assignment, make_edition, sign_in):
    assignment = make_assignment(course=make_edition().course)
    client = sign_in(assignment.employee)
    page = soup(client.get(quiz_url(assignment)))
    assert "2 are left" in page.text
    [form] = page.select("section form")
    assert form.button["name"] == "test_out"  # and none that begins the quiz as usual
    assert client.post(quiz_url(assignment)).headers["Location"] == quiz_url(assignment)
    assert Attempt.objects.count() == 0


def test_the_paper_shows_all_questions_and_nothing_about_right_answers(paper):
    client, _assignment, attempt = paper
    response = client.get(attempt_url(attempt))
    assert len(soup(response).select(".question")) == 4
    secret = [": why ", ": explanation", "is-right", "correct", '"right"', "rules", "habits"]
    assert [word for word in secret if word in response.text] == []
    for response_row in attempt.responses.select_related("question"):
        assert response_row.question.slug not in response.text.replace(f"{response_row.question.slug}: ", "")
    assert not any("right" in value.lower() for value in response.headers.values())


def test_options_are_named_by_random_tokens_alone(paper):
    client, _assignment, attempt = paper
    values = {tag["value"] for tag in soup(client.get(attempt_url(attempt))).select(".option input")}
    tokens = {token for response in attempt.responses.all() for token in response.tokens}
    assert values == tokens


def test_an_answer_is_kept_as_it_is_ticked_and_found_on_another_device(paper, sign_in):
    client, assignment, attempt = paper
    token = all_right(attempt)[2][0]
    url = reverse("training:answer", args=[attempt.uid, 2])
    fragment = client.post(url, {"q2": token}, headers={"HX-Request": "true"})
    assert soup(fragment).select_one("#saved-2").text == "Saved"
    assert soup(fragment).select_one("#answered").text == "1 of 4 answered"
    page = soup(sign_in(assignment.employee).get(attempt_url(attempt)))
    assert [tag["value"] for tag in page.select("input[checked]")] == [token]
    assert page.select_one("#answered").text == "1 of 4 answered"


def test_what_is_swapped_in_after_a_tick_is_what_a_reload_shows(paper):
    client, _assignment, attempt = paper
    url = reverse("training:answer", args=[attempt.uid, 1])
    fragment = soup(client.post(url, {"q1": all_right(attempt)[1]}, headers={"HX-Request": "true"}))
    page = soup(client.get(attempt_url(attempt)))
    counted = fragment.select_one("#answered")
    del counted["hx-swap-oob"]
    assert counted == page.select_one("#answered")
    assert fragment.select_one("#saved-1").attrs == page.select_one("#saved-1").attrs


def test_without_scripts_an_answer_comes_back_to_the_paper(paper):
    client, _assignment, attempt = paper
    response = client.post(reverse("training:answer", args=[attempt.uid, 1]), {"q1": all_right(attempt)[1]})
    assert response.headers["Location"] == f"{attempt_url(attempt)}#q1"


def test_switching_the_language_keeps_questions_ticks_and_tokens(paper):
    client, _assignment, attempt = paper
    client.post(reverse("training:answer", args=[attempt.uid, 1]), {"q1": all_right(attempt)[1]})
    before = soup(client.get(attempt_url(attempt)))
    back = client.post(reverse("people:language"), {"language": "zh-hans", "next": f"{attempt_url(attempt)}#q3"})
    assert back.headers["Location"] == f"{attempt_url(attempt)}#q3"
    after = soup(client.get(attempt_url(attempt)))
    assert after.html["lang"] == "zh-hans"
    assert [str(tag) for tag in after.select(".option")] == [str(tag) for tag in before.select(".option")]


def test_a_failed_try_explains_what_was_right_and_keeps_the_key_of_the_rest(paper):
    client, assignment, attempt = paper
    response = client.post(attempt_url(attempt), form(attempt, all_right(attempt) | {1: all_wrong(attempt)[1]}))
    result = reverse("training:result", args=[attempt.uid])
    assert response.headers["Location"] == result
    page = soup(client.get(result))
    assert "75%" in page.text
    assert "Not passed yet" in page.text
    questions = page.select(".question")
    assert [q.select_one(".tag").text for q in questions] == ["Wrong", "Right", "Right", "Right"]
    for question in questions[1:]:
        assert len(question.select(".why")) == len(question.select(".explained li")) == 3
        assert ": explanation" in question.select_one(".remember").text
    for question in questions:
        [source] = question.select("a[rel]")
        assert (source.text, source["href"]) == ("SEC Rule 17a-4", "https://www.ecfr.gov/17a-4")
    wrong = attempt.responses.select_related("question").get(position=1)
    chosen = {option["id"]: option for option in wrong.question.options}
    assert [li.p.contents[0].strip() for li in questions[0].select(".explained li")] == [
        chosen[name]["text"]["en"] for name in wrong.answer
    ]
    assert not questions[0].select(".why, .remember, .is-right, .good")
    assert page.select_one("form.row")["action"] == quiz_url(assignment)


def test_the_paper_that_tells_what_is_right_opens_with_the_pass(paper):
    client, assignment, attempt = paper
    client.post(attempt_url(attempt), form(attempt, all_wrong(attempt)))
    result = reverse("training:result", args=[attempt.uid])
    for url in ("training:as_shown", "training:as_shown_file"):
        ask = client.get if url == "training:as_shown" else client.post
        assert ask(reverse(url, args=[attempt.uid])).headers["Location"] == result
    client.post(quiz_url(assignment))
    second = Attempt.objects.get(submitted_at=None)
    client.post(attempt_url(second), form(second, all_right(second)))
    page = soup(client.get(result))
    assert [q.select_one(".tag").text for q in page.select(".question")] == ["Wrong"] * 4
    assert "The right answer" in page.select_one(".question").text
    assert client.get(reverse("training:as_shown", args=[attempt.uid])).status_code == 200


def test_a_pass_leads_to_the_next_module(paper, finish_lessons):
    client, assignment, attempt = paper
    page = client.post(attempt_url(attempt), form(attempt, all_right(attempt)), follow=True)
    button = soup(page).select_one(".verdict a.btn")
    assert (button["href"], button.text) == (quiz_url(assignment, 2), "Take the quiz")
    assert ModuleResult.objects.get().percent == 100


def test_the_last_pass_leads_to_the_certificate(learner, take_quiz):
    client, assignment = learner
    take_quiz(assignment, assignment.edition.modules.get(position=1))
    client.post(quiz_url(assignment, 2))
    attempt = Attempt.objects.get(submitted_at=None)
    page = client.post(attempt_url(attempt), form(attempt, all_right(attempt)), follow=True)
    assert "you have completed the course" in page.text
    assert soup(page).select_one(".verdict a.btn")["href"] == reverse("training:certificate_list")
    assert Completion.objects.count() == 1


def test_a_question_left_open_is_not_answered(paper):
    client, _assignment, attempt = paper
    page = client.post(attempt_url(attempt), {"key": attempt.uid, "anyway": "1"}, follow=True)
    assert [q.select_one(".tag").text for q in soup(page).select(".question")] == ["Not answered"] * 4


def test_handing_in_keeps_what_was_answered_on_another_device_and_unticking_there_clears_it(paper):
    client, _assignment, attempt = paper
    right = all_right(attempt)
    for position in (1, 2):
        client.post(reverse("training:answer", args=[attempt.uid, position]), {f"q{position}": right[position]})
    client.post(reverse("training:answer", args=[attempt.uid, 2]), {})
    page = client.post(attempt_url(attempt), form(attempt, {3: right[3]}) | {"anyway": "1"}, follow=True)
    said = [q.select_one(".tag").text for q in soup(page).select(".question")]
    assert said == ["Right", "Not answered", "Right", "Not answered"]


def test_a_double_click_or_a_second_window_counts_once(paper):
    client, _assignment, attempt = paper
    client.post(attempt_url(attempt), form(attempt, all_wrong(attempt)))
    page = client.post(attempt_url(attempt), form(attempt, all_right(attempt)), follow=True)
    assert "0 of 4 right, 0%" in page.text
    attempt.refresh_from_db()
    assert attempt.percent == 0
    assert ModuleResult.objects.count() == 0


@pytest.mark.parametrize("data", [{}, {"key": "other"}])
def test_a_form_of_another_paper_is_refused(paper, data):
    client, _assignment, attempt = paper
    assert client.post(attempt_url(attempt), data).status_code == 400
    attempt.refresh_from_db()
    assert attempt.is_open


def test_a_forged_answer_is_refused_and_nothing_is_handed_in(paper):
    client, _assignment, attempt = paper
    assert client.post(attempt_url(attempt), {"key": attempt.uid, "q1": "forged"}).status_code == 400
    assert client.post(reverse("training:answer", args=[attempt.uid, 1]), {"q1": "forged"}).status_code == 400
    assert client.post(reverse("training:answer", args=[attempt.uid, 99]), {"q99": "x"}).status_code == 400
    attempt.refresh_from_db()
    assert attempt.is_open
    assert not Response.objects.filter(answered_at__isnull=False).exists()


def test_an_answer_after_handing_in_is_told_so(paper):
    client, _assignment, attempt = paper
    client.post(attempt_url(attempt), form(attempt, {}) | {"anyway": "1"})
    url = reverse("training:answer", args=[attempt.uid, 1])
    fragment = client.post(url, {"q1": all_right(attempt)[1]}, headers={"HX-Request": "true"})
    assert "handed in already" in fragment.text


def test_an_answer_after_the_time_is_told_so(learner, clock):
    client, assignment = learner
    quiz = assignment.edition.modules.get(position=1).quiz
    type(quiz).objects.filter(pk=quiz.pk).update(time_limit_minutes=10)
    client.post(quiz_url(assignment))
    attempt = Attempt.objects.get()
    assert "to be handed in by 12:10" in client.get(attempt_url(attempt)).text
    clock.shift(timedelta(minutes=11))
    url = reverse("training:answer", args=[attempt.uid, 1])
    fragment = client.post(url, {"q1": all_right(attempt)[1]}, headers={"HX-Request": "true"})
    assert "too late" in fragment.text


def test_somebody_elses_attempt_does_not_exist(paper, make_employee, sign_in):
    _client, _assignment, attempt = paper
    boss = make_employee(roles=("HR", "Compliance", "Auditor"))
    other = sign_in(boss)
    answer, result = (
        reverse("training:answer", args=[attempt.uid, 1]),
        reverse("training:result", args=[attempt.uid]),
    )
    assert [other.get(attempt_url(attempt)).status_code, other.get(result).status_code] == [404, 404]
    assert other.post(attempt_url(attempt), form(attempt, all_right(attempt))).status_code == 404
    assert other.post(answer, {"q1": "x"}).status_code == 404
    attempt.refresh_from_db()
    assert attempt.is_open


def test_an_open_attempt_has_no_result_and_a_graded_one_no_paper(paper):
    client, _assignment, attempt = paper
    result = reverse("training:result", args=[attempt.uid])
    assert client.get(result).headers["Location"] == attempt_url(attempt)
    client.post(attempt_url(attempt), form(attempt, {}) | {"anyway": "1"})
    assert client.get(attempt_url(attempt)).headers["Location"] == result


def test_after_three_failures_the_pages_say_when_and_what_to_do_meanwhile(learner, take_quiz):
    client, assignment = learner
    module = assignment.edition.modules.get(position=1)
    for _ in range(3):
        attempt = take_quiz(assignment, module, passed=False)
    result = client.get(reverse("training:result", args=[attempt.uid])).text
    intro = client.get(quiz_url(assignment)).text
    assert "The next try is open from 15 Mar 2030, 12:30" in result
    assert "The next try is open from 15 Mar 2030, 12:30" in intro
    assert "Try again" not in result + intro
    assert client.post(quiz_url(assignment)).headers["Location"] == quiz_url(assignment)
    assert Attempt.objects.count() == 3


def test_an_old_result_can_still_be_read_after_the_renewal_moved_to_a_new_edition(
    learner, take_quiz, complete_course, make_assignment, make_edition, finish_lessons
):
    client, assignment = learner
    attempt = take_quiz(assignment, assignment.edition.modules.get(position=1))
    take_quiz(assignment, assignment.edition.modules.get(position=2))
    make_edition(assignment.course)
    finish_lessons(make_assignment(assignment.employee, assignment.course))
    page = client.get(reverse("training:result", args=[attempt.uid]))
    assert soup(page).select_one(".verdict a.btn").text == "To the course"


def test_a_paper_and_a_result_of_many_questions_cost_no_more(learner, make_assignment, count_queries):
    client, assignment = learner
    costs = []
    for position, draw in ((1, 2), (2, 6)):
        quiz = assignment.edition.modules.get(position=position).quiz
        type(quiz).objects.filter(pk=quiz.pk).update(draw=draw)
        client.post(quiz_url(assignment, position))
        attempt = Attempt.objects.get(submitted_at=None)
        paper = count_queries(partial(client.get, attempt_url(attempt)))
        quizzes.submit(attempt=attempt, answers={}, by=assignment.employee.uid)
        result = count_queries(partial(client.get, reverse("training:result", args=[attempt.uid])))
        costs.append((paper, result))
    assert costs[0] == costs[1]


def test_handing_in_with_nothing_at_some_questions_asks_first_and_keeps_the_rest(paper):
    client, _assignment, attempt = paper
    right = all_right(attempt)
    page = client.post(attempt_url(attempt), form(attempt, {1: right[1], 3: right[3]}))
    assert "2 questions have no answer: 2, 4." in page.text
    attempt.refresh_from_db()
    assert attempt.is_open
    assert list(attempt.responses.filter(answer__isnull=True).values_list("position", flat=True)) == [2, 4]
    button = soup(page).select_one(".handin .btn:not(.plain)")
    again = client.post(attempt_url(attempt), form(attempt, {}) | {button["name"]: "1"})
    assert again.url.endswith("/result/")
    attempt.refresh_from_db()
    assert attempt.right == 2
