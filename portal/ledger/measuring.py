"""What the log costs, measured on the log that is here; nothing is left behind."""

import statistics
import time

from django.db import transaction

from portal.ledger import proofs, sealing, verifying
from portal.ledger.appending import append
from portal.ledger.models import Entry

# About as much as a completed module says.
BODY = {"before": None, "after": {"course": "wechat-archiving", "module": 3, "score": 90, "passed": True}, "reason": ""}


def figures(*, appends: int = 500) -> dict[str, float | int]:
    """Return: ms that one Entry adds to a transaction (median), Entries verified a second of one core, ms a proof."""
    return {
        "append_ms": round(_append_ms(appends), 3),
        "proof_ms": round(_proof_ms(), 1),
        "entries": Entry.objects.count(),
        "verified_per_cpu_second": _verified_per_cpu_second(),
    }


def _append_ms(count: int) -> float:
    times = []
    with transaction.atomic():
        for _ in range(count):
            began = time.perf_counter()
            append(verb="ledger.measured", actor="system:bench", subject="0" * 32, body=BODY)
            times.append((time.perf_counter() - began) * 1000)
        transaction.set_rollback(True)
    return statistics.median(times)


def _proof_ms() -> float:
    """0 while nothing is sealed."""
    seal = sealing.newest()
    if seal is None:
        return 0.0
    entry = Entry.objects.get(seq=seal.size // 2 + 1)
    began = time.perf_counter()
    proofs.of_entry(entry=entry, seal=seal)
    return (time.perf_counter() - began) * 1000


def _verified_per_cpu_second() -> int:
    """The best of three full verifications; of processor time, so that others on the machine do not count."""
    pace = 0.0
    for _ in range(3):
        began = time.process_time()
        walk = verifying.verify()
        pace = max(pace, (walk.seq - walk.after) / max(time.process_time() - began, 1e-9))
    return round(pace)
