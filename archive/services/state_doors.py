"""The doors for dated copies of seats and consent: a page, and a machine with a token."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.models import Source, SourceToken
from archive.services import feeds
from archive.services.state import SMALL_LIMIT, Kept, NotAState, read_state, take_state, told_at
from portal.people.models import Employee


@transaction.atomic
def take_file(
    *, name: str, raw: bytes, taken_at: datetime | None, holds_from: date | None, by: Employee
) -> tuple[Source, datetime, Kept]:
    """Keep a copy of the answers in a file that somebody gives. Return the source, the copy's moment and what was new.

    Raises NotAState, feeds.BadSourceName: then nothing is kept, and no source is begun.
    """
    data = read_state(raw, limit=SMALL_LIMIT)
    at = taken_at or told_at(data) or timezone.now()
    source = feeds.get_source(name, by=by.uid)
    return source, at, take_state(source=source, data=data, taken_at=at, holds_from=holds_from, by=by.uid)


@transaction.atomic
def push_state(*, token: SourceToken, raw: bytes) -> tuple[datetime, Kept]:
    """Keep a copy of the answers that a machine sends. Raises NotAState.

    They must say when they were given: so the same body again is the same copy, however often it is sent.
    """
    data = read_state(raw, limit=SMALL_LIMIT)
    at = told_at(data)
    if at is None:
        raise NotAState(_("Say when the answers were given: taken_at, a moment like 2026-10-16T18:00:00+08:00."))
    SourceToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now())
    return at, take_state(source=token.source, data=data, taken_at=at, by="system:push")
