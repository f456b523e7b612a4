"""What the first load of a lesson brings over the wire, as Chromium counts it."""

import pytest

from tests.browser.conftest import Arrive
from tests.browser.course_files import COURSE, SLUG
from tests.browser.house import PASSWORD
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.browser

MOST_BYTES, MOST_REQUESTS = 100 * 1024, 10


def heaviest_lesson() -> str:
    """Return the address of the lesson whose file is the longest."""
    file = max(COURSE.glob("*/en/*.md"), key=lambda file: file.stat().st_size)
    return f"/courses/{SLUG}/{file.parts[-3]}/{file.stem}/"


def test_a_lesson_is_light_to_load_and_brings_no_font(arrive: Arrive) -> None:
    visitor = arrive(size=PHONE)
    visitor.sign_in("finished@example.com", PASSWORD)
    visitor.page.wait_for_load_state("networkidle")  # what the page before still loads is not the lesson's
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    kinds: list[str] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.on("Network.responseReceived", lambda event: kinds.append(event["type"]))
    visitor.go(heaviest_lesson())
    visitor.page.wait_for_load_state("networkidle")
    kinds = kinds[kinds.index("Document") :]
    assert "Font" not in kinds
    assert len(kinds) <= MOST_REQUESTS, kinds
    assert 0 < sum(sizes) <= MOST_BYTES, sizes
