"""Tokens by which machines push into one source. A token is shown once; what is kept tells nobody what it was."""

import hashlib
import secrets
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import calendars
from archive.models import Source, SourceToken
from portal.ledger import services as ledger
from portal.people.models import Employee

PREFIX = "oc_"  # so that a scanner for leaked secrets, and a person, knows what it is
HINT = 8  # characters; the other 38 are secret
MOST = 10  # that open one source at the same time


class TooManyTokens(ValueError):
    """So many machines push into no source; tokens that are not used should be ended first."""


class AlreadyOver(ValueError):
    """A token cannot expire before it has begun."""


@transaction.atomic
def make_token(*, source: Source, label: str, expires_on: date | None, by: Employee) -> tuple[SourceToken, str]:
    """Return a new token and its text, which nobody can read again. ``expires_on`` is its last day; None: no end.

    Raises TooManyTokens, AlreadyOver.
    """
    now = timezone.now()
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    if sum(one.opens(now) for one in source.tokens.filter(ended_at=None)) >= MOST:
        raise TooManyTokens(_("The source has %(n)s tokens. End one that is not used any more.") % {"n": MOST})
    if expires_on and expires_on < timezone.localdate(now):
        raise AlreadyOver(_("That day is over."))
    text = PREFIX + secrets.token_urlsafe(32)
    zone = timezone.get_default_timezone()
    token = SourceToken.objects.create(
        source=source,
        label=label.strip()[:60],
        hint=text[:HINT],
        digest=digest_of(text),
        made_by=by,
        made_at=now,
        expires_at=calendars.day_begins(expires_on + timedelta(days=1), zone) if expires_on else None,
    )
    _note("archive.token_made", token, by, expires_on=expires_on.isoformat() if expires_on else None)
    return token, text


@transaction.atomic
def end_token(*, token: SourceToken, by: Employee) -> SourceToken:
    """Let the token open nothing from now on. One that was ended before stays as it is."""
    token = SourceToken.objects.select_for_update(of=("self",)).select_related("source").get(pk=token.pk)
    if token.ended_at is None:
        token.ended_at = timezone.now()
        token.save(update_fields=["ended_at"])
        _note("archive.token_ended", token, by)
    return token


def _note(verb: str, token: SourceToken, by: Employee, **more) -> None:
    body = {"source": token.source.name, "token": token.hint, "label": token.label, **more}
    ledger.append(verb=verb, actor=by.uid, subject="system:archive", body=body)


def digest_of(text: str) -> str:
    """Return the SHA-256 by which a token is known. It is random enough that a plain hash is safe."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def token_for(*, text: str, source: str, now: datetime) -> SourceToken | None:
    """Return the token if it opens the source of that name. The same query is asked whatever is wrong."""
    token = SourceToken.objects.select_related("source").filter(digest=digest_of(text)).first()
    return token if token and token.source.name == source and token.opens(now) else None
