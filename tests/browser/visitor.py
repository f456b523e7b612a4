"""Somebody at a browser of their own: what they do, and what the browser complains about meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

WATCH = Path(__file__).with_name("watch.js")
PHONE = (360, 740)  # width and height in CSS pixels
DESK = (1280, 800)
PATIENCE = 20_000  # milliseconds; the machine may be busy


class Visitor:
    """A browser context with one page, in which every page visited is watched (watch.js)."""

    def __init__(
        self, browser: Browser, address: str, folder: Path, size: tuple[int, int] = DESK, *, scripts: bool = True
    ) -> None:
        self.address, self.folder, self.scripts = address, folder, scripts
        self.complaints: list[str] = []
        self._missing: set[str] = set()
        self.context: BrowserContext = browser.new_context(
            base_url=address,
            viewport={"width": size[0], "height": size[1]},
            locale="en-GB",
            java_script_enabled=scripts,
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(path=WATCH)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and message.location.get("url") not in self._missing:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.address}/", "data:")):
            self.complaints.append(f"{self.page.url} asks another site: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.url not in self._missing:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")

    @contextmanager
    def listened_to(self) -> Iterator[list[Response]]:
        """Keep every response that the page gets meanwhile."""
        heard: list[Response] = []

        def hear(response: Response) -> None:
            heard.append(response)

        self.page.on("response", hear)
        yield heard
        self.page.remove_listener("response", hear)

    def settled_complaints(self) -> list[str]:
        """Return the complaints, those of the page in view too, and forget them."""
        if self.scripts:
            self.page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
        told, self.complaints = self.complaints, []
        return told

    def pictured(self, name: str) -> str:
        """Leave a picture of the page in view in the folder, and say where."""
        self.page.screenshot(path=self.folder / name)
        return f"{self.page.url}, seen in {self.folder / name}"

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def go(self, path: str) -> None:
        assert self._status(path) == 200, path

    def finds_nothing_at(self, path: str) -> None:
        """Ask for a page that is not there for this person: 404, and not a word about why."""
        self._missing.add(self.address + path)
        assert self._status(path) == 404, path

    def _status(self, path: str) -> int:
        response = self.page.goto(path)
        assert response is not None, f"{path} is the page in view"
        return response.status

    def press(self, label: str) -> None:
        """Press the button of this label, and wait for the page that it leads to."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=label).click()

    def follow(self, label: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=label).click()

    def choose(self, path: str) -> None:
        """Follow a link of the menu beside the page."""
        with self.page.expect_navigation():
            self.page.locator(f"nav.rail a[href='{path}']").click()

    def sign_in(self, email: str, password: str) -> None:
        """Sign in through the page, wherever one is sent from."""
        self.page.goto("/")
        expect(self.page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.page.locator("input[name=login]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        self.press("Sign in")
        assert self.path == "/", self.page.url

    def speak(self, code: str) -> None:
        """Switch the language by the button on the page: en or zh-hans."""
        if self.page.locator("html").get_attribute("lang") != code:
            with self.page.expect_navigation():
                self.page.locator(f"button[name=language][value={code}]:visible").first.click()
        expect(self.page.locator("html")).to_have_attribute("lang", code)

    def fetch(self, link: Locator) -> tuple[str, bytes]:
        """Follow a link that downloads; return the file's name and its bytes."""
        with self.page.expect_download() as waiting:
            link.click()
        return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()
