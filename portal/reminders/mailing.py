"""A digest as a mail: plain words, the same as a page, and what it changes in the calendar."""

from datetime import UTC, date, timedelta
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit

import icalendar
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from portal.reminders import saying
from portal.reminders.models import Delivery, Digest

PRODUCT = "-//Onchannel//Reminders//EN"


def message_id(digest: Digest) -> str:
    """Return the Message-ID of a digest: a mail that goes a second time after a crash has the same."""
    return f"<reminder.{digest.uid}@{_host()}>"


def _host() -> str:
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def mail_of(delivery: Delivery, connection=None) -> EmailMultiAlternatives:
    """Return the mail in the person's language, written from what the digest froze. Reads its digest and employee."""
    digest, person = delivery.digest, delivery.employee
    with translation.override(digest.language):
        words = saying.words_of(digest.content, digest.on)
        context = context_of(person.short_name, words)
        text = render_to_string("reminders/digest.txt", context).strip() + "\n"
        page = render_to_string("reminders/digest_mail.html", context)
        files = _calendar_files(digest, delivery.address)
    mail = EmailMultiAlternatives(
        words.subject,
        text,
        from_email=settings.REMINDERS_BOUNCE_ADDRESS or settings.DEFAULT_FROM_EMAIL,
        to=[delivery.address],
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "Message-ID": message_id(digest),
            "Date": format_datetime(digest.made_at),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "OOF, AutoReply",
        },
        connection=connection,
    )
    mail.attach_alternative(page, "text/html")
    for name, (ics, method) in files:
        mail.attach(name, ics, f"text/calendar; method={method}; charset=utf-8")
    return mail


def context_of(name: str, words: saying.Words) -> dict:
    return {
        "name": name,
        "words": words,
        "firm": settings.FIRM_NAME,
        "today_url": settings.SITE_URL + reverse("standing:today"),
        "late_url": settings.SITE_URL + reverse("reminders:late_people"),
    }


def _calendar_files(digest: Digest, address: str) -> list[tuple[str, tuple[bytes, str]]]:
    """Return (file name, (what it holds, its method)): an entry a file, as iTIP (RFC 5546) has it for one UID."""
    return [
        (f"due-{number}.ics", (event_of(change, digest, address), "CANCEL" if change["do"] == "cancel" else "REQUEST"))
        for number, change in enumerate(digest.content["calendar"], start=1)
    ]


def event_of(change: dict, digest: Digest, address: str) -> bytes:
    """Return an entry for the whole due day, not taking time, private; or that it is gone."""
    on, is_gone = date.fromisoformat(change["on"]), change["do"] == "cancel"
    told = icalendar.Calendar()
    told.add("prodid", PRODUCT)
    told.add("version", "2.0")
    told.add("method", "CANCEL" if is_gone else "REQUEST")
    event = icalendar.Event()
    event.add("uid", f"{change['uid']}@{_host()}")
    event.add("sequence", change["sequence"])
    event.add("dtstamp", digest.made_at.astimezone(UTC))
    event.add("dtstart", on)
    event.add("dtend", on + timedelta(days=1))
    event.add("summary", _("Due: %(title)s") % {"title": change["title"]})
    event.add("status", "CANCELLED" if is_gone else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    if change["path"]:
        event.add("url", settings.SITE_URL + change["path"])
        event.add("description", _("On time until the end of this day.") + "\n" + settings.SITE_URL + change["path"])
    name, mailbox = parseaddr(settings.DEFAULT_FROM_EMAIL)
    organizer = icalendar.vCalAddress(f"mailto:{mailbox}")
    organizer.params["cn"] = icalendar.vText(name or settings.FIRM_NAME)
    event.add("organizer", organizer)
    attendee = icalendar.vCalAddress(f"mailto:{address}")
    for key, value in {"partstat": "ACCEPTED", "role": "REQ-PARTICIPANT", "rsvp": "FALSE"}.items():
        attendee.params[key] = icalendar.vText(value)
    event.add("attendee", attendee)
    told.add_component(event)
    return told.to_ical()
