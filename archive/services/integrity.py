"""Whether the archive still is what was stored: every batch against its root, every root against the ledger.

A batch's leaves are its messages, the other copies of messages, and the tombstones of what was disposed of. The ledger
Entry of the batch holds the root; that of a disposal step holds the root over its tombstones, so that nothing can be
made to look disposed of. The Entry of a state file holds a digest over the copies that were kept with it. What the
ledger says is proved by verify_ledger and by its seals.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from archive import merkle
from archive.models import AnswerCopy, Batch, SeatCopy, Tombstone
from archive.rules import Opening
from archive.services import findings
from archive.services.copies import digest_of
from archive.services.holding import lock_sources
from archive.services.proving import leaves_of, stones_of
from archive.services.tombstones import leaf_of
from archive.services.turns import take_turn
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import rules as ledger_rules
from portal.ledger import services as ledger
from portal.ledger.models import Body, Entry, Verification

VERIFY = "archive.tasks.verify_archive"
IMPORTED, DISPOSED, VERIFIED = "archive.batch_imported", "archive.disposed", "archive.verified"
BATCHES, ENTRIES = 20, 500  # looked at in one step
STEPS = 20  # of disposals, looked at in one step
FAULTY_NAMED = 100  # batches that the Entry of a look names
STAGES = ("batches", "entries", "disposals", "copies")
STATE, ANSWERS = "archive.state_imported", 5  # Entries of state files looked at in one step
SYSTEM = "system:archive"


class Wrong(NamedTuple):
    code: str
    what: str


@dataclass(frozen=True)
class Fault:
    """Something that is not what was stored. ``key`` names the batch or the disposal step that it is about.

    ``code`` is one of FAULTS, by which a page says it in the reader's language; ``what`` is for the command line.
    """

    key: str
    code: str
    what: str
    about: dict
    source: int | None = None


@dataclass
class Look:
    """How far a verification has come, and what it has found."""

    stage: str = STAGES[0]
    after: int = 0
    batches: int = 0
    leaves: int = 0
    disposals: int = 0
    tombstones: int = 0
    faults: int = 0
    faulty: list[str] = field(default_factory=list)  # keys of the first faults
    upto: int = 0  # the last Entry when it began: what came later was not looked at for certain

    @property
    def is_over(self) -> bool:
        return self.stage not in STAGES


def verify(*, by: str, progress: Callable[[Look, list[Fault]], None] | None = None) -> Look:
    """Verify everything, opening a finding for each fault that is new. Each step is a transaction."""
    look = Look()
    while not look.is_over:
        found = verify_some(look, by=by)
        if progress:
            progress(look, found)
    return look


def verify_tonight() -> Job:
    """Start the verification of this day as a job; there is one a day."""
    return jobs.start(kind=VERIFY, key=f"{timezone.localdate()}")


def verify_step(job: Job) -> bool:
    """Do one step of the nightly verification. Return whether it has ended."""
    look = Look(**job.cursor)
    verify_some(look, by=SYSTEM)
    job.cursor = asdict(look)
    job.done, job.total = look.batches, job.total or Batch.objects.count()
    job.result = {name: value for name, value in asdict(look).items() if name not in ("stage", "after", "faulty")}
    return look.is_over


@transaction.atomic
def verify_some(look: Look, *, by: str) -> list[Fault]:
    """Verify the next piece, move ``look`` past it and return the faults found in it."""
    look.upto = look.upto or ledger.head_seq()
    faults = _STAGES[look.stage](look)
    look.faults += len(faults)
    look.faulty += [one.key for one in faults][: FAULTY_NAMED - len(look.faulty)]
    if faults:
        take_turn()
        findings.open_all((_opening(one) for one in faults), by=by)
    if look.is_over:
        names = ("batches", "leaves", "disposals", "tombstones", "faults", "faulty", "upto")
        body = {name: value for name, value in asdict(look).items() if name in names}
        ledger.append(verb=VERIFIED, actor=by, subject=SYSTEM, body=body)
    return faults


@dataclass(frozen=True)
class LastLook:
    """What the newest look that came to its end has found, and of which Entries it spoke."""

    at: datetime
    upto: int
    batches: int
    leaves: int
    disposals: int
    tombstones: int
    faults: int
    faulty: list[str]


def last_look() -> LastLook | None:
    entry = Entry.objects.filter(verb=VERIFIED).order_by("-seq").first()
    body = ledger.body_of(entry) if entry else None
    return LastLook(entry.at, **body) if body else None


def key_of(run: str, batch: int) -> str:
    """Return the key of a finding about a batch of an import."""
    return f"integrity:{run}:{batch}"


def _opening(fault: Fault) -> Opening:
    facts = {"fault": fault.code, "what": fault.what, **fault.about}
    return Opening("integrity", fault.key, None, fault.source, None, facts)


def _next_stage(look: Look) -> None:
    at = STAGES.index(look.stage) + 1
    look.stage, look.after = (STAGES[at] if at < len(STAGES) else "over"), 0


# --- batches -----------------------------------------------------------------------------------------------------


def _verify_batches(look: Look) -> list[Fault]:
    """Each batch that is there: its leaves, its root, its Entry."""
    batches = list(_batches().filter(pk__gt=look.after).order_by("pk")[:BATCHES])
    if not batches:
        _next_stage(look)
        return []
    suspects = {batch.pk for batch, wrong in _compared(batches) if wrong}
    faults = []
    if suspects:  # an import or a disposal may have been between two of the queries: look again while none can be
        lock_sources()
        again = list(_batches().filter(pk__in=suspects).order_by("pk"))
        faults = [_fault_of_batch(batch, wrong) for batch, wrong in _compared(again) if wrong]
    look.after = batches[-1].pk
    look.batches += len(batches)
    look.leaves += sum(batch.count for batch in batches)
    return faults


def _batches() -> QuerySet[Batch]:
    return Batch.objects.select_related("run", "run__source")


def _fault_of_batch(batch: Batch, wrong: Wrong) -> Fault:
    about = {"import": batch.run.uid, "batch": batch.number, "entry": batch.entry_seq}
    return Fault(key_of(batch.run.uid, batch.number), *wrong, about, batch.run.source_id)


def _compared(batches: list[Batch]) -> Iterable[tuple[Batch, Wrong | None]]:
    """Yield each batch with what is wrong with it. Five queries."""
    leaves, entries = leaves_of(batch.pk for batch in batches), _Entries.of(batch.entry_seq for batch in batches)
    for batch in batches:
        yield batch, _wrong_with(batch, leaves[batch.pk], entries)


def _wrong_with(batch: Batch, leaves: list[tuple[int, bytes]], entries: "_Entries") -> Wrong | None:
    ordered = sorted(leaves)
    if [leaf for leaf, _fingerprint in ordered] != list(range(batch.count)):
        return Wrong("leaves", f"{len(ordered)} leaves where {batch.count} were stored, or one is there twice")
    root = merkle.root([fingerprint for _leaf, fingerprint in ordered])
    if root != bytes(batch.root):
        return Wrong("root", "its messages do not give its root")
    body, wrong = entries.body(batch.entry_seq, IMPORTED)
    if body is None:
        return wrong
    told = {
        "import": batch.run.uid,
        "feed": batch.run.digest,
        "batch": batch.number,
        "lines": [batch.first_line, batch.last_line],
        "count": batch.count,
        "root": root.hex(),
    }
    differing = sorted(name for name, value in told.items() if body.get(name) != value)
    return Wrong("differs", f"the ledger says otherwise of {', '.join(differing)}") if differing else None


@dataclass
class _Entries:
    """Some Entries with their Bodies, each looked at for being what was written."""

    entries: dict[int, Entry] = field(default_factory=dict)
    bodies: dict[int, Body] = field(default_factory=dict)

    @classmethod
    def of(cls, seqs: Iterable[int]) -> "_Entries":
        wanted = list(seqs)
        return cls(Entry.objects.in_bulk(wanted), Body.objects.in_bulk(wanted))

    def body(self, seq: int, verb: str) -> tuple[dict | None, Wrong | None]:
        """Return (what the Entry says, None), or (None, what is wrong with it)."""
        entry, body = self.entries.get(seq), self.bodies.get(seq)
        if entry is None or entry.verb != verb:
            return None, Wrong("no_entry", f"no Entry {seq} speaks of it")
        names = ("seq", "at", "verb", "actor", "subject", "v")
        fields = {name: getattr(entry, name) for name in names}
        told = {"commitment": bytes(entry.commitment), "prev": bytes(entry.prev)}
        if fields["v"] != ledger_rules.VERSION or ledger_rules.entry_digest(**fields, **told) != bytes(entry.digest):
            return None, Wrong("entry", f"Entry {seq} was changed")
        if body is None:
            return None, Wrong("body_gone", f"what Entry {seq} says is gone")
        if ledger_rules.commitment(bytes(body.salt), bytes(body.content)) != bytes(entry.commitment):
            return None, Wrong("body", f"what Entry {seq} says was changed")
        return json.loads(bytes(body.content)), None


# --- what the ledger knows, and is not there -------------------------------------------------------------------------


def _verify_entries(look: Look) -> list[Fault]:
    """Each Entry of a batch: the batch is there."""
    seqs = _entries_after(look, IMPORTED, ENTRIES)
    if not seqs:
        _next_stage(look)
        return []
    present = set(Batch.objects.filter(entry_seq__in=seqs).values_list("entry_seq", flat=True))
    look.after = seqs[-1]
    return [
        Fault(f"integrity:entry:{seq}", "batch_gone", "a batch that the ledger speaks of is gone", {"entry": seq})
        for seq in seqs
        if seq not in present
    ]


def _entries_after(look: Look, verb: str, limit: int) -> list[int]:
    rows = Entry.objects.filter(verb=verb, seq__gt=look.after).order_by("seq")
    return list(rows.values_list("seq", flat=True)[:limit])


# --- disposals -------------------------------------------------------------------------------------------------------


def _verify_disposals(look: Look) -> list[Fault]:
    """Each step of a disposal: its tombstones are those of its Entry; in the end, that there are no others."""
    seqs = _entries_after(look, DISPOSED, STEPS)
    if not seqs:
        lock_sources()  # from here on no step can come between
        seqs = _entries_after(look, DISPOSED, STEPS)
    if not seqs:
        _next_stage(look)
        count = Tombstone.objects.count()
        if count == look.tombstones:
            return []
        about = {"tombstones": count, "disposed": look.tombstones}
        what = "tombstones that no disposal made, or lost ones"
        return [Fault(f"integrity:tombstones:{count}", "tombstones", what, about)]
    faults, entries, stones = [], _Entries.of(seqs), stones_of(seqs)
    for seq in seqs:
        body, wrong = entries.body(seq, DISPOSED)
        leaves = [leaf_of(root_in, stone) for root_in, stone in stones[seq]]
        if body and (len(leaves), merkle.root(leaves).hex()) != (body["count"], body["root"]):
            wrong = Wrong("step", "its tombstones are not those that the disposal left")
        if wrong:
            faults.append(Fault(f"integrity:disposal:{seq}", *wrong, {"entry": seq}))
        look.tombstones += len(leaves)
    look.after = seqs[-1]
    look.disposals += len(seqs)
    return faults


# --- dated copies of seats and consent -------------------------------------------------------------------------------


def _verify_copies(look: Look) -> list[Fault]:
    """Each Entry of a state file: the copies that were kept with it, and no others, are what was delivered."""
    seqs = _entries_after(look, STATE, ANSWERS)
    if not seqs:
        _next_stage(look)
        known = Entry.objects.filter(verb=STATE).values("seq")
        stray = AnswerCopy.objects.exclude(entry_seq__in=known).order_by("pk").first()
        what = "a copy that no Entry speaks of"
        return [Fault(f"integrity:copy:{stray.pk}", "copies", what, {"copy": stray.pk})] if stray else []
    faults, entries = [], _Entries.of(seqs)
    for seq in seqs:
        body, wrong = entries.body(seq, STATE)
        if body and not (_answers_hold(seq, body) and _seats_hold(body)):
            wrong = Wrong("copies", "its copies of seats and consent are not those that were kept")
        if wrong:
            faults.append(Fault(f"integrity:copies:{seq}", *wrong, {"entry": seq}))
    look.after = seqs[-1]
    return faults


def _answers_hold(seq: int, body: dict) -> bool:
    kept = list(AnswerCopy.objects.filter(entry_seq=seq).defer("answer").order_by("pk"))
    answers = AnswerCopy.objects.filter(entry_seq=seq).order_by("pk").values_list("digest", "answer")
    are_whole = all(
        hashlib.sha256(text.encode()).hexdigest() == digest for digest, text in answers.iterator(chunk_size=20)
    )
    return are_whole and (digest_of(kept) if kept else None) == body.get("digest")


def _seats_hold(body: dict) -> bool:
    if not body["seats"]:
        return True
    copy = SeatCopy.objects.filter(source__name=body["source"], taken_at=parse_datetime(body["taken_at"])).first()
    handles = sorted(copy.seats.values_list("handle_folded", flat=True)) if copy else []
    return copy is not None and body["seats"] == copy.digest == hashlib.sha256("\n".join(handles).encode()).hexdigest()


# --- the evidence log itself -----------------------------------------------------------------------------------------


def judge_log(*, by: str, now: datetime) -> None:
    """Open a finding where the newest verification of the evidence log found an Entry or a Seal that is not sound."""
    last = Verification.objects.order_by("ended_at", "pk").last()
    if last is None or last.is_sound:
        return
    about = {"entry": last.fault_seq, "log": last.fault_code}
    what = f"Entry {last.fault_seq} of the evidence log does not verify: {last.fault_code}"
    fault = Fault(f"integrity:log:{last.fault_seq}:{last.fault_code}", "log", what, about)
    findings.open_all([_opening(fault)], by=by, now=now)


_STAGES = {
    "batches": _verify_batches,
    "entries": _verify_entries,
    "disposals": _verify_disposals,
    "copies": _verify_copies,
}
