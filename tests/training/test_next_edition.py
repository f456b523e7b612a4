"""What was accepted in the question banks becomes the next edition of a course, after a look at what would change."""

import json

import pytest
from bs4 import BeautifulSoup
from django.db import IntegrityError, transaction
from django.urls import reverse

from portal.ledger.models import Entry
from quizzes import authoring
from quizzes import services as quizzes
from quizzes.models import Bank, Question
from tests.studying import assign, module, question, read_and_try, tiny_course
from training import learning, republishing
from training.loading import CourseText
from training.models import Course, Edition, Lesson
from training.publishing import publish

OWN = "tiny_first"


@pytest.fixture
def course(db) -> Course:
    return tiny_course().course


@pytest.fixture
def author(make_employee):
    return make_employee(roles=("Author",))


@pytest.fixture
def second(make_employee):
    return make_employee(roles=("Author",))


@pytest.fixture
def write(author, second):
    """Write a question in the browser, have it accepted by another, and return it."""

    def go(bank: str, slug: str, **fields) -> Question:
        row, _ = Bank.objects.get_or_create(slug=bank, defaults={"title": {"en": bank}})
        saved = authoring.save_question(bank=row, given=question(slug) | fields, by=author, propose=True)
        return authoring.accept(question=saved, by=second)

    return go


def publish_next(course: Course, by) -> Edition:
    seen = republishing.difference(course).print
    return republishing.publish_from_banks(course=course, seen=seen, by=by)


def asked(edition: Edition, module: str = "first") -> list[str]:
    return sorted(str(q) for q in edition.modules.get(slug=module).quiz.questions.all())


def from_files(*, fingerprint: str, first: list[dict]) -> Edition:
    modules = [module("first"), module("second")]
    modules[0].questions = first
    text = CourseText(
        slug="tiny", languages=["en"], title={"en": "Tiny course"}, summary={"en": "S"}, pass_percent=80,
        renewal_months=12, quiz={"draw": 3, "tries_before_wait": 3, "wait_minutes": 30, "time_limit_minutes": None},
        modules=modules, fingerprint=fingerprint,
    )  # fmt: skip
    return publish(course=text, by="system:test")[0]


def test_an_edition_of_files_has_nothing_to_publish(course, author):
    found = republishing.difference(course)
    assert found.is_empty
    with pytest.raises(republishing.NothingNew):
        republishing.publish_from_banks(course=course, seen=found.print, by=author)


def test_new_changed_and_withdrawn_questions_are_the_difference_and_then_the_edition(course, author, write):
    write(OWN, "first-1", stem={"en": "asked better"})
    write(OWN, "fresh")
    write(OWN, "fresh-2")
    quizzes.withdraw_question(question=Question.objects.get(slug="first-2"), reason="faulty", by=author)
    [first, other] = republishing.difference(course).modules
    assert [c.new.slug for c in first.fresh] == ["fresh", "fresh-2"]
    assert [(c.old.version, c.new.version) for c in first.changed] == [(1, 2)]
    assert [(c.old.slug, c.why) for c in first.gone] == [("first-2", "withdrawn")]
    assert other.is_empty
    edition = publish_next(course, author)
    assert edition.number == 2
    assert asked(edition) == ["first-1 v2", "first-3 v1", "fresh v1", "fresh-2 v1"]
    assert asked(edition, "second") == ["second-1 v1", "second-2 v1", "second-3 v1"]
    assert republishing.difference(course).is_empty


def test_lessons_and_terms_go_over_as_they_are(course, author, write):
    write(OWN, "fresh")
    old, new = course.current, publish_next(course, author)
    for before, after in zip(old.modules.all(), new.modules.all(), strict=True):
        assert list(before.lessons.values_list("slug", "minutes", "title", "body")) == list(
            after.lessons.values_list("slug", "minutes", "title", "body")
        )
        assert (before.quiz.draw, before.quiz.pass_percent) == (after.quiz.draw, after.quiz.pass_percent)
    assert new.fingerprint == old.fingerprint
    assert new.questions_sha256 != old.questions_sha256


def test_publishing_is_an_entry_that_names_the_changes(course, author, write):
    write(OWN, "fresh")
    edition = publish_next(course, author)
    entry = Entry.objects.filter(verb="training.edition_published").latest("seq")
    body = json.loads(bytes(entry.body.content))
    assert entry.actor == author.uid
    assert body["changes"] == {"first": {"new": ["fresh v1"], "changed": [], "gone": []}}
    assert body["questions_sha256"] == edition.questions_sha256


def test_a_draft_and_what_is_to_be_reviewed_stay_out(course, author):
    bank = Bank.objects.get(slug=OWN)
    authoring.save_question(bank=bank, given=question("draft"), by=author)
    authoring.save_question(bank=bank, given=question("waits"), by=author, propose=True)
    assert republishing.difference(course).is_empty


def test_what_was_shown_is_what_is_published_and_nothing_else(course, author, write):
    write(OWN, "fresh")
    seen = republishing.difference(course).print
    write(OWN, "later")
    with pytest.raises(republishing.ChangedMeanwhile):
        republishing.publish_from_banks(course=course, seen=seen, by=author)
    assert course.editions.count() == 1


def test_a_quiz_that_would_be_impossible_is_not_published(course, author):
    quizzes.withdraw_question(question=Question.objects.get(slug="first-2"), reason="faulty", by=author)
    found = republishing.difference(course)
    assert [bool(one.flaws) for one in found.modules] == [True, False]
    with pytest.raises(republishing.NotEnough):
        republishing.publish_from_banks(course=course, seen=found.print, by=author)


def test_who_has_begun_keeps_edition_and_paper(course, author, write, make_employee):
    assignment = assign(make_employee())
    attempt = read_and_try(assignment, 1)
    shown = [str(r.question) for r in attempt.responses.select_related("question")]
    write(OWN, "first-1", stem={"en": "asked better"})
    publish_next(course, author)
    assignment.refresh_from_db()
    assert assignment.edition.number == 1
    assert [str(r.question) for r in attempt.responses.select_related("question")] == shown
    late = assign(make_employee())
    lesson = course.current.modules.first().lessons.first()
    learning.open_lesson(assignment=late, lesson=lesson, by=late.employee.uid)
    late.refresh_from_db()
    assert late.edition.number == 2


# --- with the files of the course ----------------------------------------------------------------------------------


def test_the_same_files_again_do_not_undo_what_the_browser_did(course, author, write):
    write(OWN, "fresh")
    edition = publish_next(course, author)
    assert tiny_course() == edition


def test_changed_files_leave_standing_what_they_do_not_change(course, author, write):
    write(OWN, "first-1", stem={"en": "asked better"})
    write(OWN, "fresh")
    given = [question("first-1"), question("first-2") | {"stem": {"en": "by the file"}}, question("first-3")]
    edition = from_files(fingerprint="2" * 64, first=given)
    assert asked(edition) == ["first-1 v2", "first-2 v2", "first-3 v1", "fresh v1"]


def test_a_question_that_the_files_change_is_theirs(course, author, write):
    write(OWN, "first-1", stem={"en": "asked better"})
    given = [question("first-1") | {"stem": {"en": "by the file"}}, question("first-2"), question("first-3")]
    edition = from_files(fingerprint="2" * 64, first=given)
    assert asked(edition)[0] == "first-1 v3"
    assert republishing.difference(course).is_empty


def test_files_that_go_back_stay_back(course, author):
    changed = [question("first-1") | {"stem": {"en": "by the file"}}, question("first-2"), question("first-3")]
    from_files(fingerprint="2" * 64, first=changed)
    edition = from_files(fingerprint="1" * 64, first=[question(f"first-{n}") for n in (1, 2, 3)])
    assert asked(edition)[0] == "first-1 v1"
    assert republishing.difference(course).is_empty


def test_what_left_the_files_does_not_come_back_from_the_bank(course, author):
    given = [question("first-1"), question("first-2"), question("first-4")]
    edition = from_files(fingerprint="2" * 64, first=given)
    assert asked(edition) == ["first-1 v1", "first-2 v1", "first-4 v1"]
    assert republishing.difference(course).is_empty


# --- connected banks -----------------------------------------------------------------------------------------------


def connect(course, author, **fields):
    dull = {"module": "first", "bank": Bank.objects.get(slug="firm"), "tag": "", "questions": 0}
    return republishing.connect(course=course, by=author, **(dull | fields))


def test_a_connected_bank_is_asked_by_tag_in_the_number_wanted(course, author, write, make_employee):
    for n in range(4):
        write("firm", f"firm-{n}", tags=["policy" if n < 3 else "other"])
    connect(course, author, tag="policy", questions=2)
    edition = publish_next(course, author)
    quiz = edition.modules.get(slug="first").quiz
    assert quiz.blueprint == [{"questions": 2, "bank": "firm", "tag": "policy"}]
    assert "firm-3 v1" not in asked(edition)
    assert "firm-2 v1" in asked(edition)
    for _ in range(5):
        attempt = quizzes.start_attempt(quiz=quiz, employee=make_employee(), language="en", by="system:test")
        of_firm = attempt.responses.filter(question__bank__slug="firm").count()
        assert of_firm >= 2
        assert attempt.responses.count() == 3


def test_disconnecting_is_a_difference_too_and_both_are_entries(course, author, write):
    write("firm", "firm-1")
    made = connect(course, author)
    publish_next(course, author)
    republishing.disconnect(connection=made, by=author)
    [first, _] = republishing.difference(course).modules
    assert [c.old.slug for c in first.gone] == ["firm-1"]
    verbs = Entry.objects.filter(verb__startswith="training.bank_").order_by("seq")
    assert [entry.verb for entry in verbs] == ["training.bank_connected", "training.bank_disconnected"]


def test_names_that_clash_and_languages_that_lack_are_told_and_left_out(course, author, write):
    write("firm", "first-1", stem={"en": "another one"})
    write("firm", "only-chinese", stem={"zh-hans": "问"})
    connect(course, author)
    [first, _] = republishing.difference(course).modules
    assert dict(first.supply.left_out) == {"first-1": "same-name", "only-chinese": "untold"}
    assert first.is_empty


def test_more_of_a_bank_than_it_holds_is_impossible(course, author, write):
    write("firm", "firm-1", tags=["policy"])
    connect(course, author, tag="policy", questions=2)
    [first, _] = republishing.difference(course).modules
    assert first.flaws


def test_a_bank_is_connected_once_with_a_module_and_tag(course, author, write):
    write("firm", "firm-1")
    made = connect(course, author)
    with pytest.raises(republishing.AlreadyConnected):
        connect(course, author)
    made.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        made.save(force_insert=True)


# --- pages ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_difference_and_publishes_it_with_one_click(course, author, write, sign_in):
    write(OWN, "first-1", stem={"en": "asked better"})
    write(OWN, "fresh", stem={"en": "asked anew"})
    client, address = sign_in(author), reverse("training:next_edition", args=["tiny"])
    page = BeautifulSoup(client.get(address).text, "html.parser")
    rows = [row.get_text(" ", strip=True) for row in page.select(".todo li")]
    assert next(("asked better" in row, "changed" in row) for row in rows) == (True, True)
    assert "asked anew" in rows[1]
    assert "new" in rows[1]
    seen = page.select_one("input[name=seen]")["value"]
    answer = client.post(reverse("training:edition_publish", args=["tiny"]), {"seen": seen}, follow=True)
    assert "Edition 2 is published." in answer.text
    assert "Nothing: the newest edition asks what the banks hold." in answer.text


def test_an_overdue_review_keeps_the_next_edition_back(course, author, write, sign_in):
    write(OWN, "fresh")
    Lesson.objects.update(kept={"owner": {"en": "Desk"}, "reviewed": "2020-01-01", "review_by": "2020-06-30"})
    seen = republishing.difference(course).print
    answer = sign_in(author).post(reverse("training:edition_publish", args=["tiny"]), {"seen": seen}, follow=True)
    assert "The review of some lessons is overdue." in answer.text
    assert course.editions.count() == 1


def test_an_old_page_publishes_nothing_and_says_so(course, author, write, sign_in):
    write(OWN, "fresh")
    client = sign_in(author)
    answer = client.post(reverse("training:edition_publish", args=["tiny"]), {"seen": "0" * 64}, follow=True)
    assert "Something has changed since this page was shown." in answer.text
    assert course.editions.count() == 1


def test_a_bank_is_connected_and_disconnected_on_the_page(course, author, write, sign_in):
    write("firm", "firm-1", tags=["policy"])
    client, bank = sign_in(author), Bank.objects.get(slug="firm")
    data = {"module": "first", "bank": bank.pk, "tag": "Policy", "questions": "1"}
    page = client.post(reverse("training:connect", args=["tiny"]), data, follow=True)
    assert "1 question in each attempt" in page.text
    made = course.connections.get()
    assert (made.tag, made.questions, made.connected_by) == ("policy", 1, author)
    again = client.post(reverse("training:connect", args=["tiny"]), data)
    assert "It is connected already." in again.text
    own = Bank.objects.get(slug=OWN)
    assert course.connections.count() == 1
    client.post(reverse("training:connect", args=["tiny"]), data | {"bank": own.pk})
    assert course.connections.count() == 1  # a module's own bank is asked anyway
    client.post(reverse("training:disconnect", args=["tiny", made.pk]))
    assert not course.connections.exists()


def test_the_page_costs_the_same_for_many_questions(course, author, write, sign_in, count_queries):
    client, address = sign_in(author), reverse("training:next_edition", args=["tiny"])
    write(OWN, "fresh-0")
    one = count_queries(lambda: client.get(address))
    for n in range(1, 6):
        write(OWN, f"fresh-{n}")
    assert count_queries(lambda: client.get(address)) == one
