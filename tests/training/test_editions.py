"""What keeps a course true: reviews in time, and what each edition changed."""

from datetime import date

import pytest
from bs4 import BeautifulSoup
from django.core.management import CommandError
from django.urls import reverse

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.training.samples import CHECK
from tests.training.test_load_courses import edit, folder, load, mistakes  # noqa: F401 - folder is a fixture
from training import differences, review
from training.models import Course, Edition, Lesson, MaterialChange

LIST = reverse("training:edition_list")
REVIEW = 'review:\n  owner: {en: "Training desk"}\n  reviewed: 2030-01-01\n  review_by: 2030-06-30\nmodules:'
LESSON = "01-first/en/01-words.md"


@pytest.fixture
def reviewed(folder):  # noqa: F811 - the fixture that was imported
    edit(folder, "course.yaml", "modules:", REVIEW)
    return folder


@pytest.mark.parametrize(("today", "late"), [("2030-06-29", False), ("2030-06-30", False), ("2030-07-01", True)])
def test_a_review_is_overdue_the_day_after_its_day(today, late):
    assert review.is_overdue({"review_by": "2030-06-30"}, date.fromisoformat(today)) is late


def test_a_lesson_without_a_day_is_never_overdue():
    assert review.is_overdue({}, date(2030, 1, 1)) is False


def test_the_sources_of_a_lesson_are_those_that_it_names_in_their_order():
    text = "As [@b] says.\n\n::: rule a\nKeep.\n:::\n\n::: chat x\n    cites: [c, b]\n:::\n"
    assert review.cited(text) == ["b", "a", "c"]


def test_lessons_have_what_the_course_tells_and_what_they_tell_themselves(db, reviewed):
    edit(reviewed, LESSON, "minutes: 3", "minutes: 3\nowner: Li Hua\nreview_by: 2031-01-31")
    load(reviewed)
    own = Lesson.objects.get(module__slug="01-first", slug="01-words")
    other = Lesson.objects.get(module__slug="02-second", slug="01-words")
    assert own.kept == {"owner": {"en": "Li Hua"}, "reviewed": "2030-01-01", "review_by": "2031-01-31"}
    assert other.kept["owner"] == {"en": "Training desk"}
    assert "sec-17a-4" in own.cites


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("review_by: 2030-06-30", "review_by: 2029-01-01", "'review_by' is not after 'reviewed'"),
        ("  reviewed: 2030-01-01\n", "", "'review' has no 'reviewed'"),
        ("owner:", "owners:", "'review' has no 'owner'"),
        ("review_by: 2030-06-30", "review_by: soon", "'review_by' is not a date"),
    ],
)
def test_a_mistake_in_the_review_is_named(db, reviewed, old, new, what):
    edit(reviewed, "course.yaml", old, new)
    assert what in " ".join(mistakes(reviewed))


def test_an_overdue_review_keeps_a_new_edition_back(db, reviewed, time_machine):
    time_machine.move_to("2030-06-30 12:00 +0800")
    load(reviewed)
    edit(reviewed, LESSON, "Some text.", "Other text.")
    time_machine.move_to("2030-07-01 12:00 +0800")
    with pytest.raises(CommandError, match=r"review is overdue: 01-first/01-words, .*Look at them"):
        load(reviewed)
    assert Edition.objects.count() == 1
    edit(reviewed, "course.yaml", "2030-06-30", "2031-06-30")
    assert "edition 2 published" in load(reviewed)


def test_a_course_without_an_edition_is_published_however_late(db, reviewed, time_machine):
    time_machine.move_to("2033-01-01 12:00 +0800")
    assert "edition 1 published" in load(reviewed)


def test_a_change_is_minor_unless_it_is_said_to_be_material(db, folder):  # noqa: F811
    load(folder)
    edit(folder, LESSON, "Some text.", "Other text.")
    load(folder)
    edit(folder, LESSON, "Other text.", "Third text.")
    load(folder, material=True)
    changes = list(Edition.objects.order_by("number").values_list("change", flat=True))
    assert changes == ["material", "minor", "material"]
    newest = Entry.objects.filter(verb="training.edition_published").order_by("seq").last()
    assert ledger.body_of(newest)["change"] == "material"
    assert MaterialChange.objects.get().edition.number == 3


def test_material_without_another_lesson_or_question_is_refused(db, folder):  # noqa: F811
    load(folder)
    edit(folder, "course.yaml", "renewal_months: 12", "renewal_months: 11")
    with pytest.raises(CommandError, match="publish it as minor"):
        load(folder, material=True)
    assert Edition.objects.count() == 1


# --- the pages ---------------------------------------------------------------------------------------------------


def test_two_editions_are_told_apart_passage_by_passage(db, folder):  # noqa: F811
    load(folder)
    edit(folder, LESSON, "Some text.", "Other text, 留痕.")
    edit(folder, LESSON, CHECK, CHECK.replace("Purely social.", "Only lunch."))
    edit(folder, "02-second/questions.yaml", "difficulty: 1", "difficulty: 2")
    load(folder)
    old, new = Course.objects.get().editions.order_by("number")
    first, second = differences.between(old, new, "en")
    [lesson] = first.lessons
    assert (first.state, lesson.state) == ("changed", "changed")
    assert [(line.is_new, line.text) for line in lesson.lines] == [
        (False, "Some text."),
        (True, "Other text, 留痕."),
        (False, "Purely social."),
        (True, "Only lunch."),
    ]
    assert (second.lessons, second.questions_new, second.questions_gone) == ([], 0, 0)
    assert second.questions_changed >= 1


def test_a_lesson_that_came_and_one_that_went_are_named(db, folder):  # noqa: F811
    load(folder)
    (folder / "safe-talk" / LESSON).rename(folder / "safe-talk/01-first/en/09-words.md")
    load(folder)
    [module] = differences.between(*Course.objects.get().editions.order_by("number"), "en")
    assert [lesson.state for lesson in module.lessons] == ["new", "gone"]


def test_the_pages_tell_editions_differences_and_what_is_overdue(db, reviewed, make_employee, sign_in, time_machine):
    time_machine.move_to("2030-06-01 12:00 +0800")
    load(reviewed)
    edit(reviewed, LESSON, "Some text.", "Other text.")
    load(reviewed, minor=True)
    time_machine.move_to("2030-07-02 12:00 +0800")
    client = sign_in(make_employee(roles=("Compliance",)))
    page = BeautifulSoup(client.get(LIST).text, "html.parser")
    assert [row.td.find_next("td").get_text() for row in page.select("tbody tr")] == ["Minor", "Material"]
    assert len(page.select(".note.warn li")) == 4
    second, first = (client.get(link["href"]) for link in page.select("tbody a"))
    shown = BeautifulSoup(second.text, "html.parser")
    assert [tag.get_text() for tag in shown.select("del, ins")] == ["Gone: Some text.", "New: Other text."]
    assert "The first edition." in first.text


def test_the_list_costs_the_same_for_one_course_and_for_three(make_edition, make_employee, sign_in, count_queries):
    make_edition()
    client = sign_in(make_employee(roles=("Author",)))
    one = count_queries(lambda: client.get(LIST))
    course = make_edition().course
    make_edition(course)
    make_edition()
    assert count_queries(lambda: client.get(LIST)) == one


def test_a_lesson_tells_who_keeps_it_true_and_what_it_rests_on(db, make_assignment, sign_in, time_machine):
    time_machine.move_to("2030-07-01 12:00 +0800")
    assignment = make_assignment()
    lesson = Lesson.objects.first()
    lesson.kept = {"owner": {"en": "Training desk"}, "reviewed": "2030-01-01", "review_by": "2030-06-30"}
    lesson.cites = ["sec-17a-4"]
    lesson.save()
    url = reverse("training:lesson", args=[assignment.course.slug, lesson.module.slug, lesson.slug])
    page = BeautifulSoup(sign_in(assignment.employee).get(url).text, "html.parser")
    told = " ".join(page.select_one("footer.kept").get_text(" ").split())
    assert "Kept by Training desk." in told
    assert "Review overdue" in told
    assert "SEC Rule 17a-4 : Records to be preserved" in told


def test_the_firm_page_says_how_many_reviews_are_overdue(db, reviewed, make_employee, sign_in, time_machine):
    time_machine.move_to("2030-06-30 12:00 +0800")
    load(reviewed)
    officer = make_employee(roles=("Compliance",))
    assert "The review of" not in sign_in(officer).get(reverse("standing:firm")).text
    time_machine.move_to("2030-07-01 12:00 +0800")
    assert "The review of 4 lessons is overdue." in sign_in(officer).get(reverse("standing:firm")).text
