"""A course sent as a ZIP: what its pages show fits a phone, and axe-core and pa11y's engine find nothing in it."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.browser.conftest import Arrive
from tests.browser.house import PASSWORD
from tests.browser.test_every_page import look
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.browser

COURSE = Path(__file__).resolve().parents[2] / "training/courses/wechat-archiving"


def packed() -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(COURSE.rglob("*")):
            if file.is_file():
                archive.write(file, f"{COURSE.name}/{file.relative_to(COURSE)}")
    return made.getvalue()


def test_the_course_that_ships_is_sent_looked_at_and_thrown_away(arrive: Arrive) -> None:
    visitor, found = arrive(size=PHONE), []
    visitor.sign_in("author@example.com", PASSWORD)
    visitor.go("/uploads/")
    file = {"name": "wechat-archiving.zip", "mimeType": "application/zip", "buffer": packed()}
    visitor.page.locator("input[type=file]").set_input_files(file)
    with visitor.page.expect_navigation():
        visitor.page.locator("main form[enctype] .btn").click()
    upload = visitor.path
    lesson = visitor.page.locator("main ol a").first.get_attribute("href")
    questions = visitor.page.locator("main section > p a").first.get_attribute("href")
    for code in ("en", "zh-hans"):
        visitor.speak(code)
        for page in ("", lesson, questions):
            visitor.go(f"{upload}{page}")
            found += look(visitor)
    assert found == []
    visitor.speak("en")
    visitor.go(upload)
    with visitor.page.expect_navigation():
        visitor.page.locator("form[action$='/drop/'] .btn").click()
    assert visitor.path == "/uploads/"
