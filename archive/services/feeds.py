"""Sources, and the lock that lets one import of a source run at a time."""

import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive.models import Hole, Import, Source
from archive.services.holes import of_skipping
from archive.services.plans import carry_out
from archive.sources.kinds import channel_of
from archive.sources.mapping import BadMapping, check
from portal.ledger import services as ledger
from portal.people.models import Employee

LEASE = timedelta(seconds=120)  # renewed with every batch, which takes about a second
CLOSED_AT_ONCE = 200  # findings, while a person waits
DAY_BATCH = 36 * 3600  # seconds: a day of a conversation is sent in the night after it


class BadSourceName(ValueError):
    """A source needs a name of letters, digits, - and _."""


class OtherTerms(ValueError):
    """The source is there already, and is not what it is told to be; or it cannot be made so."""


class SourceBusy(RuntimeError):
    """Another import of this source is running."""


class LeaseLost(RuntimeError):
    """Another import has taken the source over: what this one did since its last batch is rolled back."""


@dataclass(frozen=True)
class Terms:
    """What a source is told to be. None: as it is, or for a new one what is usual."""

    kind: str | None = None
    mapping: dict | None = None
    channel: str | None = None
    granularity: str | None = None
    time_zone: str | None = None

    def told(self) -> dict:
        return {name: value for name, value in asdict(self).items() if value is not None}


@transaction.atomic
def get_source(name: str, *, by: str = "system:archive", terms: Terms | None = None) -> Source:
    """Return the source of this name; an unknown name is created by the terms, without any as a WeCom feed.

    Terms that a source which is there does not have are refused: what was read by the old ones would be read twice,
    otherwise. Raises BadSourceName, OtherTerms.
    """
    try:
        validate_slug(name)
    except ValidationError as error:
        raise BadSourceName(
            _("“%(name)s” is no name for a source: use letters, digits, - and _.") % {"name": name}
        ) from error
    if len(name) > Source._meta.get_field("name").max_length:
        raise BadSourceName(_("A source's name has at most 50 characters."))
    told = terms.told() if terms else {}
    source = Source.objects.filter(name=name).first()
    if source is None:
        source, made = Source.objects.get_or_create(name=name, defaults=_new(told))
        if made:
            body = {"source": name, "kind": source.kind, "time_zone": source.time_zone}
            extra = {key: getattr(source, key) for key in ("mapping", "channel", "granularity") if key in told}
            ledger.append(verb="archive.source_added", actor=by, subject="system:archive", body={**body, **extra})
    for what, value in told.items():
        if getattr(source, what) != value:
            raise OtherTerms(
                _("“%(name)s” is there already with another %(what)s: %(is)s. Leave it out, or begin a new source.")
                % {"name": name, "what": _WORDS[what], "is": json.dumps(getattr(source, what), ensure_ascii=False)}
            )
    return source


_WORDS = {
    "kind": gettext_lazy("kind"),
    "mapping": gettext_lazy("mapping"),
    "channel": gettext_lazy("channel"),
    "granularity": gettext_lazy("granularity"),
    "time_zone": gettext_lazy("time zone"),
}


def _new(told: dict) -> dict:
    """Return the columns of a new source. Raises OtherTerms."""
    _refuse_nonsense(told)
    found = dict(told)
    if told.get("granularity") == Source.Granularity.CONVERSATION:
        found["expected_latency_seconds"] = DAY_BATCH
    return found


def _refuse_nonsense(told: Mapping) -> None:
    """Raise OtherTerms for a kind, mapping, zone or channel that no source can have."""
    kind = told.get("kind", Source.Kind.WECOM)
    if kind not in Source.Kind.values:
        raise OtherTerms(_("There are these kinds of feed: %(kinds)s.") % {"kinds": ", ".join(Source.Kind.values)})
    try:
        check(kind, told.get("mapping", {}))
    except BadMapping as error:
        raise OtherTerms(str(error)) from error
    if told.get("time_zone", "UTC") not in available_timezones():
        raise OtherTerms(_("“%(zone)s” is no time zone.") % {"zone": told["time_zone"][:40]})
    if "channel" in told and channel_of(told["channel"], {}) != told["channel"]:
        raise OtherTerms(_("A channel's name has small letters, digits, - and _, at most 20."))


SETTINGS = (
    "kind",
    "channel",
    "time_zone",
    "expected_latency_seconds",
    "is_contiguous",
    "granularity",
    "mapping",
    "retired_on",
)
FIXED = ("kind", "channel", "granularity")  # once something was taken: what is stored was read and told apart by them
FREE = ("own_domains",)  # of a mapping: by the rest of it, what is stored was read and told apart too


class NotEmpty(ValueError):
    """What a source is cannot be changed any more once it has delivered."""


@transaction.atomic
def add_source(*, name: str, by: Employee, **settings_) -> Source:
    """Return a new source, with its Entry. ``settings_`` are some of SETTINGS. Raises BadSourceName, OtherTerms."""
    _refuse_nonsense(settings_)
    if Source.objects.filter(name=name).exists():
        raise BadSourceName(_("There is a source of this name already."))
    source = Source.objects.create(name=name, **settings_)
    body = {"source": name, **_as_told(source, SETTINGS)}
    ledger.append(verb="archive.source_added", actor=by.uid, subject="system:archive", body=body)
    return source


@transaction.atomic
def change_source(*, source: Source, by: Employee, **settings_) -> Source:
    """Change some of SETTINGS, with an Entry of what they were and are. Raises NotEmpty, OtherTerms.

    A source whose numbers are now known to skip has no holes to find: open findings about them are closed. Of very many
    the rest goes with the next delivery, or within the hour.
    """
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    changed = [name for name in SETTINGS if name in settings_ and getattr(source, name) != settings_[name]]
    if not changed:
        return source
    is_other = any(name in FIXED for name in changed) or (
        "mapping" in changed and _fixed_of(source.mapping) != _fixed_of(settings_["mapping"])
    )
    if is_other and has_delivered(source):
        raise NotEmpty(
            _("The source has delivered. What it is and how it is read cannot be changed any more: begin a new source.")
        )
    before = _as_told(source, changed)
    for name in changed:
        setattr(source, name, settings_[name])
    _refuse_nonsense({name: getattr(source, name) for name in SETTINGS})
    source.save(update_fields=changed)
    body = {"source": source.name, "before": before, "after": _as_told(source, changed)}
    ledger.append(verb="archive.source_changed", actor=by.uid, subject="system:archive", body=body)
    if "is_contiguous" in changed and source.is_contiguous:
        Hole.objects.filter(source=source).update(is_told=False)  # the next delivery tells of them
    elif "is_contiguous" in changed:
        carry_out([of_skipping(source, CLOSED_AT_ONCE)], by=by.uid, now=timezone.now())
    return source


def has_delivered(source: Source) -> bool:
    """Whether something was taken from the source, or is being read just now. What was set aside does not count."""
    taken = Q(stored__gt=0) | Q(duplicates__gt=0) | Q(conflicts__gt=0) | Q(ended_at=None)
    return source.imports.filter(taken).exists()


def _fixed_of(mapping: dict) -> dict:
    return {name: value for name, value in mapping.items() if name not in FREE}


def _as_told(source: Source, names: Iterable[str]) -> dict:
    told = {name: getattr(source, name) for name in names}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in told.items()}


def this_process() -> str:
    """Return a holder's name that says where it runs, so that a killed one is known to be gone."""
    return f"pid:{socket.gethostname()[:80]}:{os.getpid()}"


def hold(source: Source, holder: str, now: datetime) -> Source:
    """Take or renew the source for ``holder``, in the caller's transaction, and return it locked. Raises SourceBusy.

    Here and elsewhere without its key: who only points at a source, as a new finding does, need not wait.
    """
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    if source.held_by and source.held_by != holder and source.held_until > now and not _is_gone(source.held_by):
        raise SourceBusy(source.name)
    source.held_by, source.held_until = holder, now + LEASE
    source.save(update_fields=["held_by", "held_until"])
    return source


def lock_idle(source_id: int, now: datetime) -> Source:
    """Return the source locked, in the caller's transaction, if no import of it is running. Raises SourceBusy.

    For what is done in one transaction: it needs no hold that outlives it.
    """
    source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
    if source.held_by and source.held_until > now and not _is_gone(source.held_by):
        raise SourceBusy(source.name)
    return source


def renew(source_id: int, holder: str, now: datetime) -> Source:
    """Return the source locked if ``holder`` still has it. Raises LeaseLost."""
    source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
    if source.held_by != holder:
        raise LeaseLost(source.name)
    source.held_until = now + LEASE
    return source


def taken(source: Source, via: str, now: datetime) -> int | None:
    """Note on the locked source, not yet saved, that a delivery was taken in whole. Repaired lines are no delivery.

    Return how many seconds after the one before it came; None: it is the first, or none.
    """
    if via == Import.Via.REPAIR:
        return None
    before, source.last_pull_at = source.last_pull_at, max(source.last_pull_at or now, now)
    return None if before is None else min(int((source.last_pull_at - before).total_seconds()), 2**31 - 1)


def release(source_id: int, holder: str) -> None:
    Source.objects.filter(pk=source_id, held_by=holder).update(held_by="", held_until=None)


def _is_gone(holder: str) -> bool:
    """Return whether the holder was a process of this machine that is no more."""
    kind, _sep, rest = holder.partition(":")
    host, _sep, pid = rest.rpartition(":")
    if kind != "pid" or host != socket.gethostname()[:80] or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
