import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import Message

import pytest
import time_machine
from aiosmtpd.controller import Controller
from django.utils import timezone

from portal.people.models import Employee
from portal.reminders import rounds
from tests import studying

MONDAY = datetime(2026, 11, 9, 1, 30, tzinfo=UTC)  # half past nine in Shanghai, a working day


class Postman:
    """Takes mail as a server does. ``answers``: what is said to an address instead of taking its mail."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.answers: dict[str, str] = {}
        self.after_data: Callable[[], str | None] = lambda: None

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.mails.append(envelope.content)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return self.after_data() or "250 Message accepted"

    @property
    def read(self) -> list[Message]:
        return [message_from_bytes(raw) for raw in self.mails]

    @property
    def ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.read]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def postman(settings) -> Iterator[Postman]:
    """A real mail server on this machine, to which the site sends."""
    handler = Postman()
    server = Controller(handler, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    try:
        yield handler
    finally:
        server.stop()


@pytest.fixture
def owing(make_employee, make_office) -> Callable[..., Employee]:
    """Make somebody in Shanghai who owes the tiny course, due so many days after MONDAY."""
    offices: list = []

    def make(*, due_in: int, assigned: int = 60, **fields) -> Employee:
        if not offices:
            offices.append(make_office(code="shanghai"))
        who = make_employee(**{"office": offices[0], **fields})
        with time_machine.travel(MONDAY - timedelta(days=assigned), tick=False):
            studying.assign(who, due_on=monday() + timedelta(days=due_in))
        return who

    return make


def monday() -> date:
    return timezone.localdate(MONDAY)


def at(day: int, hour: int = 9, minute: int = 30) -> datetime:
    """Return the moment so many days after MONDAY, by the clock in Shanghai."""
    return MONDAY + timedelta(days=day, hours=hour - 9, minutes=minute - 30)


def go(day: int = 0, **clock) -> int:
    """Let the beat and its workers do their work once at that moment. Return how many were sent."""
    with time_machine.travel(at(day, **clock), tick=False):
        return rounds.work_now()


def text_of(mail: Message, kind: str = "text/plain") -> str:
    part = next(part for part in mail.walk() if part.get_content_type() == kind)
    return part.get_payload(decode=True).decode()
