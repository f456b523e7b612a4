"""How a digest is handed over: by SMTP, or to WeCom. What a server says becomes one of two: refused, or later."""

import smtplib
from contextlib import suppress
from datetime import timedelta

from django.core.mail import get_connection

from portal.reminders import mailing, wecom
from portal.reminders.models import Delivery


class Refused(Exception):
    """The address does not take it, now or later. ``status``: as RFC 3463 has it."""

    def __init__(self, said: str, status: str = "5.0.0") -> None:
        super().__init__(said)
        self.status = status


class Later(Exception):
    """It was not taken just now.

    ``is_for_all``: the same would happen to every other: the channel waits. ``is_unknown``: the connection broke when
    it may have been taken already. ``pause``: None: as the sender has it.
    """

    def __init__(
        self, said: str, *, is_for_all: bool = True, is_unknown: bool = False, pause: timedelta | None = None
    ) -> None:
        super().__init__(said)
        self.is_for_all, self.is_unknown, self.pause = is_for_all, is_unknown, pause


class Doors:
    """What is open while a batch goes out: one connection to the mail server, opened when the first mail needs it."""

    def __init__(self) -> None:
        self._mail = None

    def __enter__(self) -> "Doors":
        return self

    def __exit__(self, *raised) -> None:
        self._close()

    def hand_over(self, one: Delivery) -> None:
        """Return when the other side has taken it. Raises Refused, Later."""
        if one.channel == Delivery.Channel.MAIL:
            self._by_mail(one)
        else:
            self._by_wecom(one)

    def _by_mail(self, one: Delivery) -> None:
        mail = mailing.mail_of(one)
        try:
            if self._mail is None:
                connection = get_connection()
                connection.open()
                self._mail = connection
        except (OSError, smtplib.SMTPException) as error:
            raise Later(_said(error)) from error
        mail.connection = self._mail
        try:
            mail.send()
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            raise _judged(error) from error

    def _by_wecom(self, one: Delivery) -> None:
        try:
            wecom.send(one)
        except wecom.Unknown as error:
            raise Refused(str(error), "5.1.1") from error
        except wecom.Busy as error:
            raise Later(str(error), pause=error.pause) from error
        except wecom.Silent as error:
            raise Later(str(error), is_unknown=True) from error

    def _close(self) -> None:
        if self._mail is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._mail.close()
        self._mail = None


def _judged(error: Exception) -> Refused | Later:
    """Return what the mail server's answer means for the one mail."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return _by_code(code, _text(words))
    if isinstance(error, (smtplib.SMTPDataError, smtplib.SMTPSenderRefused)):
        said = _text(error.smtp_error)
        if isinstance(error, smtplib.SMTPSenderRefused):
            return Later(f"{error.smtp_code} {said}")  # it is we whom the server does not take
        return _by_code(error.smtp_code, said)
    is_unknown = isinstance(error, (smtplib.SMTPServerDisconnected, OSError))
    return Later(_said(error), is_unknown=is_unknown)


def _by_code(code: int, said: str) -> Refused | Later:
    if 500 <= code < 600:
        return Refused(f"{code} {said}", _status(said, "5.0.0"))
    return Later(f"{code} {said}", is_for_all=False)


def _status(said: str, otherwise: str) -> str:
    """Return the enhanced status code (RFC 2034) with which the answer begins."""
    first = said.split(maxsplit=1)[0] if said else ""
    return first if first.count(".") == 2 and first.replace(".", "").isdecimal() else otherwise


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
