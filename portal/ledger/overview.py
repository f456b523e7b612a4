"""What the page and the health report say about the log. A handful of queries, however long the log is."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from portal.ledger import keys, sealing, watching
from portal.ledger.appending import head_seq
from portal.ledger.delivery import places
from portal.ledger.findings import others, words
from portal.ledger.models import Body, Delivery, Disposal, Entry, Key, Seal, Verification

SHOWN = 8  # deliveries and verifications on the page
STALE = timedelta(hours=30)  # a full verification that is older than this has been missed


@dataclass(frozen=True)
class ShownKey:
    text: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class ShownVerification:
    """``fault``: the first that was found; ``others``: what was found besides."""

    row: Verification
    fault: str
    others: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ShownEntry:
    """``order`` is the Entry that disposed of what this one said, ``rule`` what it says about the reason."""

    seq: int
    row: Entry | None
    seal: Seal | None = None
    order: Entry | None = None
    rule: dict = field(default_factory=dict)


def state() -> dict:
    """Return what the page shows of the whole log."""
    newest, head = sealing.newest(), head_seq()
    return {
        "head": head,
        "seal": newest,
        "unsealed": head - newest.size if newest else head,
        "next_at": max(newest.at + sealing.EVERY, timezone.now()) if newest else None,
        "places": [place.label for place in places()],
        "keeps": any(place != Delivery.Place.TIMESTAMP for place in places()),
        "troubles": [one.words for one in watching.troubles(timezone.now())],
        "deliveries": Delivery.objects.select_related("seal").order_by("-seal_id", "place")[:SHOWN],
        "late": Delivery.objects.filter(delivered_at=None, attempts__gt=0).count(),
        "full": _shown(Verification.objects.filter(is_full=True).order_by("ended_at").last()),
        "last": _shown(Verification.objects.order_by("ended_at").last()),
        "keys": _keys(),
    }


def entry(seq: int) -> ShownEntry:
    row = Entry.objects.filter(seq=seq).first()
    if row is None:
        return ShownEntry(seq, None)
    seal = Seal.objects.filter(size__gte=seq).order_by("size", "number").first()
    disposal = Disposal.objects.filter(seq=seq).select_related("ordered_by__body").first()
    if disposal is None:
        return ShownEntry(seq, row, seal)
    body = Body.objects.filter(entry=disposal.ordered_by_id).first()
    rule = json.loads(bytes(body.content)) if body else {}
    return ShownEntry(seq, row, seal, disposal.ordered_by, rule)


def health() -> str:
    """Return one word for those who watch the site: sound, unsound, stale, or unverified."""
    last = Verification.objects.order_by("ended_at", "pk").last()
    if last is None:
        return "unverified"
    if not last.is_sound:
        return "unsound"
    full = Verification.objects.filter(is_full=True).order_by("ended_at").last()
    return "sound" if full and timezone.now() - full.ended_at < STALE else "stale"


def sealing_health() -> str:
    """Return one word on seals: sound, or what has stopped: sealing, sending, gone, unreachable."""
    found = watching.troubles(timezone.now())
    return found[0].code if found else "sound"


def _keys() -> list[ShownKey]:
    rows = list(Key.objects.order_by("number"))
    ends = [row.since for row in rows[1:]] + [None]
    return [ShownKey(str(keys.public_key(row)), row.since, end) for row, end in zip(rows, ends, strict=False)][::-1]


def _shown(row: Verification | None) -> ShownVerification | None:
    if row is None:
        return None
    fault = "" if row.is_sound else words(row.fault_code, row.fault_detail)
    return ShownVerification(row, fault, others(row.fault_detail), [words(note["code"], note) for note in row.notes])
