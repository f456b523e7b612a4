"""The weekly mail: on a working day, in working hours where the person is, once a week, and only if something waits."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from smtplib import SMTPException
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.people.models import Employee, Leave, Office
from training.fresh import schedule, waiting
from training.models import Completion, FreshMail

logger = logging.getLogger(__name__)

HOURS = range(9, 18)
SALT = "training.fresh.link"
LINK_DAYS = 21


def link_for(person: Employee) -> str:
    """Return a link for this person. It signs nobody in: it says whose questions they are."""
    return settings.SITE_URL + reverse("training:fresh_link", args=[signing.dumps(person.uid, salt=SALT)])


def meant_for(token: str) -> str | None:
    """Return the uid of the person for whom a link was made; None: it is not ours, or too old."""
    try:
        return signing.loads(token, salt=SALT, max_age=LINK_DAYS * 24 * 3600)
    except signing.BadSignature:
        return None


def send_waiting(*, most: int = 500) -> int:
    """Write to people whose questions of the week wait, ``most`` in each time zone. Return how many mails went out.

    Safe to ring at any time and twice: who was looked at this week is not looked at again. A mail that the server did
    not take is tried again by the next ring.
    """
    if not settings.FRESH_MAILS:
        return 0
    now = timezone.now()
    zones = {settings.TIME_ZONE, *Office.objects.order_by().values_list("time_zone", flat=True).distinct()}
    return sum(_send_in(zone, now, most) for zone in sorted(zones))


def _send_in(zone: str, now: datetime, most: int) -> int:
    local = now.astimezone(ZoneInfo(zone))
    day, sent = local.date(), 0
    if local.weekday() > 4 or local.hour not in HOURS:
        return 0
    people = _not_yet(zone, day, most)
    if not people:
        return 0
    week, found = schedule.week_of(day), waiting.of(people, day)
    counts = {person.pk: found[person.pk].count if person.pk in found else 0 for person in people}
    nothing = [FreshMail(employee=person, week=week, questions=0) for person in people if not counts[person.pk]]
    FreshMail.objects.bulk_create(nothing, ignore_conflicts=True)
    with get_connection() as connection:
        for person in people:
            try:
                sent += bool(counts[person.pk]) and _tell(person, week, counts[person.pk], now, connection)
            except (SMTPException, OSError):
                logger.warning("a mail about this week's questions was not taken", exc_info=True)
                break
    return sent


def _not_yet(zone: str, day: date, most: int) -> Sequence[Employee]:
    """Return people of the zone with a completion that counts, who are here and were not looked at this week."""
    mine = {"employee": OuterRef("pk")}
    where = Q(office__time_zone=zone)
    if zone == settings.TIME_ZONE:
        where |= Q(office=None)
    people = Employee.objects.filter(where, Exists(Completion.objects.filter(**mine, expires_on__gte=day)))
    people = people.filter(is_active=True).exclude(email="").select_related("office")
    seen = FreshMail.objects.filter(**mine, week=schedule.week_of(day))
    away = Leave.objects.filter(**mine, first_on__lte=day, last_on__gte=day)
    return list(people.exclude(Exists(seen)).exclude(Exists(away)).order_by("pk")[:most])


def _tell(person: Employee, week: date, count: int, now: datetime, connection: BaseEmailBackend) -> bool:
    """Write to one person, unless another worker does. The mail and its row are one: neither is without the other."""
    try:
        with transaction.atomic():
            FreshMail.objects.create(employee=person, week=week, questions=count, sent_at=now)
            mail = mail_of(person, week, count)
            mail.connection = connection
            mail.send()
    except IntegrityError:
        return False
    return True


def mail_of(person: Employee, week: date, count: int) -> EmailMessage:
    """Return the mail in the person's language. Its Message-ID is the same if it is ever sent again."""
    host = settings.SITE_URL.partition("//")[2].partition(":")[0].partition("/")[0]
    with translation.override(person.language or settings.LANGUAGE_CODE):
        context = {"person": person, "count": count, "url": link_for(person)}
        body = render_to_string("training/fresh.txt", context)
        headers = {"Message-ID": f"<fresh-{week}-{person.uid}@{host}>"}
        return EmailMessage(_("Two short questions, to keep it fresh"), body, to=[person.email], headers=headers)
