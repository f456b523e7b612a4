"""The monthly random sample of captured messages for supervisory review, drawn so that anybody can draw it again."""

import hashlib
import heapq
import secrets
from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import calendars, policy
from archive.models import Message, Participant, Sample, SampleItem
from archive.services.casework import AlreadyDecided, ReasonMissing
from portal.ledger import services as ledger
from portal.people.models import Employee


def rank(seed: str, fingerprint: bytes) -> bytes:
    """Return by what messages are ordered for a drawing: SHA-256 of the seed and the message's fingerprint."""
    return hashlib.sha256(bytes.fromhex(seed) + fingerprint).digest()


def draw_sample(*, month: date, by: str, seed: str = "") -> Sample | None:
    """Draw the month's sample, or return the one there is; None for a month without messages.

    Reads the fingerprints of the month once. The seed is random and written down, so that nobody can foresee what will
    be looked at and everybody can check afterwards what was drawn.
    """
    known = Sample.objects.filter(month=month).first()
    if known:
        return known
    terms, seed = policy.current(), seed or secrets.token_hex(32)
    population = 0

    def ranked() -> Iterator[tuple[bytes, int, bytes]]:
        nonlocal population
        for pk, fingerprint in _of_month(month):
            population += 1
            yield rank(seed, bytes(fingerprint)), pk, bytes(fingerprint)

    drawn = heapq.nsmallest(terms.sample_size, ranked())
    return _keep(month, seed, drawn, population, terms, by) if drawn else None


def draw_due(*, by: str, now: datetime) -> int:
    """Draw the samples of the months that have become final lately. Return how many were new."""
    today, drawn = timezone.localdate(now), 0
    for month in calendars.months_before(calendars.month_of(today), LATELY):
        if calendars.is_final(month, today) and not Sample.objects.filter(month=month).exists():
            drawn += draw_sample(month=month, by=by) is not None
    return drawn


LATELY = 3  # months


def _of_month(month: date) -> Iterator[tuple[int, bytes]]:
    begins, ends = calendars.month_bounds(month, timezone.get_default_timezone())
    theirs = Participant.objects.filter(
        employee__isnull=False, sent_at__gte=begins, sent_at__lt=ends, message=OuterRef("pk")
    )
    rows = Message.objects.content().filter(sent_at__gte=begins, sent_at__lt=ends).filter(Exists(theirs))
    return rows.values_list("pk", "fingerprint").iterator(chunk_size=5000)


@transaction.atomic
def _keep(month: date, seed: str, drawn: list, population: int, terms: policy.Policy, by: str) -> Sample:
    body = {
        "month": month.isoformat(),
        "seed": seed,
        "size": terms.sample_size,
        "population": population,
        "policy": terms.version,
        "fingerprints": [fingerprint.hex() for _rank, _pk, fingerprint in drawn],
    }
    sample, made = Sample.objects.get_or_create(
        month=month,
        defaults={
            "seed": seed,
            "size": terms.sample_size,
            "population": population,
            "policy_version": terms.version,
            "drawn_at": timezone.now(),
            "entry_seq": 0,
        },
    )
    if not made:
        return sample
    SampleItem.objects.bulk_create(
        [
            SampleItem(sample=sample, number=number, message_id=pk, fingerprint=fingerprint)
            for number, (_rank, pk, fingerprint) in enumerate(drawn, start=1)
        ]
    )
    sample.entry_seq = ledger.append(verb="archive.sample_drawn", actor=by, subject="system:archive", body=body).seq
    sample.save(update_fields=["entry_seq"])
    return sample


@transaction.atomic
def review_item(*, item: SampleItem, result: str, action: str, reviewer: Employee) -> SampleItem:
    """Write down who looked at a message of a sample, when, and what was done. Raises AlreadyDecided, ReasonMissing."""
    if result not in SampleItem.Result:
        raise ValueError(result)
    if result != SampleItem.Result.FINE and not action.strip():
        raise ReasonMissing(_("Say what was done about it."))
    item = SampleItem.objects.select_for_update(of=("self",)).select_related("sample").get(pk=item.pk)
    if item.reviewer_id is not None:
        raise AlreadyDecided(item.get_result_display())
    item.reviewer, item.reviewed_at = reviewer, timezone.now()
    item.result, item.action = result, action.strip()[:500]
    body = {
        "sample": item.sample.month.isoformat(),
        "number": item.number,
        "fingerprint": bytes(item.fingerprint).hex(),
        "result": result,
        "action": item.action,
    }
    item.entry_seq = ledger.append(
        verb="archive.sample_reviewed", actor=reviewer.uid, subject="system:archive", body=body
    ).seq
    item.save()
    return item
