"""A firm whose people sit a quiz as often as they like, through the real site; and what must then be true."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import requests
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.urls import reverse

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from quizzes.models import Attempt, Response
from tests import studying
from training import services as training
from training.models import Assignment

LEARNERS = 100
PATIENCE = 90  # seconds for which a person tries again when nobody answers
CSRF = secrets.token_hex(16)
numbers = count(1)


class Refused(AssertionError):
    """The site answered, but not as it should."""


class Browser:
    """One person at the site. Who gets no answer, or is told to come back later, asks again, as people do."""

    def __init__(self, employee: Employee, address: str) -> None:
        self.employee, self.address, self.session = employee, address, requests.Session()
        self.turned_away = 0  # how often one was told to come back later
        cookies = {settings.SESSION_COOKIE_NAME: session_of(employee), settings.CSRF_COOKIE_NAME: CSRF}
        self.session.cookies.update(cookies)
        self.session.headers["X-CSRFToken"] = CSRF

    def ask(self, method: str, path: str, *, address: str = "", **body) -> requests.Response:
        """Ask once. Raises requests.RequestException if nobody answers."""
        url = f"{address or self.address}{path}"
        return self.session.request(method, url, allow_redirects=False, timeout=60, **body)

    def post(self, path: str, data: dict, **more) -> str:
        """Post until there is an answer; return where it leads. Raises Refused."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self.ask("POST", path, data=data, **more)
            except requests.RequestException:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.1)
                continue
            if answer.status_code == 503 and time.monotonic() < ends:
                self.turned_away += 1
                time.sleep(0.5)
                continue
            if answer.status_code != 302:
                raise Refused(f"POST {path} answered {answer.status_code}: {answer.text[:300]}")
            return answer.headers["Location"]

    # --- a quiz

    def begin(self, **more) -> str:
        """Begin an attempt and return its uid."""
        path = reverse("training:quiz", args=[studying.SLUG, "first"])
        leads = self.post(path, {}, **more)
        if not leads.startswith("/attempts/"):
            raise Refused(f"begun: {leads}")
        return leads.strip("/").split("/")[1]

    def submit(self, paper: "Paper", **more) -> None:
        """Hand in; returning is the acknowledgement."""
        leads = self.post(reverse("training:attempt", args=[paper.uid]), paper.form, **more)
        if not leads.endswith("/result/"):
            raise Refused(f"handed in: {leads}")


@dataclass(frozen=True)
class Paper:
    """A filled form and the answers that it stands for: wrong ones, so that another attempt may follow."""

    uid: str
    form: dict[str, str]
    answers: dict[int, list[str]]

    @classmethod
    def fill(cls, uid: str) -> "Paper":
        form, answers = {"key": uid}, {}
        rows = Response.objects.filter(attempt__uid=uid).values_list("position", "tokens")
        for position, tokens in rows:
            token, option = secrets.choice([pair for pair in tokens.items() if pair[1] != "a"])
            form |= {f"q{position}": token, f"r{position}": "0"}
            answers[position] = [option]
        return cls(uid, form, answers)


def session_of(employee: Employee) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(employee.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = employee.get_session_auth_hash()
    session.set_expiry(timedelta(days=10))  # longer than any clock is off here
    session.save()
    return session.session_key


@dataclass
class Firm:
    learners: list[Employee]
    officer: Employee
    hr: Employee
    acknowledged: dict[str, Paper] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def make(cls) -> "Firm":
        edition = studying.tiny_course(tries_before_wait=30_000)
        module = edition.modules.get(position=1)
        learners = people(LEARNERS)
        for learner in learners:
            studying.assign(learner)
            assignment = Assignment.objects.select_related("course", "employee").get(employee=learner)
            for lesson in module.lessons.select_related("module"):
                training.open_lesson(assignment=assignment, lesson=lesson, by=learner.uid)
                training.finish_lesson(assignment=assignment, lesson=lesson)
        officer, hr = people(2)
        officer.groups.add(Group.objects.get(name="Compliance"))
        hr.groups.add(Group.objects.get(name="HR"))
        return cls(learners, officer, hr)

    def sit(self, browser: Browser, times: int = 1, **more) -> list[str]:
        """Sit the quiz so often, and note what was acknowledged. Return the attempts."""
        done = []
        for _ in range(times):
            paper = Paper.fill(browser.begin(**more))
            browser.submit(paper, **more)
            self.note(paper)
            done.append(paper.uid)
        return done

    def note(self, paper: Paper) -> None:
        with self.lock:
            self.acknowledged[paper.uid] = paper

    def check(self) -> None:
        """What was acknowledged is there as it was sent, once; attempts and ledger are numbered without a gap."""
        rows = Attempt.objects.order_by("employee", "number").values_list("employee", "number", "uid", "submitted_at")
        counted: Counter[int] = Counter()
        for employee, number, _uid, _at in rows:
            counted[employee] += 1
            assert number == counted[employee], f"attempt {number} of {employee} does not follow"
        submitted = {uid for _employee, _number, uid, at in rows if at}
        assert self.acknowledged.keys() <= submitted, "acknowledged and not there"
        assert answers_of(self.acknowledged) == {uid: paper.answers for uid, paper in self.acknowledged.items()}
        told = Counter(body["attempt"] for body in bodies("quizzes.attempt_submitted"))
        assert told == Counter(submitted), "each submitted attempt has one Entry"
        begun = Counter(body["attempt"] for body in bodies("quizzes.attempt_started"))
        assert begun == Counter(uid for _employee, _number, uid, _at in rows), "each begun attempt has one Entry"
        check_ledger()


def check_ledger() -> None:
    entries, fault = ledger.verify()
    assert fault is None, fault
    assert entries == ledger.head_seq() == Entry.objects.count()


def answers_of(uids: Sequence[str] | dict) -> dict[str, dict[int, list[str]]]:
    found: dict[str, dict[int, list[str]]] = {}
    wanted = set(uids)
    rows = Response.objects.values_list("attempt__uid", "position", "answer").iterator(chunk_size=5000)
    for uid, position, answer in rows:
        if uid in wanted:
            found.setdefault(uid, {})[position] = answer
    return found


def bodies(verb: str) -> Iterator[dict]:
    """Yield what the Entries of this verb say."""
    for entry in Entry.objects.filter(verb=verb).select_related("body").iterator(chunk_size=2000):
        yield ledger.body_of(entry)


def people(how_many: int) -> list[Employee]:
    made = []
    for _ in range(how_many):
        n = next(numbers)
        made.append(Employee(email=f"p{n}@example.com", employee_no=f"P{n:05}", name_en=f"Person {n}"))
    return Employee.objects.bulk_create(made)


def all_at_once(acts: Sequence, most: int = 64) -> list:
    """Do each in a thread of its own; return what they return, or what they raised."""

    def safely(act):
        try:
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(min(most, len(acts))) as pool:
        return list(pool.map(safely, acts))
