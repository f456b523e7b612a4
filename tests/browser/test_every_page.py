"""Every page of every role, in both languages and themes: no wider than a phone, and nothing that axe-core or pa11y's
engine finds.

A page is loaded 360 pixels wide in the dark theme, looked at, widened, turned light, and looked at again. The watch in
each page (watch.js) says when one is wider than its window; no_browser_complains listens.
"""

import pytest
from playwright.sync_api import expect

from tests.browser import axe, pa11y
from tests.browser.conftest import Arrive
from tests.browser.house import PASSWORD
from tests.browser.visitor import DESK, PHONE, Visitor
from tests.browser.walking import DOWNLOADS, walk
from tests.portal.test_access import TABLE

pytestmark = pytest.mark.browser

ROLES = ["employee", "finished", "manager", "hr", "compliance", "auditor", "author"]
# These look the same whoever reads them: the employee does.
FOR_ALL = {"training:course", "training:lesson", "training:quiz", "training:verify", "account_change_password"}
LOOKED_AT: set[tuple[str, str]] = set()  # (view, language)
STRANGERS = {"account_login": "/accounts/login/", "account_reset_password": "/accounts/password/reset/"} | {
    "account_reset_password_done": "/accounts/password/reset/done/",
    "account_reset_password_from_key": "/accounts/password/reset/key/abc-nothing/",
    "account_reset_password_from_key_done": "/accounts/password/reset/key/done/",
    "account_inactive": "/accounts/inactive/",
    "training:verify_form": "/verify/",
}
# Pages of the access table that no link leads to in the demo firm, and where else they are looked at, or why not.
ELSEWHERE = {
    "training:attempt": "test_every_kind",
    "training:recall": "nothing is recalled here",
    "archive:handle": "every handle is matched here",
    "archive:lexicon_version": "the lexicon is as it ships here",
    "quizzes:new": "like quizzes:edit",
    "standing:sample": "no month is sampled here",
    "jobs:progress": "a part of a page",
    "hr:file": "no list is given here",
    "evidence:pack": "no pack is asked for here",
    "quizzes:dry_run": "no file of questions is brought here",
    "training:upload": "test_uploads",
    "training:upload_lesson": "test_uploads",
    "training:upload_questions": "test_uploads",
    "training:fresh_link": "sends one on",
    "training:policy": "who signs in here has signed; the story's newcomer has not",
    "healthz": "for machines",
    "operations:figures": "for machines",
    "operations:live": "for machines",
    "operations:ready": "for machines",
    "operations:overview": "with the administrator's",
    "signon:oidc_login": "leads away, to the identity provider of the firm; nobody has one here",
    "signon:oidc_callback": "where that provider leads back to",
    "standing:firm_api": "for machines",
    "standing:api": "for machines",
    "standing:slip": "none of these people has told of a slip",
    "scim:door": "for machines",
    "account_logout": "sends one on",
    "account_signup": "sends one on",
    "account_set_password": "sends one on",
    "account_reauthenticate": "sends one on",
}


def look(visitor: Visitor) -> list[str]:
    """Return what both find on the page in view: in English as a phone in the dark and as a desk in the light show it,
    in Chinese as a phone does; the second engine, which looks at the same document either way, once in each language.
    """
    found = []
    is_chinese = visitor.page.locator("html").get_attribute("lang") == "zh-hans"
    for size, theme in ((PHONE, "dark"),) if is_chinese else ((DESK, "light"), (PHONE, "dark")):
        visitor.page.set_viewport_size({"width": size[0], "height": size[1]})
        visitor.page.emulate_media(color_scheme=theme)
        seen = axe.violations(visitor.page)
        if is_chinese or size == DESK:
            seen += pa11y.violations(visitor.page)
        found += [f"{visitor.path} ({theme}): {violation}" for violation in seen]
    visitor.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    return found


@pytest.mark.parametrize("role", ROLES)
def test_every_page_fits_a_phone_and_axe_finds_nothing_in_english_and_chinese(arrive: Arrive, role: str) -> None:
    visitor, found = arrive(size=PHONE), []
    visitor.sign_in(f"{role}@example.com", PASSWORD)
    left_out = DOWNLOADS if role in ("employee", "finished") else DOWNLOADS | FOR_ALL

    def note(name: str) -> None:
        code = visitor.page.locator("html").get_attribute("lang")
        if name == "standing:today":
            visitor.page.locator("nav.tabs summary").click()
        if (name, code) not in LOOKED_AT:
            LOOKED_AT.add((name, code))
            found.extend(look(visitor))

    in_english = walk(visitor, "en", left_out, note)
    in_chinese = walk(visitor, "zh-hans", left_out, note)
    assert in_english == in_chinese >= {"standing:today", "training:course_list", "training:certificate_list"}
    assert found == [], "\n".join(found)
    visitor.speak("en")


def test_the_doors_that_are_open_to_strangers_fit_a_phone_and_axe_finds_nothing(arrive: Arrive) -> None:
    visitor, found = arrive(size=PHONE), []
    for code in ("en", "zh-hans"):
        visitor.go("/accounts/login/")
        visitor.speak(code)
        for name, path in STRANGERS.items():
            visitor.go(path)
            expect(visitor.page.locator("html")).to_have_attribute("lang", code)
            LOOKED_AT.add((name, code))
            found += look(visitor)
        visitor.finds_nothing_at("/verify/OC-BBBB-BBBB-BBBB-BBBB/")
        found += look(visitor)
    assert found == []


def test_no_page_of_the_access_table_was_passed_over() -> None:
    """Runs after those above: a browser's tests are told in order."""
    pages = {name for name, line in TABLE.items() if line.method == "get"} - DOWNLOADS - ELSEWHERE.keys()
    assert {(name, code) for name in pages for code in ("en", "zh-hans")} - LOOKED_AT == set()


def test_the_administrators_pages_keep_to_the_policy(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.sign_in("admin@example.com", PASSWORD)
    for code in ("en", "zh-hans"):
        visitor.go("/operations/")
        visitor.speak(code)
        assert look(visitor) == []
    visitor.speak("en")
    visitor.go("/admin/")
    lists = visitor.page.locator("#content-main th a").evaluate_all("(links) => links.map((link) => link.pathname)")
    assert "/admin/people/employee/" in lists
    for path in lists:
        visitor.go(path)
    visitor.go("/admin/people/employee/")
    with visitor.page.expect_navigation():
        visitor.page.locator("#result_list tbody th a").first.click()
