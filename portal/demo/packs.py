"""What an evidence pack of the demo firm costs: to make it, and a stranger to check it. Nothing is left behind."""

import subprocess
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from portal.demo import measuring
from portal.evidence import check_pack, making, services
from portal.evidence.models import Pack
from portal.evidence.workshop import Workshop
from portal.jobs import services as jobs
from portal.people.models import Employee


def measure() -> list[dict]:
    """Return for each scope: seconds, processor seconds and peak memory of making it, what is in it, and its check."""
    return [{"scope": scope.value, **_costs(scope)} for scope in Pack.Scope]


def _costs(scope: Pack.Scope) -> dict:
    cost = asdict(measuring.measured(partial(_made, scope)))
    return {name: round(value, 2) for name, value in cost.items() if name != "told"} | cost["told"]


def _made(scope: Pack.Scope) -> measuring.Cost:
    """Make a pack as compliance, in a transaction that is rolled back."""
    compliance, auditor, somebody = (
        Employee.objects.get(email=f"{name}@example.com") for name in ("compliance", "auditor", "finished")
    )
    about = {
        Pack.Scope.PERSON: {"person": somebody},
        Pack.Scope.DEPARTMENT: {"department": somebody.department},
        Pack.Scope.FIRM: {},
    }[scope]
    with transaction.atomic():
        pack = services.ask(scope=scope, day=timezone.localdate(), reason="measured", by=compliance, **about)
        if pack.needs_approval:
            pack = services.decide(pack=pack, approve=True, reason="", by=auditor)
        began, cpu = time.perf_counter(), time.process_time()
        jobs.work(pack.job_id, making.step, prepare=making.ahead)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        pack.refresh_from_db()
        told = {name: pack.figures[name] for name in ("people", "entries", "rows")} | {"kb": pack.size // 1024}
        told |= {"check_seconds": _checked(Path(default_storage.path(pack.file.name)))}
        default_storage.delete(pack.file.name)
        Workshop(pack.uid).clear()
        transaction.set_rollback(True)
    return measuring.Cost(seconds, cpu_seconds, 0, told)


def _checked(file: Path) -> float:
    """Return how long the checker takes. Raises CalledProcessError if it does not find that all holds."""
    began = time.perf_counter()
    command = [sys.executable, "-I", "-S", check_pack.__file__, str(file)]
    subprocess.run(command, check=True, env={}, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    return round(time.perf_counter() - began, 2)
