"""A paper with a question of every kind, in a real browser: on a phone, with scripts and without."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Arrive
from tests.browser.house import PASSWORD, ROOT, House
from tests.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

AUTHORING = (ROOT / "docs" / "course-files.md").read_text("utf-8")
EXAMPLES = "".join(re.findall(r"```yaml\n(- id: kinds-.*?)```", AUTHORING, re.DOTALL))
COURSE = """slug: every-kind
languages: [en]
title: {en: Every kind}
summary: {en: A question of every kind.}
pass_percent: 50
renewal_months: 12
quiz: {questions: 15, tries_before_wait: 3, wait_minutes: 30, time_limit_minutes: 60}
modules: [01-only]
"""
MODULE = "title: {en: Only}\nsummary: {en: All of them.}\nobjectives:\n  - {en: Answer them.}\n"
SOURCES = """- {id: sec-17a-4, kind: rule, jurisdiction: US, short: {en: 17a-4}, name: {en: Records}, number: 17a-4,
   body: {en: SEC}, link: "https://example.com/a", checked: 2026-11-23}
"""
CHOICE = """- id: choice-{tag}-{n}
  kind: {kind}
  tags: [{tag}]
  difficulty: 1
  cites: []
  stem: {{en: "Which of these, {tag} {n}? Choose all that apply."}}
  options:
    - {{id: a, right: true, text: {{en: "This one"}}, why: {{en: "Yes."}}}}
    - {{id: b, text: {{en: "That one"}}, why: {{en: "No."}}}}
  explanation: {{en: "So it is."}}
"""
ENROL = """
from datetime import timedelta
from django.utils import timezone
from portal.people.models import Employee
from training import services
from training.models import Assignment, Course, Lesson
for email in ("employee@example.com", "finished@example.com"):
    person = Employee.objects.get(email=email)
    due_on = timezone.localdate() + timedelta(days=30)
    services.assign(employee=person, course=Course.objects.get(slug="every-kind"), due_on=due_on, by="system:test")
    for lesson in Lesson.objects.filter(module__edition__course__slug="every-kind"):
        assignment = Assignment.objects.get(employee=person, course__slug="every-kind")
        services.open_lesson(assignment=assignment, lesson=lesson, by=person.uid)
        assignment.refresh_from_db()
        services.finish_lesson(assignment=assignment, lesson=lesson)
"""


@pytest.fixture(scope="module")
def course(house: House) -> str:
    """Load a course whose one quiz asks a question of every kind; two people have read its lesson."""
    folder: Path = house.folder / "courses" / "every-kind"
    kinds = [("single", "us"), ("multiple", "us"), ("truefalse", "us")]
    kinds += [("single", tag) for tag in ("cn", "uk") for _ in range(3)]
    bank = "".join(CHOICE.format(kind=kind, tag=tag, n=n) for n, (kind, tag) in enumerate(kinds))
    files = {"course.yaml": COURSE, "sources.yaml": SOURCES, "01-only/module.yaml": MODULE}
    files["01-only/questions.yaml"] = bank + EXAMPLES.replace("tags: [periods]", "tags: [us]").replace(
        "tags: [channels]", "tags: [cn]"
    )
    files["01-only/en/01-words.md"] = "---\ntitle: The lesson\nminutes: 3\n---\nWords.\n"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    house.command("manage.py", "load_courses", str(folder))
    house.command("manage.py", "shell", "-c", ENROL)
    return "/courses/every-kind/01-only/quiz/"


def choose(question: Locator, press: Callable) -> None:
    question.locator(".option input").first.check()


def match(question: Locator, press: Callable) -> None:
    for field in question.locator("select").all():
        field.select_option(index=1)


def order(question: Locator, press: Callable) -> None:
    for place, field in enumerate(question.locator("select").all(), start=1):
        field.select_option(str(place))


def number(question: Locator, press: Callable) -> None:
    question.locator("input[type=text]").fill("36")
    if question.locator("select").count():
        question.locator("select").select_option(index=1)
    question.locator("input[type=text]").blur()


def word(question: Locator, press: Callable) -> None:
    question.locator("input[type=text]").fill("WeCom")
    question.locator("input[type=text]").blur()


def mark(question: Locator, press: Callable) -> None:
    for message in question.locator("fieldset.choice").all():
        message.locator("label").nth(1).click()


def walk(question: Locator, press: Callable) -> None:
    while question.locator(".scene button").count():
        question.locator(".scene input").first.check()
        press(question.locator(".scene button"))


ANSWERS = {"choice": choose, "matching": match, "ordering": order, "numeric": number, "text": word, "chat": mark}
ANSWERS |= {"scenario": walk}


def answer_all(visitor: Visitor, press: Callable[[Locator], None]) -> set[str]:
    """Answer every question of the paper in view, and return the looks that it had."""
    looks = set()
    for place in range(1, visitor.page.locator("li.question").count() + 1):
        question = visitor.page.locator(f"#q{place}")
        look = re.search(r"is-(\w+)", question.get_attribute("class"))[1]
        ANSWERS[look](question, press)
        looks.add(look)
    return looks


def test_every_kind_is_answered_on_a_phone_kept_as_it_is_given_and_handed_in(arrive: Arrive, course: str) -> None:
    someone = arrive(size=PHONE)
    someone.sign_in("employee@example.com", PASSWORD)
    someone.go(course)
    someone.press("Begin")
    page = someone.page
    total = page.locator("li.question").count()

    def press(button: Locator) -> None:
        scene = button.locator("xpath=ancestor::*[contains(@class, 'scene')]").inner_text()
        button.click()
        expect(page.locator(".scene")).not_to_have_text(scene)

    assert answer_all(someone, press) == set(ANSWERS)
    expect(page.locator(".handin")).to_contain_text(f"{total} of {total}")
    expect(page.locator("[data-clock]")).to_contain_text("minutes")
    page.reload()
    expect(page.locator(".handin")).to_contain_text(f"{total} of {total}")
    with page.expect_navigation():
        page.locator(".handin .btn:not(.plain)").click()
    assert someone.path.endswith("/result/")
    assert page.locator("ol.questions > li").count() == total


def test_every_kind_is_answered_without_scripts(arrive: Arrive, course: str) -> None:
    someone = arrive(size=PHONE, scripts=False)
    someone.sign_in("finished@example.com", PASSWORD)
    someone.go(course)
    someone.press("Begin")
    page = someone.page
    total = page.locator("li.question").count()

    def press(button: Locator) -> None:
        with page.expect_navigation():
            button.click()

    assert answer_all(someone, press) == set(ANSWERS)
    with page.expect_navigation():
        page.locator(".handin .btn.plain").click()
    expect(page.locator(".handin")).to_contain_text(f"{total} of {total}")
    with page.expect_navigation():
        page.locator(".handin .btn:not(.plain)").click()
    assert someone.path.endswith("/result/")
    assert page.locator("ol.questions > li").count() == total
