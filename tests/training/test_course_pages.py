from datetime import date, timedelta
from functools import partial

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse

from quizzes.models import Attempt
from training import services
from training.models import Assignment, Lesson, Progress

LIST = reverse("training:course_list")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def learner(make_assignment, make_edition, sign_in):
    """Somebody with a course of two modules of two lessons: (client, assignment)."""
    assignment = make_assignment(course=make_edition().course)
    return sign_in(assignment.employee), assignment


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def course_url(assignment: Assignment) -> str:
    return reverse("training:course", args=[assignment.course.slug])


def lesson_url(assignment: Assignment, module: int = 1, lesson: int = 1) -> str:
    return reverse("training:lesson", args=[assignment.course.slug, f"module-{module}", f"lesson-{lesson}"])


def test_my_courses_show_state_progress_and_one_thing_to_do(learner):
    client, assignment = learner
    page = soup(client.get(LIST))
    [card] = page.select(".card.course")
    assert "Assigned" in card.select_one(".tag").text
    assert card.progress["value"] == "0"
    [button] = card.select("a.btn")
    assert (button.text, button["href"]) == ("Begin", lesson_url(assignment))


def test_whoever_has_no_course_is_told_so(make_employee, sign_in):
    assert "No course has been assigned to you" in sign_in(make_employee()).get(LIST).text


def test_a_course_that_was_not_assigned_to_me_does_not_exist(learner, make_employee, sign_in):
    _client, assignment = learner
    other = sign_in(make_employee())
    for url in (course_url(assignment), lesson_url(assignment)):
        assert other.get(url).status_code == 404


def test_a_course_without_an_edition_is_not_shown_yet(make_employee, sign_in, make_edition):
    from training.models import Course

    employee, course = make_employee(), Course.objects.create(slug="empty")
    services.assign(employee=employee, course=course, due_on=date(2030, 4, 1), by="system:test")
    client = sign_in(employee)
    assert client.get(LIST).status_code == 200
    assert client.get(reverse("training:course", args=["empty"])).status_code == 404


def test_the_course_page_lists_every_lesson_with_its_minutes_and_each_quiz(learner):
    client, assignment = learner
    page = soup(client.get(course_url(assignment)))
    lines = [line.get_text(" ", strip=True) for line in page.select(".lessons a")]
    assert len(lines) == 6
    assert lines[0] == "Lesson 1.1 3 min"
    assert lines[2] == "Quiz after the lessons"


def test_the_course_page_follows_the_person(learner, finish_lessons, take_quiz):
    client, assignment = learner
    one, two = assignment.course.current.modules.all()

    def next_button() -> tuple[str, str]:
        button = soup(client.get(course_url(assignment))).select_one(".nextstep a.btn")
        return button.text, button["href"]

    finish_lessons(assignment, one)
    quiz = reverse("training:quiz", args=[assignment.course.slug, one.slug])
    assert next_button() == ("Take the quiz", quiz)
    take_quiz(assignment, one)
    assert next_button() == ("Continue", lesson_url(assignment, 2, 1))
    finish_lessons(assignment, two)
    take_quiz(assignment, two)
    assert next_button() == ("See the certificate", reverse("training:certificate_list"))
    assert "completed on 15 March 2030, valid until 14 March 2031" in client.get(course_url(assignment)).text


def test_while_a_quiz_has_to_wait_the_next_module_is_the_next_thing(learner, finish_lessons, take_quiz):
    client, assignment = learner
    one, two = assignment.course.current.modules.all()
    finish_lessons(assignment, one)
    for _ in range(3):
        take_quiz(assignment, one, passed=False)
    assert soup(client.get(course_url(assignment))).select_one(".nextstep a.btn")["href"] == lesson_url(
        assignment, 2, 1
    )
    finish_lessons(assignment, two)
    take_quiz(assignment, two)
    assert "has to wait" in client.get(course_url(assignment)).text


# --- a lesson ----------------------------------------------------------------------------------------------------


def test_a_lesson_shows_its_blocks_and_where_one_is(learner):
    client, assignment = learner
    page = soup(client.get(lesson_url(assignment)))
    assert page.h1.text == "Lesson 1.1"
    assert [part["id"] for part in page.select("[data-place]")] == ["b0", "b1", "b2"]
    assert "Lesson 1 of 2" in page.text
    assert page.select_one(".onward button").text == "Done, next: Lesson 1.2"
    assert page.select_one(".lessons [aria-current]")["href"] == lesson_url(assignment)


def test_no_right_answer_is_on_the_page_before_it_is_answered(learner):
    client, assignment = learner
    response = client.get(lesson_url(assignment))
    assert "WHY-" not in response.text
    assert "is-right" not in response.text


def test_any_lesson_may_be_opened_in_any_order(learner):
    client, assignment = learner
    assert client.get(lesson_url(assignment, 2, 2)).status_code == 200


def test_a_lesson_that_does_not_exist_is_not_found(learner):
    client, assignment = learner
    assert client.get(lesson_url(assignment, 3, 1)).status_code == 404


def test_a_lesson_is_told_in_chinese_where_the_course_is_and_else_in_its_first_language(
    make_assignment, make_edition, sign_in
):
    edition = make_edition(languages=["en", "zh-hans"])
    lesson = Lesson.objects.filter(module__edition=edition).first()
    lesson.body["zh-hans"] = [{"kind": "markdown", "html": "<p>正文</p>"}]
    lesson.title["zh-hans"] = "第一课"
    lesson.save()
    other = make_edition()
    assignment, plain = (make_assignment(course=e.course) for e in (edition, other))
    type(assignment.employee).objects.update(language="zh-hans")
    page = soup(sign_in(assignment.employee).get(lesson_url(assignment)))
    assert page.h1.text == "第一课"
    assert page.select_one(".part")["lang"] == "zh-hans"
    assert "正文" in page.text
    page = soup(sign_in(plain.employee).get(lesson_url(plain)))
    assert page.select_one(".part")["lang"] == "en"


def test_an_answer_by_a_plain_form_comes_back_to_its_block(learner):
    client, assignment = learner
    url = lesson_url(assignment)
    client.get(url)
    response = client.post(url, {"block": "quick", "choice": "1"})
    assert (response.status_code, response.headers["Location"]) == (302, f"{url}#b1")
    page = client.get(url).text
    assert "WHY-ORDER" in page
    assert "WHY-LUNCH" in page
    assert Progress.objects.get().answers == {"quick": 1}


def test_the_fragment_after_an_answer_is_the_part_of_the_page_it_replaces(learner):
    client, assignment = learner
    url = lesson_url(assignment)
    client.get(url)
    fragment = client.post(url, {"block": "quick", "choice": "0"}, headers={"HX-Request": "true"})
    [alone] = soup(fragment).select("section")
    [in_page] = soup(client.get(url)).select("#block-quick")
    for verdict in (*alone.select("[autofocus]"), *in_page.select("[autofocus]")):
        del verdict["autofocus"]  # the fragment takes the focus, the page does not
    assert alone == in_page


@pytest.mark.parametrize(
    "data", [{"block": "quick"}, {"block": "quick", "choice": "9"}, {"block": "quick", "choice": "x"}]
)
def test_nothing_chosen_or_nothing_offered_leaves_the_block_as_it_was(learner, data):
    client, assignment = learner
    url = lesson_url(assignment)
    client.get(url)
    page = client.post(url, data, follow=True)
    assert "Choose an answer first" in page.text
    assert "WHY-" not in page.text
    fragment = client.post(url, data, headers={"HX-Request": "true"})
    assert "WHY-" not in fragment.text
    assert Progress.objects.get().answers == {}


def test_a_block_that_the_lesson_does_not_have_is_not_found(learner):
    client, assignment = learner
    client.get(lesson_url(assignment))
    assert client.post(lesson_url(assignment), {"block": "other", "choice": "0"}).status_code == 404


def test_the_forms_of_a_page_name_their_address_or_the_place_in_it_would_go_along(learner, take_quiz, finish_lessons):
    """A browser that is at #b2 takes the fragment along where a form without an action redirects to."""
    client, assignment = learner
    finish_lessons(assignment)
    client.post(reverse("training:quiz", args=[assignment.course.slug, "module-1"]))
    attempt = reverse("training:attempt", args=[Attempt.objects.get().uid])
    for url in (lesson_url(assignment), attempt, reverse("training:quiz", args=[assignment.course.slug, "module-1"])):
        forms = soup(client.get(url)).select("main form")
        assert forms
        assert all(form.get("action") for form in forms)


def finish(client, url: str):
    """Try the one exercise of a lesson and press the button at its end."""
    client.post(url, {"block": "quick", "choice": "0"})
    return client.post(url, {"finish": "1"})


def test_a_lesson_is_finished_when_every_exercise_was_tried(learner):
    client, assignment = learner
    url = lesson_url(assignment)
    client.get(url)
    response = client.post(url, {"finish": "1"}, follow=True)
    assert response.redirect_chain == [(f"{url}#b1", 302)]
    assert "Try this exercise first." in response.text
    assert Progress.objects.get().finished_at is None
    assert finish(client, url).headers["Location"] == lesson_url(assignment, 1, 2)
    assert Progress.objects.first().finished_at is not None


def test_a_lesson_that_was_finished_before_is_not_held_up(learner, finish_lessons):
    client, assignment = learner
    finish_lessons(assignment)
    response = client.post(lesson_url(assignment), {"finish": "1"})
    assert "#b" not in response.headers["Location"]


def test_done_next_leads_from_lesson_to_lesson_to_the_quiz(learner):
    client, assignment = learner
    client.get(lesson_url(assignment))
    response = finish(client, lesson_url(assignment))
    assert response.headers["Location"] == lesson_url(assignment, 1, 2)
    page = soup(client.get(lesson_url(assignment, 1, 2)))
    assert page.select_one(".onward button").text == "Done, to the quiz"
    response = finish(client, lesson_url(assignment, 1, 2))
    assert response.headers["Location"] == reverse("training:quiz", args=[assignment.course.slug, "module-1"])


def test_the_last_lesson_leads_back_to_one_that_was_left_out(learner):
    client, assignment = learner
    client.get(lesson_url(assignment, 1, 2))
    response = finish(client, lesson_url(assignment, 1, 2))
    assert response.headers["Location"] == lesson_url(assignment, 1, 1)


def test_nothing_is_done_in_a_course_that_was_not_begun(learner):
    client, assignment = learner
    assert client.post(lesson_url(assignment), {"finish": "1"}).status_code == 404
    assert client.post(f"{lesson_url(assignment)}reading/", {"place": "1"}).status_code == 404


def test_the_place_goes_with_the_person_to_another_device(learner, sign_in):
    client, assignment = learner
    client.get(lesson_url(assignment))
    assert client.post(f"{lesson_url(assignment)}reading/", {"place": "2"}).status_code == 204
    phone = sign_in(assignment.employee)
    assert soup(phone.get(LIST)).select_one(".course a.btn")["href"] == f"{lesson_url(assignment)}#b2"
    again = soup(phone.get(lesson_url(assignment))).find("a", string="Continue where you left off")
    assert again["href"] == "#b2"


@pytest.mark.parametrize("place", ["", "-1", "x", "²", "99999"])
def test_a_place_that_is_none_is_left_out(learner, place):
    client, assignment = learner
    client.get(lesson_url(assignment))
    assert client.post(f"{lesson_url(assignment)}reading/", {"place": place}).status_code == 204
    assert Progress.objects.get().place == 0


def test_reading_is_told_by_post_only(learner):
    client, assignment = learner
    assert client.get(f"{lesson_url(assignment)}reading/").status_code == 405


def test_a_finished_lesson_does_not_send_one_back_to_a_place(learner):
    client, assignment = learner
    url = lesson_url(assignment)
    client.get(url)
    client.post(f"{url}reading/", {"place": "2"})
    finish(client, url)
    assert "Continue where you left off" not in client.get(url).text


# --- what is to do, for the first page ---------------------------------------------------------------------------


def test_the_list_of_things_to_do_tells_module_minutes_and_due_day(learner):
    _client, assignment = learner
    [todo] = services.todo_for(assignment.employee, date(2030, 3, 15))
    assert (todo.title, todo.detail) == ("Module 1", "Module 1 of 2 · 12 minutes left · due in 30 days")
    assert (todo.url, todo.action, todo.percent) == (lesson_url(assignment), "Begin", 0)


@pytest.mark.parametrize(
    ("today", "says"),
    [
        ("2030-04-13", "due in 1 day"),
        ("2030-04-14", "due today"),
        ("2030-04-15", "1 day overdue"),
        ("2030-04-20", "6 days overdue"),
    ],
)
def test_the_due_day_is_told_by_what_is_left_of_it(learner, today, says):
    _client, assignment = learner
    [todo] = services.todo_for(assignment.employee, date.fromisoformat(today))
    assert todo.detail.endswith(says)


def test_whoever_is_done_or_exempt_has_nothing_to_do(make_assignment, complete_course, make_employee):
    done = make_assignment()
    complete_course(done)
    assert services.todo_for(done.employee, date(2030, 3, 15)) == []
    free, boss = make_assignment(), make_employee()
    services.exempt(
        employee=free.employee, course=free.course, reason="Leave", starts_on=date(2030, 3, 1),
        ends_on=date(2030, 3, 31), approved_by=boss, by=boss.uid,
    )  # fmt: skip
    assert services.todo_for(free.employee, date(2030, 3, 15)) == []


# --- cost --------------------------------------------------------------------------------------------------------


def test_my_courses_cost_the_same_for_one_course_and_for_five(
    make_assignment, make_edition, finish_lessons, sign_in, make_employee, count_queries
):
    employee = make_employee()
    client = sign_in(employee)
    finish_lessons(make_assignment(employee))
    make_assignment(employee)
    few = count_queries(lambda: client.get(LIST))
    for number in range(4):
        finish_lessons(make_assignment(employee, make_edition(modules=1 + number).course))
    assert count_queries(lambda: client.get(LIST)) == few


def test_a_course_of_six_modules_costs_what_one_of_one_does(make_assignment, make_edition, sign_in, count_queries):
    def cost(modules: int) -> tuple[int, int]:
        assignment = make_assignment(course=make_edition(modules=modules, lessons=modules).course)
        client = sign_in(assignment.employee)
        client.get(lesson_url(assignment))  # begins the course
        urls = course_url(assignment), lesson_url(assignment)
        return tuple(count_queries(partial(client.get, url)) for url in urls)

    assert cost(6) == cost(1)


def test_attempts_do_not_make_the_course_page_dearer(learner, finish_lessons, take_quiz, count_queries):
    client, assignment = learner
    finish_lessons(assignment)
    module = assignment.edition.modules.first()
    take_quiz(assignment, module, passed=False)
    client.get(course_url(assignment))
    one = count_queries(lambda: client.get(course_url(assignment)))
    take_quiz(assignment, module, passed=False)
    assert Attempt.objects.count() == 2
    assert count_queries(lambda: client.get(course_url(assignment))) == one
