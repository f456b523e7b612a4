"""Do the certificates agree with the Entries that tell of them? Asked by every verification of the evidence log."""

import json
from collections.abc import Iterator

from portal.ledger.checks import Disagreement
from portal.ledger.models import Body
from training import evidence
from training.models import Certificate

CHUNK = 500
ISSUED, SIGNED = "training.certificate_issued", "training.certificate_signed"
REVOKED, REPLACED = "training.certificate_revoked", "training.certificate_replaced"


def certificates_agree(*, after: int, upto: int) -> Iterator[Disagreement]:
    """Each certificate says what was issued, has the file that was signed, and became what the log says it became."""
    bodies = Body.objects.filter(entry__gt=after, entry__lte=upto, entry__verb__in=(ISSUED, SIGNED, REVOKED, REPLACED))
    last = after
    while chunk := list(bodies.filter(entry__gt=last).select_related("entry").order_by("entry")[:CHUNK]):
        last = chunk[-1].entry_id
        said = [(body.entry, _read(body)) for body in chunk]
        rows = Certificate.objects.select_related("superseded_by").in_bulk(
            {told.get("serial", "") for _entry, told in said}, field_name="serial"
        )
        for entry, told in said:
            if wrong := _wrong(entry.verb, told, rows.get(told.get("serial", ""))):
                yield Disagreement(entry.seq, wrong)


def _read(body: Body) -> dict:
    try:
        return json.loads(bytes(body.content))
    except ValueError:
        return {}


def _wrong(verb: str, told: dict, row: Certificate | None) -> str | None:
    """Return what does not agree; None if all does. Entries from before there was evidence hold no digest of it."""
    if row is None:
        return "the certificate that it tells of is not there"
    if verb == ISSUED and row.facts != told["facts"]:
        return "the certificate says something else than was issued"
    if verb == ISSUED and told.get("evidence") not in (None, evidence.digest(row.serial, row.facts, row.evidence)):
        return "the certificate's evidence is another than was issued"
    if verb == SIGNED and row.sha256 != told["sha256"]:
        return "the certificate's file is another than was signed"
    if verb == REVOKED and (row.revoked_at is None or row.revoked_why != told["reason"]):
        return "the certificate is not revoked as it says"
    if verb == REPLACED and (row.superseded_by is None or row.superseded_by.serial != told["replaced_by"]):
        return "the certificate is not replaced as it says"
    return None
