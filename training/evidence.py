"""What a certificate carries besides what it prints: how it was earned, and where the evidence log knows it.

It goes to whoever is shown the certificate, so it holds results and moments, never answers.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.ledger.rules import canonical, timestamp
from training.models import Completion

FORMAT = "onchannel-certificate/1"


def of(completion: Completion, issued_at: datetime) -> dict[str, Any]:
    """Return the evidence of a completion as of now. Frozen when the certificate is issued. Four queries."""
    edition = completion.edition
    results = completion.assignment.module_results.select_related("module").order_by("module__position")
    return {
        "issued_at": timestamp(issued_at),
        "course": {"slug": edition.course.slug, "edition": edition.number, "fingerprint": edition.fingerprint},
        "completion": {
            "cycle": completion.assignment.cycle,
            "completed_at": timestamp(completion.completed_at),
            "percent": completion.percent,
            "pass_percent": edition.pass_percent,
            "study_seconds": completion.study_seconds,
        },
        "modules": [
            {
                "slug": result.module.slug,
                "title": result.module.title,
                "percent": result.percent,
                "passed_at": timestamp(result.passed_at),
            }
            for result in results
        ],
        "log": _log(completion),
    }


def _log(completion: Completion) -> dict[str, Any]:
    """Return the Entry of the completion, and the newest Seal: what came before it cannot be changed unseen."""
    entries = Entry.objects.filter(verb="training.completed", subject=completion.employee.uid)
    entry = entries.filter(at__gte=completion.completed_at).order_by("seq").first()
    seal = ledger.newest()
    return {
        "entry": {"seq": entry.seq, "digest": bytes(entry.digest).hex()} if entry else None,
        "seal": {
            "origin": settings.LEDGER_ORIGIN,
            "size": seal.size,
            "root": b64encode(bytes(seal.root)).decode(),
            "at": timestamp(seal.at),
        }
        if seal
        else None,
    }


def attached(serial: str, facts: Mapping[str, Any], evidence: Mapping[str, Any]) -> bytes:
    """Return the bytes of evidence.json: canonical JSON, as the evidence log writes it."""
    return canonical({"format": FORMAT, "serial": serial, "facts": dict(facts), "evidence": dict(evidence)})


def digest(serial: str, facts: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    return hashlib.sha256(attached(serial, facts, evidence)).hexdigest()
