"""Lines that were set aside: read by a person, repaired, and read again."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import sealing
from archive.models import Delivery, Import, Message, SetAside, Source
from archive.services import casework, feeds, taking
from archive.services.holes import AlreadySettled
from archive.sources.base import KEPT_OF_ASIDE, Aside
from portal.ledger import services as ledger
from portal.people.models import Employee

REASON_LIMIT = 500  # characters


class StillBroken(ValueError):
    """A line still cannot be read. ``lines`` are (number, reason) of each, reasons as SetAside has them."""

    def __init__(self, lines: list[tuple[int, str]]) -> None:
        super().__init__(lines)
        self.lines = lines


class NothingToRead(ValueError):
    """There is no line in it."""


class NotWhole(ValueError):
    """Of a long line only the beginning was kept: it can be repaired only from where it came."""


class AlreadyRepaired(RuntimeError):
    """It was read again before."""


@transaction.atomic
def settle_aside(*, aside: SetAside, decision: str, reason: str, by: Employee) -> None:
    """Write down what a line that was set aside is: here by another line, no record, or lost. It stays as it came.

    Raises ValueError, casework.ReasonMissing, AlreadySettled.
    """
    if decision not in SetAside.Settled.values:
        raise ValueError(decision)
    if not reason.strip():
        raise casework.ReasonMissing(_("Say how you know: without a reason nobody can check it."))
    run = Import.objects.select_for_update(of=("self",)).get(pk=aside.run_id)
    aside = SetAside.objects.select_for_update(of=("self",)).get(pk=aside.pk)
    if aside.settled_as or aside.repaired_by_id:
        raise AlreadySettled(_("This line was settled before."))
    aside.settled_as, aside.settled_by, aside.settled_at = decision, by, timezone.now()
    aside.settled_why = reason.strip()[:REASON_LIMIT]
    aside.save(update_fields=["settled_as", "settled_by", "settled_at", "settled_why"])
    _count_settled(run.pk)
    body = {"import": run.uid, "line": aside.line_no, "digest": aside.digest, "as": decision}
    ledger.append(
        verb="archive.aside_settled",
        actor=by.uid,
        subject="system:archive",
        body={**body, "reason": aside.settled_why},
    )


def _count_settled(run: int) -> None:
    Import.objects.filter(pk=run).update(asides_settled=F("asides_settled") + 1)


def numbers_here(source: Source, numbers: Collection[int]) -> set[int]:
    """Return those of the numbers that are present in the source: a line that carries one is likely a worse copy."""
    if not numbers:
        return set()
    rows = (model.objects.filter(source=source, seq__among=numbers) for model in (Message, Delivery))
    return {seq for found in rows for seq in found.values_list("seq", flat=True)}


@transaction.atomic
def read_aside(*, aside: SetAside, reason: str, by: str) -> bytes:
    """Return the bytes of a line that was set aside. They may be a client's words, so who reads says why.

    The reading is an Entry. Raises casework.ReasonMissing, sealing.KeyMissing.
    """
    if not reason.strip():
        raise casework.ReasonMissing(_("Say why you need to read the line."))
    body = {"import": aside.run.uid, "line": aside.line_no, "reason": reason.strip()[:REASON_LIMIT]}
    ledger.append(verb="archive.aside_read", actor=by, subject="system:archive", body=body)
    return sealing.unseal(aside.sealed, aside.key_id)


def is_whole(aside: SetAside) -> bool:
    """Whether all bytes of the line are kept: what was kept of a longer one is its beginning."""
    return aside.sealed is not None and aside.length <= KEPT_OF_ASIDE


def read_again(*, aside: SetAside, by: Employee) -> Import:
    """Read the line once more as it is: a newer version may understand it. Raises what ``repair`` does, NotWhole."""
    if not is_whole(aside):
        raise NotWhole(_("Only the beginning of this line was kept. Upload it repaired."))
    raw = sealing.unseal(aside.sealed, aside.key_id)
    return _read_instead(aside, raw, as_it_is=True, by=by)


def repair(*, aside: SetAside, raw: bytes, by: Employee) -> Import:
    """Read ``raw`` in place of the line: one repaired line, or several where it held several. All, or nothing.

    Raises StillBroken, NothingToRead, AlreadyRepaired, taking.TooMuch, feeds.SourceBusy.
    """
    return _read_instead(aside, raw, as_it_is=False, by=by)


def _read_instead(aside: SetAside, raw: bytes, *, as_it_is: bool, by: Employee) -> Import:
    items = taking.read(aside.run.source, raw)
    if not items:
        raise NothingToRead(_("There is no line in it."))
    if broken := [(one.place.line, one.reason) for one in items if isinstance(one, Aside)]:
        raise StillBroken(broken)
    with transaction.atomic():
        now = timezone.now()
        source = feeds.lock_idle(aside.run.source_id, now)
        aside = SetAside.objects.select_for_update(of=("self",)).select_related("run").get(pk=aside.pk)
        if aside.repaired_by_id:
            raise AlreadyRepaired(_("This line was repaired before."))
        run, _answers = taking.take(
            source,
            items,
            raw=raw,
            via=Import.Via.REPAIR,
            label=f"{aside.run.label[-230:]} #{aside.line_no}",
            by=by.uid,
            now=now,
            started_by=by,
        )
        aside.repaired_by = run
        aside.save(update_fields=["repaired_by"])
        if not aside.settled_as:
            _count_settled(aside.run_id)
        body = {"import": aside.run.uid, "line": aside.line_no, "before": aside.digest, "after": run.digest}
        body |= {"as_it_is": as_it_is, "repaired_by": run.uid}
        ledger.append(verb="archive.aside_repaired", actor=by.uid, subject="system:archive", body=body)
    return run
