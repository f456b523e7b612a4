"""A chat, a conversation and a procedure, done with the keyboard alone; and without scripts as plain forms."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import axe, studying
from tests.browser.conftest import Arrive
from tests.browser.course_files import SLUG, plain
from tests.browser.house import PASSWORD, House
from tests.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

CHAT, STEPS = "04-said-is-said", "04-said-is-said"
BRANCH = "05-you-move-the-record-stays"
MODULE = "02-archiving-procedures"
MOST_TABS = 80  # from the top of a page to its end


@pytest.fixture(scope="module")
def lessons(house: House) -> str:
    """Somebody who has the course before them, not begun: the newest edition. Return the address of a module."""
    house.command("manage.py", "shell", "-c", ASSIGN)
    return f"/courses/{SLUG}/{MODULE}/"


ASSIGN = f"""
from datetime import timedelta
from django.utils import timezone
from portal.people.models import Employee
from training import services
from training.models import Assignment, Course
for email in ("hr@example.com", "compliance@example.com"):
    person, course = Employee.objects.get(email=email), Course.objects.get(slug="{SLUG}")
    if not Assignment.objects.filter(employee=person, course=course, edition=None).exists():
        services.assign(
            employee=person, course=course, due_on=timezone.localdate() + timedelta(days=30), by="system:test"
        )
"""


def tab_to(visitor: Visitor, wanted: Locator) -> None:
    """Press Tab until the element has the focus; it must be there, and be seen to have it."""
    handle = wanted.element_handle()
    for _press in range(MOST_TABS):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate("(wanted) => wanted === document.activeElement", handle):
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def block(visitor: Visitor, lesson: str, kind: str) -> tuple[Locator, dict]:
    found = studying.block_of(visitor.page, kind)
    assert found is not None, f"{lesson} has no {kind}"
    return found


def test_a_chat_is_marked_by_keyboard(arrive: Arrive, lessons: str) -> None:
    visitor = arrive()
    visitor.sign_in("hr@example.com", PASSWORD)
    visitor.go(f"{lessons}{CHAT}/")
    section, told = block(visitor, CHAT, "chat")
    asked = [message for message in told["messages"] if message.get("mark")]
    keys = {"personal": 0, "business": 1, "both": 2}  # arrows from the first to the right one
    for number, message in enumerate(asked):
        group = section.locator("fieldset").nth(number)
        tab_to(visitor, group.get_by_role("radio").first)
        visitor.page.keyboard.press("Space")
        for _press in range(keys[message["mark"]]):
            visitor.page.keyboard.press("ArrowRight")
    tab_to(visitor, section.get_by_role("button", name="Check my marks"))
    visitor.page.keyboard.press("Enter")
    expect(section.get_by_role("status")).to_contain_text("Every mark is right.")
    expect(section.get_by_role("status")).to_be_focused()
    assert axe.violations(visitor.page) == []


def test_a_procedure_is_walked_through_by_keyboard(arrive: Arrive, lessons: str) -> None:
    visitor = arrive()
    visitor.sign_in("hr@example.com", PASSWORD)
    visitor.go(f"{lessons}{STEPS}/")
    section, told = block(visitor, STEPS, "steps")
    for number, step in enumerate(told["steps"], start=1):
        expect(section).to_contain_text(f"Step {number} of {len(told['steps'])}")
        expect(section.locator(".do")).to_have_text(step["do"])
        tab_to(visitor, section.locator(".walk-on .btn:not(.plain)"))
        visitor.page.keyboard.press("Enter")
    expect(section).to_contain_text("That is the whole procedure:")
    assert axe.violations(visitor.page) == []


def test_a_conversation_is_led_taken_back_and_led_again_by_keyboard(arrive: Arrive, lessons: str) -> None:
    visitor = arrive()
    visitor.sign_in("hr@example.com", PASSWORD)
    visitor.go(f"{lessons}{BRANCH}/")
    section, told = block(visitor, BRANCH, "branch")
    scenes = {scene["id"]: scene for scene in told["scenes"]}
    wrong = next(choice for choice in scenes[told["start"]]["choices"] if choice["rating"] == "breaks")
    _reply(visitor, section, wrong)
    expect(section.get_by_role("status")).to_contain_text("This breaks the rule.")
    expect(section.get_by_role("status")).to_contain_text(plain(wrong["why"]))
    tab_to(visitor, section.get_by_role("button", name="Take it back"))
    visitor.page.keyboard.press("Enter")
    for choice in studying.best_replies(told):
        _reply(visitor, section, choice)
        expect(section.get_by_role("status")).to_contain_text("This keeps the record.")
        expect(section.get_by_role("status")).to_be_focused()
    expect(section).to_contain_text("Every reply kept the record.")
    assert axe.violations(visitor.page) == []
    visitor.page.reload()
    expect(section).to_contain_text("Every reply kept the record.")


def _reply(visitor: Visitor, section: Locator, choice: dict) -> None:
    tab_to(visitor, section.get_by_role("button", name=plain(choice["reply"].strip("[]")), exact=True))
    visitor.page.keyboard.press("Enter")
    expect(section.get_by_role("status")).to_contain_text(plain(choice["why"]))


def test_a_conversation_is_led_without_scripts_on_a_phone(arrive: Arrive, lessons: str) -> None:
    visitor = arrive(size=PHONE, scripts=False)
    visitor.sign_in("compliance@example.com", PASSWORD)
    visitor.go(f"{lessons}{BRANCH}/")
    section, told = block(visitor, BRANCH, "branch")
    for choice in studying.best_replies(told):
        visitor.press(plain(choice["reply"].strip("[]")))
        assert visitor.path == f"{lessons}{BRANCH}/"
    expect(section).to_contain_text("Every reply kept the record.")
