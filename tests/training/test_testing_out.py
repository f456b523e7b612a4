"""A module passed at one try, without its lessons."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.quizzes.conftest import all_right, all_wrong
from training import learning, services
from training.models import Completion, ModuleResult, OneTry


@pytest.fixture
def assignment(make_assignment):
    return make_assignment()


def module_of(assignment, number=1):
    return (assignment.edition or assignment.course.current).modules.get(position=number)


def begin(assignment, number=1):
    by = assignment.employee.uid
    return services.start_test_out(
        assignment=assignment, module=module_of(assignment, number), language="en", by=by
    )  # fmt: skip


def hand_in(attempt, *, right: bool):
    answers = all_right(attempt) if right else all_wrong(attempt)
    return services.submit_quiz(attempt=attempt, answers=answers, by=attempt.employee.uid)


def verbs(assignment) -> list[str]:
    return list(Entry.objects.filter(subject=assignment.employee.uid).order_by("seq").values_list("verb", flat=True))


def test_who_passes_has_the_module_and_it_is_recorded_as_tested_out(assignment):
    hand_in(begin(assignment), right=True)
    assert ModuleResult.objects.get().attempt.test_out.module == module_of(assignment)
    assert "training.test_out_begun" in verbs(assignment)
    passed = Entry.objects.get(verb="training.module_passed")
    assert ledger.body_of(passed)["tested_out"] is True


def test_the_first_test_out_fixes_the_edition(assignment):
    begin(assignment)
    assignment.refresh_from_db()
    assert assignment.edition == assignment.course.current
    assert "training.edition_begun" in verbs(assignment)


def test_a_course_can_be_tested_out_of_module_by_module(assignment):
    for number in (1, 2):
        assignment.refresh_from_db()
        hand_in(begin(assignment, number), right=True)
    assert Completion.objects.get().assignment == assignment
    assert assignment.progress.count() == 0


def test_there_is_one_try(assignment):
    hand_in(begin(assignment), right=False)
    assignment.refresh_from_db()
    with pytest.raises(services.TestOutSpent):
        begin(assignment)
    with pytest.raises(services.LessonsLeft):
        services.start_quiz(assignment=assignment, module=module_of(assignment), language="en", by="x")
    assert not ModuleResult.objects.exists()


def test_one_try_is_held_by_the_database_too(assignment):
    attempt = begin(assignment)
    with pytest.raises(IntegrityError), transaction.atomic():
        OneTry.objects.create(
            assignment=assignment, module=module_of(assignment), attempt=attempt, began_at=timezone.now()
        )


def test_an_open_try_is_gone_on_with_by_either_door(assignment):
    attempt = begin(assignment)
    assignment.refresh_from_db()
    assert begin(assignment) == attempt
    again = services.start_quiz(assignment=assignment, module=module_of(assignment), language="en", by="x")
    assert again == attempt


def test_who_failed_reads_the_lessons_and_then_passes_as_everybody(assignment, finish_lessons, take_quiz):
    hand_in(begin(assignment), right=False)
    finish_lessons(assignment)
    take_quiz(assignment, module_of(assignment))
    assert not hasattr(ModuleResult.objects.get().attempt, "test_out")
    assert "tested_out" not in ledger.body_of(Entry.objects.get(verb="training.module_passed"))


def test_who_has_read_or_tried_does_not_test_out(assignment, finish_lessons, take_quiz):
    finish_lessons(assignment)
    with pytest.raises(services.TestOutSpent):
        begin(assignment)
    take_quiz(assignment, module_of(assignment))
    with pytest.raises(services.AlreadyPassed):
        begin(assignment)


def test_an_older_edition_is_not_begun(assignment, make_edition):
    old = module_of(assignment)
    make_edition(assignment.course)
    with pytest.raises(services.NotInEdition):
        learning.start_test_out(assignment=assignment, module=old, language="en", by="x")


def test_the_quiz_page_offers_it_once_and_the_course_says_so(assignment, sign_in):
    client = sign_in(assignment.employee)
    url = reverse("training:quiz", args=[assignment.course.slug, "module-1"])
    assert "Test out" in client.get(url).text
    response = client.post(url, {"test_out": "1"})
    attempt = OneTry.objects.get().attempt
    assert response.headers["Location"] == reverse("training:attempt", args=[attempt.uid])
    assert "Go on with the quiz" in client.get(url).text
    hand_in(attempt, right=True)
    assert "You tested out of this module with 100%." in client.get(url).text
    course = client.get(reverse("training:course", args=[assignment.course.slug])).text
    assert "Tested out with 100%" in course


def test_the_quiz_page_offers_it_no_more_after_the_one_try(assignment, sign_in):
    client = sign_in(assignment.employee)
    hand_in(begin(assignment), right=False)
    url = reverse("training:quiz", args=[assignment.course.slug, "module-1"])
    assert "Test out" not in client.get(url).text
    assert client.post(url, {"test_out": "1"}).headers["Location"] == url
