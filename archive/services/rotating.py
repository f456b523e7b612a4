"""Sealing anew with the newest key what older keys sealed, so that an old key can be thrown away."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import models, transaction

from archive import sealing
from archive.models import MessageText, SetAside
from portal.ledger import services as ledger

CHUNK = 500


@dataclass
class Rotated:
    """How much was sealed anew, and what could not be opened, by the key it would need."""

    texts: int = 0
    lines: int = 0
    lost: Counter = field(default_factory=Counter)


def rotate_keys(*, by: str, progress: Callable[[Rotated], None] | None = None) -> Rotated:
    """Seal everything with the newest key. Each chunk is a transaction with its Entry, so a run may be cut off.

    What is sealed with a key that is gone is left as it is and counted in ``lost``.
    """
    done = Rotated()
    for model, name in ((MessageText, "texts"), (SetAside, "lines")):
        after: int | None = 0
        while (after := _some(model, name, after, done, by)) is not None:
            if progress:
                progress(done)
    return done


@transaction.atomic
def _some(model: type[models.Model], name: str, after: int, done: Rotated, by: str) -> int | None:
    """Seal the next chunk anew. Return the last row's primary key, None when nothing is left."""
    old = model.objects.exclude(key_id__in=["", sealing.newest()]).filter(pk__gt=after)
    rows = list(old.select_for_update().order_by("pk")[:CHUNK])
    sealed_anew, was = [], Counter()
    for row in rows:
        try:
            words = sealing.unseal(row.sealed, row.key_id)
        except sealing.KeyMissing:
            done.lost[row.key_id] += 1
            continue
        was[row.key_id] += 1
        row.sealed, row.key_id = sealing.seal(words)
        sealed_anew.append(row)
    if sealed_anew:
        model.objects.bulk_update(sealed_anew, ["sealed", "key_id"], batch_size=100)
        setattr(done, name, getattr(done, name) + len(sealed_anew))
        body = {"what": name, "from": dict(was), "to": sealing.newest()}
        ledger.append(verb="archive.keys_rotated", actor=by, subject="system:archive", body=body)
    return rows[-1].pk if rows else None
