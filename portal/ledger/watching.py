"""What must not stop unseen: that the log is sealed, that seals leave the machine, and that they stay where they went.

Told on the page, in the health report, and once a day by mail to everybody who may read the log.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.ledger import sealing
from portal.ledger.appending import append, head_seq
from portal.ledger.delivery import file_name, places
from portal.ledger.models import Delivery, Entry, Head, Seal
from portal.ledger.services import body_of

logger = logging.getLogger(__name__)

LATE = timedelta(hours=3)  # a seal is due within one hour, and an hour is the longest pause between tries to send it
VERB = "ledger.alarm"
SYSTEM = "system:ledger"
NAMED = 5  # copies that are gone, in one line


@dataclass(frozen=True)
class Trouble:
    """``code``: sealing, sending, gone or unreachable. ``place``: of Delivery.Place. ``what``: names of files."""

    code: str
    since: datetime | None = None
    place: str = ""
    what: str = ""

    @property
    def words(self) -> str:
        told = {
            "since": date_format(timezone.localtime(self.since), "DATETIME_FORMAT") if self.since else "",
            "place": Delivery.Place(self.place).label if self.place else "",
            "what": self.what,
        }
        match self.code:
            case "sealing":
                return (
                    _("The log has not been sealed since %(since)s. What came after that can be changed unseen.") % told
                )
            case "sending":
                return _("No seal has reached the %(place)s since %(since)s.") % told
            case "gone":
                return _("Seals are gone from the %(place)s to which they were sent: %(what)s.") % told
        return _("The %(place)s to which seals are sent cannot be read.") % told


def troubles(now: datetime) -> list[Trouble]:
    """Return what has stopped or is gone; nothing of a log without entries. A handful of queries and one folder."""
    return [*_sealing(now), *_sending(now), *_gone()]


def _sealing(now: datetime) -> Iterator[Trouble]:
    last, head = sealing.newest(), head_seq()
    unsealed = Entry.objects.filter(seq=(last.size if last else 0) + 1).values_list("at", flat=True).first()
    is_overdue = last is not None and now - last.at > sealing.AT_LEAST_EVERY + LATE
    if head and (is_overdue or (unsealed is not None and now - unsealed > LATE)):
        yield Trouble("sealing", since=last.at if last else unsealed)


def _sending(now: datetime) -> Iterator[Trouble]:
    """A place is in trouble when its oldest seal that did not get through has waited for too long."""
    for place in places():
        waiting = Delivery.objects.filter(place=place, delivered_at=None).order_by("seal_id").first()
        if waiting and now - waiting.seal.at > LATE:
            yield Trouble("sending", since=waiting.seal.at, place=place)


def _gone() -> Iterator[Trouble]:
    """Compare the folder with what was delivered into it. That copies say what they said is verified each night; from a
    mailbox nothing can be read back, and in a bucket object lock holds them."""
    if not settings.SEALS_OUT_DIR:
        return
    went = Delivery.objects.filter(place=Delivery.Place.FOLDER, delivered_at__isnull=False)
    try:
        there = {path.name for path in Path(settings.SEALS_OUT_DIR).iterdir()}
    except OSError:
        if went.exists():
            yield Trouble("unreachable", place=Delivery.Place.FOLDER)
        return
    names = (file_name(Seal(number=number)) for number in went.order_by("seal_id").values_list("seal_id", flat=True))
    if gone := [name for name in names if name not in there]:
        more = f" (+{len(gone) - NAMED})" if len(gone) > NAMED else ""
        yield Trouble("gone", place=Delivery.Place.FOLDER, what=", ".join(gone[:NAMED]) + more)


def watch(*, now: datetime | None = None) -> list[Trouble]:
    """Look, and raise the alarm for what is wrong: each kind once a day, in an Entry and by mail. Return what is new.

    Two that look at once raise it once: the second waits for the head of the log and then sees the first one's Entry.
    """
    now = now or timezone.now()
    found = troubles(now)
    if not found:
        return []
    with transaction.atomic():
        Head.objects.select_for_update().first()
        new = [one for one in found if f"{one.code} {one.place}".strip() not in _told_today(now)]
        if new:
            body = {"troubles": [f"{one.code} {one.place}".strip() for one in new]}
            append(verb=VERB, actor=SYSTEM, subject=SYSTEM, body=body)
            transaction.on_commit(partial(_tell, new))
    return new


def _told_today(now: datetime) -> set[str]:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    today = Entry.objects.filter(verb=VERB, at__gte=midnight).order_by("-seq")
    return {told for entry in today for told in (body_of(entry) or {}).get("troubles", [])}


def _tell(found: list[Trouble]) -> None:
    """Write to everybody who may read the log, in their language. A mail that does not go out is not tried again: the
    page and the health report say the same."""
    for one in found:
        logger.critical("the evidence log is in trouble: %s %s", one.code, one.place)
    readers = get_user_model().objects.filter(
        is_active=True,
        groups__permissions__codename="view_entries",
        groups__permissions__content_type__app_label="ledger",
    )
    for reader in readers.distinct().order_by("pk"):
        try:
            _mail(reader, found).send()
        except OSError:
            logger.warning("an alarm about the evidence log could not be mailed", exc_info=True)


def _mail(reader, found: list[Trouble]) -> EmailMessage:
    with translation.override(reader.language or settings.LANGUAGE_CODE):
        subject = _("The evidence log needs somebody to look")
        lines = "\n".join(f"- {one.words}" for one in found)
        next_step = _("Call whoever runs this site. The page Evidence says how things stand:")
        text = f"{lines}\n\n{next_step}\n{settings.SITE_URL}{reverse('ledger:evidence')}\n"
    return EmailMessage(subject, text, to=[reader.email], headers={"Auto-Submitted": "auto-generated"})
