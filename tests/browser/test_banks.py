"""Question banks, recalls and signals by keyboard alone: one story each."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Arrive
from tests.browser.house import PASSWORD, House
from tests.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

SHOWN = """
from quizzes.models import Response
row = Response.objects.filter(attempt__submitted_at__isnull=False, is_right=False).order_by("pk").first()
print(row.question.bank.slug, row.question.slug)
"""
SIGNAL = """
from django.utils import timezone
from quizzes.models import Attempt, Signal
attempt = Attempt.objects.submitted().order_by("pk").first()
Signal.objects.create(kind="fast", attempt=attempt, figures={"seconds": 9, "reading": 90}, found_at=timezone.now())
print(attempt.employee.name)
"""
FARTHEST = 150  # presses of Tab


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there, and see that it can be seen: nothing lies over it."""
    for _press in range(FARTHEST):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            is_seen = """() => {
              const box = document.activeElement.getBoundingClientRect();
              const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              return document.activeElement.contains(there) || there?.control === document.activeElement;
            }"""
            assert page.evaluate(is_seen), f"{selector} has the focus and is covered"
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def write(page: Page, selector: str, text: str) -> None:
    tab_to(page, selector)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def press(page: Page, selector: str) -> None:
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def come(arrive: Arrive, email: str, path: str, **how) -> Visitor:
    visitor = arrive(**how)
    visitor.sign_in(email, PASSWORD)
    visitor.go(path)
    return visitor


@pytest.mark.parametrize("how", [{}, {"size": PHONE, "scripts": False}], ids=["desk", "phone-without-scripts"])
def test_a_question_is_written_by_keyboard_with_more_rows_and_a_preview(arrive: Arrive, house: House, how) -> None:
    has_scripts = how.get("scripts", True)
    bank, name = "wechat-archiving_01-regulatory-overview", "by-keys" if has_scripts else "by-keys-alone"
    author = come(arrive, "author@example.com", f"/questions/{bank}/new/?kind=ordering", **how)
    page = author.page
    assert page.locator("[name^=options-][name$=-text-en]").count() == 3
    if not has_scripts:  # what can be looked at with scripts alone is left to the other round
        page.locator("[name=id]").fill(name)
        page.locator("[name=stem-en]").fill("Put these in order.")
        with page.expect_navigation():
            page.get_by_role("button", name="More rows").click()
        for place in range(4):
            page.locator(f"[name=options-{place}-text-en]").fill(f"Step {place + 1}")
        author.press("Save as a draft")
        assert author.path == f"/questions/{bank}/{name}/"
        return
    write(page, "[name=id]", name)
    write(page, "[name=stem-en]", "Put these in order.")
    press(page, "button[name=more]")
    assert page.locator("[name^=options-][name$=-text-en]").count() == 5
    page.locator("h1").click()
    for place in range(4):
        write(page, f"[name=options-{place}-text-en]", f"Step {place + 1}")
    expect(page.locator("#preview")).to_contain_text("Step 4")
    press(page, "button[name=propose]")
    assert author.path == f"/questions/{bank}/{name}/"
    expect(page.locator("main")).to_contain_text("to be reviewed")


def test_a_question_is_called_back_and_settled_by_keyboard(arrive: Arrive, house: House) -> None:
    bank, question = house.command("manage.py", "shell", "-v", "0", "-c", SHOWN).split()[-2:]
    officer = come(arrive, "compliance@example.com", f"/questions/{bank}/{question}/", size=PHONE)
    page = officer.page
    press(page, "a[href^='/recalls/of/']")
    write(page, "[name=reason]", "Two of its options are right.")
    press(page, "main form button.btn")
    assert officer.path.startswith("/recalls/")
    expect(page.locator("form[action$='/settle/']")).to_have_count(0)  # somebody else settles it
    page = come(arrive, "compliance2@example.com", officer.path, size=PHONE).page
    settle = page.locator("form[action$='/settle/'] button")
    for _look in range(60):  # until a worker has looked at the results again
        if settle.count():
            break
        page.reload()
    press(page, "form[action$='/settle/'] button")
    expect(page.locator("main")).to_contain_text("Two of its options are right.")
    expect(settle).to_have_count(0)


def test_a_signal_is_looked_at_by_keyboard(arrive: Arrive, house: House) -> None:
    name = house.command("manage.py", "shell", "-v", "0", "-c", SIGNAL).strip().splitlines()[-1]
    reviewer = come(arrive, "compliance@example.com", "/signals/", size=PHONE)
    page = reviewer.page
    expect(page.locator("main")).to_contain_text(name)
    tab_to(page, "select[name=verdict]")
    page.keyboard.press("t")  # talked about with the person
    write(page, "input[name=note]", "She knew the lesson by heart.")
    press(page, "main li form button")
    assert reviewer.path == "/signals/"
    expect(page.locator("main")).not_to_contain_text("She knew")
    press(page, "a[href='?show=all']")
    expect(page.locator("main")).to_contain_text("She knew the lesson by heart.")
