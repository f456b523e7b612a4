"""Making a pack, step by step, by a worker that may be killed at any time.

scope -> people, some at a time -> what they share -> proof -> summary -> one ZIP. What takes long happens outside of
the step's transaction, in files; the step commits how far they are good. The same request gives the same bytes: nothing
in a pack says when it was made, by whom or for whom.
"""

from collections.abc import Iterator
from time import monotonic

from django.db import transaction
from django.utils import timezone

from portal.evidence import bundle, captured, entries, proving, rows, scope, summary
from portal.evidence.models import Pack
from portal.evidence.papers import questions
from portal.evidence.rows import Part, part_of
from portal.evidence.sections import EDITIONS
from portal.evidence.workshop import ENTRIES, PAPERS, QUESTIONS, Lost, Workshop, lines
from portal.jobs.models import Job
from portal.ledger import rules
from portal.ledger import services as ledger
from portal.ledger.models import Seal

CHUNK = 25  # people read at once
SECONDS = 8.0  # how long one step may take, more or less; the lease is 90
FURTHER = ("shared", "proof", "summary", "zip")  # steps after the people


class NobodyThere(ValueError):
    """There is nobody in the scope whom the asker may see."""


def ahead(job: Job) -> None:
    """Do the next part in files. No transaction is open, and it may be done twice."""
    pack = _pack(job)
    cursor = job.cursor or {"phase": "scope"}
    workshop = Workshop(pack.uid)
    try:
        if cursor["phase"] != "scope":
            workshop.rewind(cursor["sizes"])
    except Lost:
        cursor = {"phase": "scope"}
    job.next_cursor, job.now_done = _PHASES[cursor["phase"]](pack, workshop, cursor)


def step(job: Job) -> bool:
    """Note how far it came; at the end, put the file in its place and write the Entry. Return True at the end."""
    job.cursor, job.done = job.next_cursor, job.now_done
    job.total = job.cursor["people"] + len(FURTHER)
    if job.cursor["phase"] != "done":
        return False
    pack = Pack.objects.select_for_update(of=("self",)).get(uid=job.params["pack"])
    if pack.state == Pack.State.MAKING:
        _deliver(pack, job.cursor)
    job.result = {"sha256": pack.sha256, "size": pack.size}
    return True


def _pack(job: Job) -> Pack:
    return Pack.objects.select_related("asked_by", "person", "department").get(uid=job.params["pack"])


def _scope(pack: Pack, workshop: Workshop, cursor: dict) -> tuple[dict, int]:
    chosen = scope.uids(pack)
    if not chosen:
        raise NobodyThere(pack.uid)
    sizes = workshop.begin()
    workshop.write(".people", "\n".join(chosen).encode())
    shared = {"questions": [], "records": [], "stood": {}, "counts": {}}
    return {"phase": "people", "people": len(chosen), "next": 0, "sizes": workshop.flushed(sizes), **shared}, 0


def _people(pack: Pack, workshop: Workshop, cursor: dict) -> tuple[dict, int]:
    chosen = workshop.path(".people").read_text().split("\n")
    said, places = rows.editions_said(rows.editions(pack.upto)), scope.names_of_places()
    at, until = cursor["next"], monotonic() + SECONDS
    while at < len(chosen):
        people = scope.people_at(chosen[at : at + CHUNK], pack.upto)
        _take(workshop, cursor, part_of(people, pack.upto, pack.as_at, said, places))
        at += len(people)
        if monotonic() > until:
            break
    phase = "people" if at < len(chosen) else "shared"
    return cursor | {"phase": phase, "next": at, "sizes": workshop.flushed(cursor["sizes"])}, at


def _take(workshop: Workshop, cursor: dict, part: Part) -> None:
    """Add a part to the files, and to what the cursor keeps for the steps after the people."""
    for name, found in part.rows.items():
        workshop.add(name, lines(found))
        cursor["counts"][name] = cursor["counts"].get(name, 0) + len(found)
    workshop.add(ENTRIES, b"".join(part.entries))
    workshop.add(PAPERS, b"".join(part.papers))
    cursor["questions"] = sorted({*cursor["questions"], *part.questions})
    cursor["records"] = sorted({*cursor["records"], *part.records})
    for name, n in part.stood.items():
        cursor["stood"][name] = cursor["stood"].get(name, 0) + n


def _shared(pack: Pack, workshop: Workshop, cursor: dict) -> tuple[dict, int]:
    """Add what does not belong to one person: editions, questions, figures of the archive, disposals, keys of the log.

    If no Seal covers the last Entry yet, one is made.
    """
    published = rows.editions(pack.upto).values()
    made = [row for one in published for row in rows.section_rows(EDITIONS, rows.NOBODY, one, {})]
    workshop.add(EDITIONS.file, lines(made))
    cursor["counts"][EDITIONS.file] = len(made)
    for one in questions(cursor["questions"]):
        workshop.add(QUESTIONS, rules.canonical(one) + b"\n")
    workshop.add(ENTRIES, b"".join([*(one.line() for one in published), *_figures(workshop, cursor["records"])]))
    orders = list(proving.orders(workshop))
    seal = proving.seal_for(max([pack.upto, *(one.seq for one in orders)]))
    workshop.add(ENTRIES, b"".join(one.line() for one in (*orders, *proving.key_entries(seal))))
    done = {"phase": "proof", "seal": seal.number, "sizes": workshop.flushed(cursor["sizes"])}
    return cursor | done, cursor["people"] + 1


def _figures(workshop: Workshop, seqs: list[int]) -> Iterator[bytes]:
    """Yield the Entries of the archive's figures; with what they say only if that is about nobody else."""
    chosen = set(workshop.path(".people").read_text().split("\n"))
    for seq in seqs:
        [one] = captured.read([seq]).values()
        about = {item["employee"] for item in one.said["records"]} if one.said else set()
        yield one.line() if about <= chosen else one.without_body().line(entries.OTHERS)


def _proof(pack: Pack, workshop: Workshop, cursor: dict) -> tuple[dict, int]:
    """Prove that all Entries of the pack are under the Seal."""
    seal = Seal.objects.get(number=cursor["seal"])
    entries_in = proving.write(workshop, seal)
    figures = {"people": cursor["people"], "entries": entries_in, "seal": seal.number, "size": seal.size}
    figures |= {"rows": sum(cursor["counts"].values()) - cursor["people"]}
    return cursor | {"phase": "summary", "figures": figures}, cursor["people"] + 2


def _summary(pack: Pack, workshop: Workshop, cursor: dict) -> tuple[dict, int]:
    for language in ("en", "zh-hans"):
        pdf = summary.pdf(pack, workshop, cursor, language)
        workshop.write(f"summary-{language.partition('-')[0]}.pdf", pdf)
    return cursor | {"phase": "zip"}, cursor["people"] + 3


def _zip(pack: Pack, workshop: Workshop, cursor: dict) -> tuple[dict, int]:
    return cursor | {"phase": "done", **bundle.close(pack, workshop, cursor)}, cursor["people"] + len(FURTHER)


def _done(pack: Pack, workshop: Workshop, cursor: dict) -> tuple[dict, int]:
    return cursor, cursor["people"] + len(FURTHER)


_PHASES = {
    "scope": _scope,
    "people": _people,
    "shared": _shared,
    "proof": _proof,
    "summary": _summary,
    "zip": _zip,
    "done": _done,
}


def _deliver(pack: Pack, cursor: dict) -> None:
    pack.file, pack.sha256, pack.size = cursor["file"], cursor["sha256"], cursor["size"]
    pack.state, pack.made_at, pack.figures = Pack.State.READY, timezone.now(), cursor["figures"]
    pack.save(update_fields=["file", "sha256", "size", "state", "made_at", "figures"])
    transaction.on_commit(Workshop(pack.uid).clear)
    body = {"pack": pack.uid, "sha256": pack.sha256, "size": pack.size, **pack.figures}
    ledger.append(verb="evidence.pack_made", actor=pack.asked_by.uid, subject="system:evidence", body=body)
