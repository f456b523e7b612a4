"""From page to page by the links: one page of every kind that a person is led to."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

HERE = "main a[href], nav a[href]"
DOWNLOADS = {
    "training:certificate_file",
    "training:export_file",
    "archive:aside_file",
    "standing:team_file",
    "standing:people_file",
    "standing:finding_file",
    "standing:firm_file",
    "standing:knowledge_file",
    "standing:team_finding_file",
    "training:badge_file",
    "training:signing_keys",
    "training:status_list",
    "training:did_document",
    "archive:state_copy",
    "evidence:pack_file",
    "evidence:entry_file",
    "ledger:seal_file",
    "ledger:proof_file",
}


def walk(visitor: Visitor, code: str, left_out: set[str], look: Callable[[str], None] = lambda name: None) -> set[str]:
    """Visit one page of each kind that the links lead this person to; return the names of their views.

    ``look`` is called on each page with the name of its view.
    """
    visitor.go("/")
    visitor.speak(code)
    seen = {"standing:today"}
    look("standing:today")
    ahead = list(_links(visitor))
    while ahead:
        path = ahead.pop(0)
        name = _view_of(path)
        if name in seen | left_out:
            continue
        seen.add(name)
        visitor.go(path)
        expect(visitor.page.locator("html")).to_have_attribute("lang", re.compile(code))
        look(name)
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
