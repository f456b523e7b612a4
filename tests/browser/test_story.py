"""The whole story in a real browser: learn, prove, and be seen by manager, HR, compliance and a stranger.

The steps follow upon each other. The newcomer goes through hers on a phone, 360 pixels wide.
"""

import csv
import io
import re
import time
import zipfile
from dataclasses import dataclass

import pypdf
import pytest
from playwright.sync_api import expect

from tests.browser import course_files, studying
from tests.browser.conftest import Arrive
from tests.browser.course_files import SLUG
from tests.browser.house import PASSWORD, House, Newcomer
from tests.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser
STEPS = True  # after one has failed there is nothing left for the others to stand on

COURSE_PATH = f"/courses/{SLUG}/"
STANDING_SECONDS = 60  # within which every page shows what somebody has done


@dataclass
class Story:
    """What the steps leave to the later ones."""

    hero: Visitor | None = None
    manager: Visitor | None = None
    percent_before: int = -1
    person_path: str = ""  # of the newcomer's file, as managers and compliance see it
    result_path: str = ""  # of her failed quiz
    serial: str = ""
    pdf: bytes = b""


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def test_a_newcomer_chooses_a_password_by_the_link_in_her_mail_and_signs_in(
    house: House, arrive: Arrive, newcomer: Newcomer, story: Story
) -> None:
    hero = story.hero = arrive(size=PHONE)
    hero.go("/courses/")
    assert hero.path == "/accounts/login/"
    hero.follow("Forgot your password?")
    hero.page.locator("input[name=email]").fill(newcomer.email)
    hero.press("Send me a link")
    hero.go(house.link_mailed_to(newcomer.email))
    hero.page.locator("input[name=password1]").fill(newcomer.password)
    hero.page.locator("input[name=password2]").fill(newcomer.password)
    hero.press("Set password")
    hero.sign_in(newcomer.email, newcomer.password)
    expect(hero.page.get_by_role("heading", level=1)).to_contain_text(newcomer.name)
    expect(hero.page.locator(".todo")).to_contain_text("Regulatory overview")


def test_her_manager_sees_that_she_has_not_begun(arrive: Arrive, newcomer: Newcomer, story: Story) -> None:
    manager = story.manager = arrive()
    manager.sign_in("manager@example.com", PASSWORD)
    manager.choose("/team/")
    row = _row_of(manager, newcomer)
    _reload_until(manager, lambda: "Assigned" in row.inner_text())
    story.percent_before = _percent_current(manager)
    story.person_path = row.get_by_role("link").get_attribute("href")


def test_she_reads_and_each_answer_earns_its_own_explanation(story: Story) -> None:
    hero, page = story.hero, story.hero.page
    hero.go("/")
    with page.expect_navigation():
        page.locator(".todo .btn", has_text="Begin").click()
    left = {"check", "chat", "branch"}
    while left and not hero.path.endswith("/quiz/"):
        for kind in sorted(left):
            if found := studying.block_of(page, kind):
                _answer(hero, kind, *found)
                left.remove(kind)
        if left:
            studying.read_lesson(hero)
    assert left == set()


def _answer(hero: Visitor, kind: str, section, told: dict) -> None:
    match kind:
        case "check":
            studying.answer_check_wrongly(hero.page, section, told)
        case "chat":
            studying.mark_chat_with_one_mistake(hero.page, section, told)
        case "branch":
            studying.reply_rightly(hero.page, section, told)


def test_she_goes_on_at_her_desk_where_she_was_on_her_phone(arrive: Arrive, newcomer: Newcomer, story: Story) -> None:
    on_phone, desk = story.hero.page, arrive()
    answered = on_phone.locator(".part", has=on_phone.locator(".exercise [role=status]"))
    places = [answered.nth(n).get_attribute("id") for n in range(answered.count())]
    desk.sign_in(newcomer.email, newcomer.password)
    with desk.page.expect_navigation():
        desk.page.locator(".todo .btn", has_text="Continue").click()
    assert desk.path == story.hero.path
    went_on_at = desk.page.get_by_role("link", name="Continue where you left off").get_attribute("href")
    assert went_on_at.removeprefix("#") in places
    assert desk.page.url.endswith(went_on_at)
    for place in places:
        expect(desk.page.locator(f"#{place} :is(.verdict, .remark)").first).to_be_visible()


def test_a_quiz_tells_nothing_before_it_is_handed_in_and_is_reached_by_keyboard(story: Story) -> None:
    hero, page = story.hero, story.hero.page
    studying.read_module(hero)
    with hero.listened_to() as responses:
        hero.press("Begin the quiz")
        asked = studying.paper(page)
        assert len(asked) == 8
        studying.options_look_alike(asked)
        assert _tab_to(hero, "input[name=q1]") < 30
        page.keyboard.press("Space")
        expect(page.locator("#saved-1")).to_have_text("Saved")
        assert _tab_to(hero, ".handin button") < 60
        for number, (question, options) in enumerate(asked):
            studying.tick(page, options, question.right if number == 0 else sorted(question.wrong)[:1])
        studying.tells_nothing_before_it_is_handed_in(responses)


def test_having_failed_she_sees_what_was_right_explained_and_no_key_of_the_rest(story: Story) -> None:
    hero, page = story.hero, story.hero.page
    asked = studying.paper(page)
    hero.press("Hand in")
    expect(page.get_by_role("heading", name="Not passed yet")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("1 of 8 right, 12%. To pass takes 80%.")
    cards = page.locator(".question")
    expect(cards).to_have_count(8)
    for number, (question, _options) in enumerate(asked):
        card = cards.nth(number)
        expect(card).to_contain_text(question.stem)
        expect(card.locator(".asked .tag")).to_have_text("Wrong" if number else "Right")
        for told in (question.explanation, *question.whys):  # of what is wrong the key opens with the pass
            if number:
                expect(card).not_to_contain_text(told)
            else:
                expect(card).to_contain_text(told)
    story.result_path = hero.path


def test_she_passes_at_the_second_try_and_handing_in_twice_counts_once(story: Story) -> None:
    hero, page = story.hero, story.hero.page
    hero.press("Try again")
    expect(page.locator(".head")).to_contain_text("Try 2")
    studying.answer_rightly(page)
    page.get_by_role("button", name="Hand in").dblclick()
    expect(page.get_by_role("heading", name="Passed")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("8 of 8 right, 100%.")
    hero.go(COURSE_PATH)
    expect(page.locator("#module-1")).to_contain_text("Passed with 100%")


def test_she_reads_and_passes_the_other_modules_and_has_completed_the_course(story: Story) -> None:
    hero, page = story.hero, story.hero.page
    read = set()
    for number in range(2, studying.MODULES + 1):
        hero.go(COURSE_PATH)
        with page.expect_navigation():
            page.locator(".nextstep .btn").click()
        read |= set(studying.read_module(hero))
        assert hero.path == studying.quiz_path(number)
        hero.press("Begin the quiz")
        studying.answer_rightly(page)
        hero.press("Hand in")
        expect(page.get_by_role("heading", name="Passed")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("you have completed the course")
    hero.go(COURSE_PATH)
    expect(page.locator(".lessons .dot.done")).to_have_count(course_files.lesson_count() + studying.MODULES)
    assert len(read) > course_files.lesson_count() // 2  # all but those of the first module


def test_she_downloads_a_certificate_with_her_name_in_both_scripts(story: Story, newcomer: Newcomer) -> None:
    hero, page = story.hero, story.hero.page
    with page.expect_navigation():
        page.locator(".nextstep .btn").click()
    assert hero.path == "/certificates/"
    # While it is being drawn the page asks for itself; then the button is there without anybody's doing.
    expect(page.get_by_role("link", name="Download PDF")).to_be_visible(timeout=STANDING_SECONDS * 1000)
    story.serial = page.locator("dd code").first.inner_text()
    name, story.pdf = hero.fetch(page.get_by_role("link", name="Download PDF"))
    assert name == f"{story.serial}.pdf"
    [sheet] = pypdf.PdfReader(io.BytesIO(story.pdf)).pages
    printed = sheet.extract_text()
    for told in (newcomer.name_en, newcomer.name_zh, newcomer.number, story.serial):
        assert told in printed
    assert re.fullmatch(r"OC(-[0-9A-Z]{4}){4}", story.serial)


def test_a_stranger_sees_that_the_certificate_is_valid_and_nothing_else(
    arrive: Arrive, newcomer: Newcomer, story: Story
) -> None:
    stranger = arrive()
    page = stranger.page
    stranger.go(f"/verify/{story.serial}/")
    expect(page.get_by_role("heading", name="This certificate is valid")).to_be_visible()
    told = dict(zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=True))
    assert list(told) == ["Name as printed", "Issued by", "Course", "Edition", "Completed", "Valid until", "Serial"]
    assert told["Name as printed"] == newcomer.name
    assert told["Course"] == "WeChat archiving compliance"
    assert told["Serial"] == story.serial
    for other in (newcomer.email, newcomer.number, "100%"):
        assert other not in page.content()
    closed = ["/", "/courses/", COURSE_PATH, story.result_path, "/record/", "/certificates/", "/team/", "/people/"]
    closed += [f"/certificates/{story.serial}.pdf", story.person_path, "/firm/", "/imports/", "/exports/", "/admin/"]
    for path in closed:
        stranger.go(path)
        assert stranger.path in ("/accounts/login/", "/admin/login/"), path
        expect(page.locator("main")).not_to_contain_text(newcomer.name_en)
    stranger.finds_nothing_at("/verify/OC-AAAA-AAAA-AAAA-AAAA/")


def test_within_a_minute_her_manager_sees_that_she_is_current(newcomer: Newcomer, story: Story) -> None:
    manager = story.manager
    row = _row_of(manager, newcomer)
    _reload_until(manager, lambda: "Current" in row.inner_text())
    assert _percent_current(manager) > story.percent_before
    expect(row.locator(".cell")).to_have_count(studying.MODULES)
    manager.go(story.person_path)
    expect(manager.page.get_by_role("heading", level=1)).to_have_text(newcomer.name)
    expect(manager.page.get_by_role("heading", name="May use WeChat for business")).to_be_visible()


def test_hr_watches_an_export_and_downloads_that_very_certificate_in_it(
    house: House, arrive: Arrive, newcomer: Newcomer, story: Story
) -> None:
    hr = arrive()
    page = hr.page
    hr.sign_in("hr@example.com", PASSWORD)
    hr.choose("/exports/")
    page.get_by_label("Course").select_option(label="WeChat archiving compliance")
    expect(page.locator("#export-count .good")).to_contain_text("certificates fit this choice")
    page.get_by_label("Department").select_option(label="Private Clients")
    hr.press("Make the ZIP")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.locator("input[name=password]").fill(PASSWORD)
    with house.worker_held_up():
        hr.press("Confirm")
        newest = page.locator("ul.asked > li").first
        expect(newest.locator(".tag")).to_have_text("Waiting")
        expect(newest.locator("small")).to_contain_text("0 of ")
        expect(newest.get_by_role("link", name="Download ZIP")).to_have_count(0)
    # Nobody reloads: the progress does, when the file is there.
    expect(newest.get_by_role("link", name="Download ZIP")).to_be_visible(timeout=STANDING_SECONDS * 1000)
    _name, content = hr.fetch(newest.get_by_role("link", name="Download ZIP"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.read(f"{story.serial}.pdf") == story.pdf
        listed = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode("utf-8-sig"))))
        assert {row["file"] for row in listed} == {name for name in archive.namelist() if name.endswith(".pdf")}
    [hers] = [row for row in listed if row["serial"] == story.serial]
    assert hers["employee_no"] == newcomer.number


def test_compliance_sees_her_record_with_the_figures_of_the_archive(
    arrive: Arrive, newcomer: Newcomer, story: Story
) -> None:
    compliance = arrive()
    page = compliance.page
    compliance.sign_in("compliance@example.com", PASSWORD)
    compliance.choose("/people/")
    page.get_by_label("Name or number").fill(newcomer.name_en)
    page.keyboard.press("Enter")
    expect(page.locator("#people-rows tbody tr")).to_have_count(1)
    compliance.follow(newcomer.name)
    assert compliance.path == story.person_path
    table = page.get_by_role("region", name="Archive record")
    columns = table.locator("thead th").all_inner_texts()
    figures = dict(zip(columns, table.locator("tbody tr").first.locator("th, td").all_inner_texts(), strict=True))
    assert figures["Sent"] == "3"
    assert figures["Received"] == "2"


def test_a_colleague_finds_nothing_where_her_things_are(arrive: Arrive, story: Story) -> None:
    colleague = arrive()
    colleague.sign_in("employee@example.com", PASSWORD)
    for path in (story.person_path, story.result_path, f"/certificates/{story.serial}.pdf"):
        colleague.finds_nothing_at(path)


def test_behind_the_pages_nothing_went_wrong_and_no_log_names_anybody(house: House, newcomer: Newcomer) -> None:
    logged = house.logged()
    assert '"levelname": "ERROR"' not in logged
    assert "Traceback" not in logged
    for personal in (newcomer.email, newcomer.name_en, newcomer.name_zh, newcomer.password, PASSWORD):
        assert personal not in logged


def _row_of(visitor: Visitor, person: Newcomer):
    return visitor.page.locator("#people-rows tr", has_text=person.name)


def _percent_current(visitor: Visitor) -> int:
    tile = visitor.page.locator(".tiles .card", has_text="training current").locator(".num")
    return int(tile.inner_text().removesuffix("%"))


def _reload_until(visitor: Visitor, is_so) -> None:
    deadline = time.monotonic() + STANDING_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, visitor.page.locator("main").inner_text()
        visitor.page.wait_for_timeout(500)
        visitor.page.reload()


def _tab_to(visitor: Visitor, selector: str) -> int:
    """Press Tab until an element of this kind has the focus; return how often."""
    for presses in range(100):
        if visitor.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return presses
        visitor.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")
