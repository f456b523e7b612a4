"""A material edition asks who completed an older one for what changed, and nothing else; a minor one asks nothing."""

from copy import deepcopy
from datetime import date, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from quizzes.models import Attempt
from tests.quizzes.conftest import all_right
from tests.studying import module, question
from training import deltas, learning, services
from training.loading import CourseText
from training.models import Assignment, Completion, Delta, Edition, Lesson, ModuleResult
from training.outline import outlines, todo_for
from training.publishing import NothingMaterial, publish

DAY = timedelta(days=1)
TODAY = date(2030, 3, 15)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


def course(prints: str, *, names=("first", "second", "third")) -> CourseText:
    text = CourseText(
        slug="safe",
        languages=["en"],
        title={"en": "Safe"},
        summary={"en": "Summary"},
        pass_percent=80,
        renewal_months=12,
        quiz={"draw": 3, "tries_before_wait": 3, "wait_minutes": 30, "time_limit_minutes": None},
        modules=[module(name) for name in names],
        fingerprint=prints * 64,
    )
    for one in text.modules:
        again = deepcopy(one.lessons[0])
        again.slug = f"{one.slug}-more"
        one.lessons.append(again)
    return text


def changed_course() -> CourseText:
    """The course with one lesson told otherwise, which cites a source that one question cites, and a new question."""
    text = course("2")
    text.modules[1].lessons[0].body = {"en": [{"kind": "markdown", "html": "<p>Seven years from now on.</p>"}]}
    text.modules[1].lessons[0].cites = ["rule-7"]
    text.modules[1].questions[0]["cites"] = ["rule-7"]
    text.modules[2].questions.append(question("third-new"))
    return text


@pytest.fixture
def knower(make_employee, finish_lessons, take_quiz):
    """Somebody who completed the first edition, and a rule for everybody."""
    first = publish(course=course("1"), by="system:test")[0]
    services.set_rule(course=first.course, name="All", due_days=30, starts_on=TODAY - 9 * DAY, by="system:test")
    me = make_employee(language="en")
    services.apply_rules(today=TODAY)
    go_through(Assignment.objects.get(employee=me), finish_lessons, take_quiz)
    return me


def go_through(assignment, finish_lessons, take_quiz) -> None:
    finish_lessons(assignment)
    for one in assignment.edition.modules.all():
        take_quiz(assignment, one)


def publish_next(change: str, text: CourseText | None = None) -> Edition:
    edition = publish(course=text or changed_course(), by="system:test", change=change)[0]
    services.apply_rules(today=TODAY)
    return edition


def test_a_minor_edition_disturbs_nobody(knower):
    before = list(Assignment.objects.values_list("pk", "ended_on", "edition"))
    edition = publish_next("minor")
    assert edition.number == 2
    assert list(Assignment.objects.values_list("pk", "ended_on", "edition")) == before
    assert todo_for(knower, TODAY) == []
    assert not Delta.objects.exists()
    assert not Entry.objects.filter(verb="training.material_change").exists()


def test_without_a_word_a_change_is_minor(knower):
    assert publish(course=changed_course(), by="system:test")[0].change == "minor"


def test_a_material_edition_rings_the_rules_at_once(knower, bells):
    publish(course=changed_course(), by="system:test", change="material")
    [entry] = Entry.objects.filter(verb="training.material_change")
    assert ledger.body_of(entry)["edition"] == 2


def test_only_what_changed_is_asked_and_it_is_due_by_the_rule(knower):
    edition = publish_next("material")
    owed = Assignment.objects.open().get(employee=knower)
    assert (owed.cycle, owed.due_on, owed.because["what"]) == (2, TODAY + 30 * DAY, "material")
    [outline] = outlines([owed], TODAY)
    assert outline.before.number == 1
    assert [(m.slug, [lesson.slug for lesson in m.lessons]) for m in outline.modules] == [
        ("second", ["second-lesson"]),
        ("third", []),
    ]
    asked = {part.module.slug: set(part.quiz.questions.values_list("slug", flat=True))
             for part in Delta.objects.get(edition=edition).modules.all()}  # fmt: skip
    assert asked == {"second": {"second-1"}, "third": {"third-new"}}
    assert "only what changed since edition 1" in todo_for(knower, TODAY)[0].detail


def test_who_studies_what_changed_completes_the_edition_and_renews_nothing(knower, clock):
    old = Completion.objects.get(employee=knower)
    publish_next("material")
    clock.shift(5 * DAY)
    owed = Assignment.objects.open().get(employee=knower)
    part = Delta.objects.get().modules.get(module__slug="second")
    lesson = part.lessons.get()
    learning.open_lesson(assignment=owed, lesson=lesson, by=knower.uid)
    owed.refresh_from_db()
    assert owed.delta.before.number == 1
    learning.finish_lesson(assignment=owed, lesson=lesson)
    for one in Delta.objects.get().modules.order_by("module__position"):
        attempt = learning.start_quiz(assignment=owed, module=one.module, language="en", by=knower.uid)
        assert attempt.quiz == one.quiz
        learning.submit_quiz(attempt=attempt, answers=all_right(attempt), by=knower.uid)
    done = Completion.objects.get(assignment=owed)
    assert (done.edition.number, done.expires_on, done.percent) == (2, old.expires_on, 100)
    assert done.certificates.count() == 1
    assert services.apply_rules(today=TODAY + 5 * DAY) == 0
    [began] = Entry.objects.filter(verb="training.edition_begun").order_by("-seq")[:1]
    assert ledger.body_of(began)["changed_since"] == 1


def test_the_percent_of_what_was_not_asked_again_is_that_of_before(knower):
    ModuleResult.objects.filter(module__slug="first").update(percent=80)
    publish_next("material")
    owed = Assignment.objects.open().get(employee=knower)
    owed.edition, owed.delta = Edition.objects.get(number=2), Delta.objects.get()
    passed = {one.module_id: 100 for one in owed.delta.modules.all()}
    assert deltas.mean(owed, passed) == (80 + 100 + 100) // 3


def test_modules_that_were_not_asked_again_keep_their_marks(knower):
    publish_next("material")
    owed = Assignment.objects.open().get(employee=knower)
    lesson = Delta.objects.get().modules.get(module__slug="second").lessons.get()
    learning.open_lesson(assignment=owed, lesson=lesson, by=knower.uid)
    marks = services.module_marks([knower.pk], owed.course)[knower.pk]
    assert [(mark.percent, mark.is_begun) for mark in marks] == [(100, True), (None, True), (100, True)]


def test_lessons_and_quizzes_that_are_not_asked_are_not_there(knower):
    publish_next("material")
    client = Client()
    client.force_login(knower)
    assert client.get("/courses/safe/first/first-lesson/").status_code == 404
    assert client.get("/courses/safe/first/quiz/").status_code == 404
    assert client.post("/courses/safe/first/quiz/").status_code == 404
    page = client.get("/courses/safe/second/second-lesson/").content.decode()
    assert "What has changed here since you completed the course" in page
    assert "Seven years from now on." in page.partition("<details")[2].partition("</details>")[0]
    assert client.get("/courses/safe/second/second-more/").status_code == 404
    assert "You completed edition 1 of this course." in client.get("/courses/safe/").content.decode()
    assert client.get("/courses/safe/second/quiz/").status_code == 200


def test_an_attempt_at_a_delta_quiz_has_its_result_page(knower):
    publish_next("material")
    client = Client()
    client.force_login(knower)
    client.get("/courses/safe/second/second-lesson/")
    client.post("/courses/safe/second/second-lesson/", {"finish": "1"})
    sent = client.post("/courses/safe/second/quiz/")
    attempt = Attempt.objects.get(quiz__delta_module__isnull=False)
    assert sent["Location"] == f"/attempts/{attempt.uid}/"
    learning.submit_quiz(attempt=attempt, answers=all_right(attempt), by=knower.uid)
    page = client.get(f"/attempts/{attempt.uid}/result/")
    assert page.status_code == 200
    assert "/courses/safe/third/quiz/" in page.content.decode()


def test_who_never_completed_it_studies_the_whole_course(knower, make_employee):
    newcomer = make_employee()
    publish_next("material")
    owed = Assignment.objects.open().get(employee=newcomer)
    [outline] = outlines([owed], TODAY)
    assert outline.before is None
    assert [line.slug for line in outline.modules] == ["first", "second", "third"]


def test_when_the_completion_has_lapsed_the_whole_course_is_asked(knower, clock):
    publish_next("material")
    clock.shift(400 * DAY)
    owed = Assignment.objects.open().get(employee=knower)
    lesson = Lesson.objects.get(module__edition__number=2, slug="first-lesson")
    learning.open_lesson(assignment=owed, lesson=lesson, by=knower.uid)
    owed.refresh_from_db()
    assert owed.delta is None


def test_a_minor_edition_after_a_material_one_is_studied_from_the_old_one_on(knower):
    publish_next("material")
    text = changed_course()
    text.fingerprint = "3" * 64
    text.modules[0].lessons[0].title = {"en": "Another title"}
    publish_next("minor", text)
    owed = Assignment.objects.open().get(employee=knower)
    [outline] = outlines([owed], TODAY)
    assert (outline.edition.number, outline.before.number) == (3, 1)
    assert [line.slug for line in outline.modules] == ["first", "second", "third"]
    assert len(outline.modules[0].lessons) == 1


def test_a_change_of_nothing_is_not_material(knower):
    text = course("9")
    with pytest.raises(NothingMaterial):
        publish(course=text, by="system:test", change="material")
    assert Edition.objects.count() == 1


def test_a_whole_cycle_has_no_delta_in_the_database(knower):
    publish_next("material")
    owed = Assignment.objects.open().filter(employee=knower)
    with pytest.raises(IntegrityError), transaction.atomic():
        owed.update(delta=Delta.objects.get())


def test_outlines_of_many_cost_as_much_as_of_one(knower, make_employee, finish_lessons, take_quiz, count_queries):
    for _ in range(3):
        me = make_employee()
        services.apply_rules(today=TODAY)
        go_through(Assignment.objects.get(employee=me), finish_lessons, take_quiz)
    publish_next("material")
    owed = list(Assignment.objects.open().for_list())
    one = count_queries(lambda: outlines(owed[:1], TODAY))
    assert count_queries(lambda: outlines(owed, TODAY)) == one
