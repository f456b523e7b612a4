"""Whether a person's month is sealed in the evidence log, and whether anybody has looked since that it still is so."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from archive.models import Batch, Delivery, Message, Participant
from archive.services.integrity import FAULTY_NAMED, key_of, last_look
from portal.ledger.models import Seal, Verification


@dataclass(frozen=True)
class Sealed:
    """``seal``: number of the first seal over all of it, None while it is too new for one.

    ``is_sound``: what the newest looks at the archive and at the evidence log found of it; None: they were before it.
    """

    seal: int | None
    sealed_at: datetime | None
    is_sound: bool | None
    looked_at: datetime | None


NOTHING = Sealed(None, None, None, None)


def sealed(theirs: QuerySet[Participant], *, record_entry: int | None) -> Sealed:
    """Return it for the messages these people took part in and the Entry of their record. Five queries."""
    messages = theirs.values("message")
    mine = Q(pk__in=Message.objects.filter(pk__in=messages).values("batch"))
    mine |= Q(pk__in=Delivery.objects.filter(message__in=messages).values("batch"))
    batches = list(Batch.objects.filter(mine).values_list("run__uid", "number", "entry_seq"))
    newest = max([*(seq for _run, _number, seq in batches), record_entry or 0], default=0)
    if not newest:
        return NOTHING
    seal = Seal.objects.filter(size__gte=newest).order_by("size", "number").first()
    is_sound, looked_at = _looked({key_of(run, number) for run, number, _seq in batches}, newest)
    return Sealed(seal.number if seal else None, seal.at if seal else None, is_sound, looked_at)


def _looked(keys: set[str], newest: int) -> tuple[bool | None, datetime | None]:
    """Return (whether both looks found it sound, when the elder of them was over)."""
    archive, log = last_look(), Verification.objects.order_by("ended_at", "pk").last()
    if archive is None or log is None or min(archive.upto, log.upto if log.is_sound else newest) < newest:
        return None, None
    at = min(archive.at, log.ended_at)
    is_listed = archive.faults <= FAULTY_NAMED  # beyond that many faults not all of them are named
    is_sound = log.is_sound and (archive.faults == 0 or (is_listed and keys.isdisjoint(archive.faulty)))
    return is_sound, at
