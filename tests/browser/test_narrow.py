"""Every page of every role on a phone 360 pixels wide, in both languages.

The watch in each page (watch.js) says when one is wider than its window; no_browser_complains listens.
"""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.house import PASSWORD
from tests.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

ROLES = ["employee", "finished", "manager", "hr", "compliance", "auditor"]
HERE = "main a[href], nav a[href]"
DOWNLOADS = {
    "training:certificate_file",
    "training:export_file",
    "archive:aside_file",
    "standing:team_file",
    "standing:people_file",
    "standing:finding_file",
    "ledger:seal_file",
    "ledger:proof_file",
}
# These look the same whoever reads them: the employee does.
FOR_ALL = {"training:course", "training:lesson", "training:quiz", "training:verify", "account_change_password"}


@pytest.mark.parametrize("role", ROLES)
def test_no_page_is_wider_than_a_phone_in_english_and_chinese(arrive: Arrive, role: str) -> None:
    visitor = arrive(size=PHONE)
    visitor.sign_in(f"{role}@example.com", PASSWORD)
    left_out = DOWNLOADS if role in ("employee", "finished") else DOWNLOADS | FOR_ALL
    in_english = walk(visitor, "en", left_out)
    in_chinese = walk(visitor, "zh-hans", left_out)
    assert in_english == in_chinese >= {"standing:today", "training:course_list", "training:certificate_list"}
    visitor.speak("en")


def test_the_doors_that_are_open_to_strangers_are_no_wider_than_a_phone(arrive: Arrive) -> None:
    visitor = arrive(size=PHONE)
    for code in ("en", "zh-hans"):
        visitor.go("/accounts/login/")
        visitor.speak(code)
        for path in ("/accounts/password/reset/", "/verify/"):
            visitor.go(path)
            expect(visitor.page.locator("html")).to_have_attribute("lang", code)
        visitor.finds_nothing_at("/verify/OC-BBBB-BBBB-BBBB-BBBB/")


def test_the_administrators_pages_keep_to_the_policy(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.sign_in("admin@example.com", PASSWORD)
    visitor.go("/admin/")
    lists = visitor.page.locator("#content-main th a").evaluate_all("(links) => links.map((link) => link.pathname)")
    assert "/admin/people/employee/" in lists
    for path in lists:
        visitor.go(path)
    visitor.go("/admin/people/employee/")
    with visitor.page.expect_navigation():
        visitor.page.locator("#result_list tbody th a").first.click()


def walk(visitor: Visitor, code: str, left_out: set[str]) -> set[str]:
    """Visit one page of each kind that the links lead this person to; return the names of their views."""
    visitor.go("/")
    visitor.speak(code)
    visitor.page.locator("nav.tabs summary").click()
    seen, ahead = {"standing:today"}, list(_links(visitor))
    while ahead:
        path = ahead.pop(0)
        name = _view_of(path)
        if name in seen | left_out:
            continue
        seen.add(name)
        visitor.go(path)
        expect(visitor.page.locator("html")).to_have_attribute("lang", re.compile(code))
        ahead += _links(visitor)
    return seen


def _links(visitor: Visitor) -> Iterator[str]:
    """Yield the links of the page in view that stay in this site, but those of Django's own admin."""
    for link in visitor.page.locator(HERE).evaluate_all("(links) => links.map((link) => link.getAttribute('href'))"):
        address = urlsplit(urljoin(visitor.page.url, link))
        if f"{address.scheme}://{address.netloc}" == visitor.address and not address.path.startswith("/admin/"):
            yield address.path


def _view_of(path: str) -> str:
    try:
        return resolve(path).view_name
    except Resolver404:
        raise AssertionError(f"{path} leads nowhere") from None
