import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.house import House, Newcomer
from tests.browser.visitor import Visitor

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
BROKE_OFF = pytest.StashKey[str]()
Arrive = Callable[..., Visitor]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Steps of a story come in the order in which they are told, whoever has shuffled the tests."""
    told = [number for number, item in enumerate(items) if item.get_closest_marker("browser")]
    in_order = sorted(
        (items[number] for number in told), key=lambda item: (str(item.path), item.location[1], item.name)
    )
    for number, item in zip(told, in_order, strict=True):
        items[number] = item


def pytest_runtest_setup(item: pytest.Item) -> None:
    if broke_off := item.parent.stash.get(BROKE_OFF, None):
        pytest.fail(f"the story broke off at {broke_off}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """After a step that failed, say where everybody is and end the story."""
    report = yield
    if report.failed and report.when == "call" and item.get_closest_marker("browser"):
        for number, visitor in enumerate(item.funcargs.get("visitors", ())):
            report.sections.append(("Browser", visitor.pictured(f"{item.name}-{number}.png")))
        if getattr(item.module, "STEPS", False):
            item.parent.stash[BROKE_OFF] = item.name
    return report


@pytest.fixture(scope="session")
def newcomer() -> Newcomer:
    return Newcomer()


@pytest.fixture(scope="session")
def house(tmp_path_factory, newcomer) -> Iterator[House]:
    """The site, furnished and running."""
    house = House(tmp_path_factory.mktemp("house"))
    house.furnish()
    house.hire(newcomer)
    with house.opened():
        yield house


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    assert path, "No Chromium: install Debian's package chromium, or name another in CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visitors() -> list[Visitor]:
    """Everybody who has a browser open."""
    return []


@pytest.fixture(scope="session")
def arrive(house, chromium, visitors) -> Arrive:
    """Open a browser of their own for somebody new: ``arrive(size=PHONE)``."""

    def arrive(**how) -> Visitor:
        visitors.append(Visitor(chromium, house.address, house.folder, **how))
        return visitors[-1]

    return arrive


@pytest.fixture(autouse=True)
def no_browser_complains(request, visitors) -> Iterator[None]:
    """No page says anything on the console, breaks the policy, is wider than its window or asks another site."""
    yield
    complaints = [complaint for visitor in visitors for complaint in visitor.settled_complaints()]
    if not getattr(request.module, "STEPS", False):
        while visitors:
            visitors.pop().context.close()
    assert complaints == []
