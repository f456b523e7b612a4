"""How long one stays signed in, and where: each session by itself, seen and ended by whoever it belongs to.

A session ends after SESSION_IDLE_MINUTES without a request, and twelve hours after it was begun whatever happens.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.people.models import Employee

BEGAN, SEEN = "began", "seen"
WRITTEN_EVERY = timedelta(minutes=5)  # a request that only reads should not write each time

# What a browser says of itself, and what people call it. The first that fits: most say that they are Chrome as well.
BROWSERS = (
    ("wxwork/", "WeCom"),
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
DEVICES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def begin(request: HttpRequest) -> None:
    """Note when a session was begun. Called as somebody signs in."""
    request.session[BEGAN] = request.session[SEEN] = timezone.now().timestamp()


def has_ended(session: Mapping, now: datetime) -> bool:
    """Return whether a session has lain too long, or lasted too long. One of which no time is known has."""
    began, seen = session.get(BEGAN), session.get(SEEN)
    if began is None or seen is None:
        return True
    idle = settings.SESSION_IDLE_MINUTES * 60
    return now.timestamp() - began > settings.SESSION_COOKIE_AGE or (idle > 0 and now.timestamp() - seen > idle)


def note_use(request: HttpRequest, now: datetime) -> None:
    """Note that a session is in use: every few minutes, not at each request."""
    if now.timestamp() - request.session[SEEN] >= WRITTEN_EVERY.total_seconds():
        request.session[SEEN] = now.timestamp()
        UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)


@dataclass(frozen=True)
class Shown:
    pk: int
    device: str
    begun_at: datetime
    seen_at: datetime
    is_here: bool


def of(person: Employee, here: str | None) -> list[Shown]:
    """Return where a person is signed in: this session first, then those used last. ``here``: its key."""
    rows = list(UserSession.objects.filter(user=person))
    live = Session.objects.filter(pk__in=[row.session_key for row in rows], expire_date__gt=timezone.now())
    keys = set(live.values_list("pk", flat=True))
    rows = [row for row in rows if row.session_key in keys]
    rows.sort(key=lambda row: (row.session_key != here, -row.last_seen_at.timestamp()))
    return [
        Shown(row.pk, device(row.user_agent), row.created_at, row.last_seen_at, row.session_key == here) for row in rows
    ]


def end(person: Employee, *, pk: int | None = None, but: str | None = None) -> int:
    """End one session of a person, or all but the one of this key. Return how many were ended."""
    rows = UserSession.objects.filter(user=person).exclude(session_key=but)
    keys = list((rows if pk is None else rows.filter(pk=pk)).values_list("session_key", flat=True))
    ended = Session.objects.filter(pk__in=keys).delete()[0]
    UserSession.objects.filter(session_key__in=keys).delete()
    return ended


def end_others(sender, request: HttpRequest, user: Employee, **kwargs) -> None:
    """End all but the one in hand: the password is another one now."""
    end(user, but=request.session.session_key)


def device(user_agent: str) -> str:
    """Return browser and device in words, as far as the browser's own account of itself tells."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    machine = next((name for sign, name in DEVICES if re.search(sign, user_agent)), "")
    if browser and machine:
        return _("%(browser)s on %(device)s") % {"browser": browser, "device": machine}
    return browser or machine or _("unknown browser")
