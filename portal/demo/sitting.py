"""Many people sit a quiz at the same moment: what `bench` measures of quizzes.

On a database of its own beside the configured one (as the tests use), through a web server of its own with the
processes and threads of docs/running.md: nothing of it stays. Every attempt is somebody's first: begun, read, ten
answers saved one by one, handed in, the result read.
"""

import http.client
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from portal import env
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.people.sessions import BEGAN, SEEN
from quizzes.models import Attempt
from training import services as training
from training.loading import read_courses
from training.models import Assignment, Edition
from training.publishing import publish

QUESTIONS = 10
PEOPLE_AT_ONCE = (8, 64)
READY_SECONDS = 60
CSRF = secrets.token_hex(16)
FORM = re.compile(r'<input type="(?:radio|checkbox)" name="(q\d+)" value="([^"]+)"')
CHECKS = re.compile(r'<input type="hidden" name="(r\d+)" value="(\d+)"')


@dataclass
class Sitting:
    """What was measured with so many people at once. Times in milliseconds."""

    at_once: int
    attempts: int = 0
    seconds: float = 0.0
    cpu_seconds: float | None = None  # of the web server's processes; None: this system does not tell
    saves: list[float] = field(default_factory=list)

    def figures(self) -> dict:
        cpu = None if self.cpu_seconds is None else round(self.cpu_seconds * 1000 / self.attempts, 1)
        return {
            "people_at_once": self.at_once,
            "attempts": self.attempts,
            "attempts_a_minute": round(self.attempts * 60 / self.seconds, 1),
            "cpu_ms_an_attempt": cpu,
            "save_median_ms": round(statistics.median(self.saves), 1),
            "save_p95_ms": round(statistics.quantiles(self.saves, n=20)[-1], 1),
        }


class Lost(RuntimeError):
    """Attempts that were made and are not there, or are there twice."""


def measure(*, rounds: int, tell: Callable[[str], None]) -> list[dict]:
    """Return the figures for each of PEOPLE_AT_ONCE; each of them makes ``rounds`` attempts. Raises Lost."""
    tell(f"quiz: preparing a database beside {connection.vendor}")
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        call_command("createcachetable", verbosity=0)
        address = _prepare(sum(PEOPLE_AT_ONCE) * rounds)
        people = iter(list(Employee.objects.order_by("pk")))
        found = []
        with _server() as (port, pids):
            for at_once in PEOPLE_AT_ONCE:
                sessions = [_session(next(people)) for _ in range(at_once * rounds)]
                found.append(_sit(at_once, sessions, port, pids, address).figures())
        _check(sum(PEOPLE_AT_ONCE) * rounds)
        return found
    finally:
        connection.creation.destroy_test_db(str(name), verbosity=0)


def _check(expected: int) -> None:
    graded = Attempt.objects.submitted().filter(number=1).count()
    if graded != expected or Attempt.objects.count() != expected or ledger.verify()[1]:
        raise Lost(f"{graded} of {expected} attempts were graded")


# --- who sits it -------------------------------------------------------------------------------------------------


def _prepare(people: int) -> str:
    """Publish the first module of the first course with a quiz of ten, and let people read it. Return the address."""
    edition = _published()
    module = edition.modules.get()
    due_on, by = timezone.localdate() + timedelta(days=30), "system:bench"
    made = Employee.objects.bulk_create(
        Employee(email=f"sitter{n}@example.com", name_en=f"Sitter {n}", employee_no=f"S{n:05}") for n in range(people)
    )
    for employee in made:
        training.assign(employee=employee, course=edition.course, due_on=due_on, by=by)
        assignment = Assignment.objects.select_related("course", "employee").get(employee=employee)
        for lesson in module.lessons.select_related("module"):
            training.open_lesson(assignment=assignment, lesson=lesson, by=employee.uid)
            training.finish_lesson(assignment=assignment, lesson=lesson)
    return reverse("training:quiz", args=[edition.course.slug, module.slug])


def _published() -> Edition:
    course = read_courses(settings.COURSES_DIR, [code for code, _name in settings.LANGUAGES])[0][0]
    course.modules = course.modules[:1]
    course.quiz |= {"draw": QUESTIONS, "time_limit_minutes": 60}
    return publish(course=course, by="system:bench")[0]


def _session(employee: Employee) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(employee.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = employee.get_session_auth_hash()
    session[BEGAN] = session[SEEN] = timezone.now().timestamp()
    session.save()
    return session.session_key


# --- the server --------------------------------------------------------------------------------------------------


@contextmanager
def _server() -> Iterator[tuple[int, list[int]]]:
    """Run the site on the database in use now. Yield (port, the ids of its processes)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
        "--workers", "2", "--threads", "4", "--log-level", "warning", "--no-control-socket",
    ]  # fmt: skip
    environment = env.of_a_child(DATABASE_URL=_database_url(), HTTPS="0", LOG_LEVEL="ERROR")
    server = subprocess.Popen(command, env=environment)  # noqa: S603
    try:
        _wait_for(port)
        yield port, [server.pid, *_children(server.pid)]
    finally:
        server.terminate()
        server.wait(timeout=30)


def _database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    who = f"{quote(database['USER'], safe='')}:{quote(database['PASSWORD'], safe='')}"
    return f"postgres://{who}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def _wait_for(port: int) -> None:
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends:
        with suppress(OSError):
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asked.request("GET", reverse("healthz"))
            if asked.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise TimeoutError("the web server did not answer")


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _cpu_seconds(pids: list[int]) -> float | None:
    """Return the processor time that these processes have taken so far, None where the system does not tell."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return None
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# --- sitting it --------------------------------------------------------------------------------------------------


def _sit(at_once: int, sessions: list[str], port: int, pids: list[int], address: str) -> Sitting:
    sitting = Sitting(at_once, attempts=len(sessions))
    cpu, began = _cpu_seconds(pids), time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        for saves in pool.map(lambda session: _attempt(session, port, address), sessions):
            sitting.saves += saves
    sitting.seconds = time.perf_counter() - began
    after = _cpu_seconds(pids)
    sitting.cpu_seconds = None if cpu is None or after is None else after - cpu
    return sitting


def _attempt(session: str, port: int, address: str) -> list[float]:
    """Make one attempt as a browser would. Return how long each of its saves took."""
    browser = _Browser(session, port)
    paper_url = browser.post(address, {})
    page = browser.get(paper_url)
    key, answers = urlsplit(paper_url).path.strip("/").split("/")[-1], {}
    for name, token in FORM.findall(page):
        answers.setdefault(name, token)
    known, saves = dict(CHECKS.findall(page)), []
    for name, token in answers.items():
        number = name.removeprefix("q")
        began = time.perf_counter()
        data = {name: token, f"r{number}": known[f"r{number}"]}
        fragment = browser.post(f"{paper_url}answers/{number}/", data, htmx=True)
        saves.append((time.perf_counter() - began) * 1000)
        known |= dict(CHECKS.findall(fragment))
    browser.get(browser.post(paper_url, {"key": key} | answers | known))
    return saves


class _Browser:
    """One connection that stays open, with one person's cookies."""

    def __init__(self, session: str, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}"
        self.headers = {"Cookie": cookies}

    def get(self, url: str) -> str:
        return self._ask("GET", url, None, self.headers)[1]

    def post(self, url: str, data: dict, *, htmx: bool = False) -> str:
        """Return where the answer leads; of a fragment, what it says."""
        headers = self.headers | {"X-CSRFToken": CSRF, "Content-Type": "application/x-www-form-urlencoded"}
        headers |= {"HX-Request": "true"} if htmx else {}
        location, text = self._ask("POST", url, urlencode(data), headers)
        return text if htmx else location

    def _ask(self, method: str, url: str, body: str | None, headers: dict) -> tuple[str, str]:
        self.connection.request(method, url, body, headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if response.status not in (200, 302):
            raise Lost(f"{method} {url} answered {response.status}")
        return response.headers.get("Location", ""), text
