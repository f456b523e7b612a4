"""An import from its first byte to its end, in steps that are each one transaction.

Position, counts and rows of a batch are committed together, so a run that is killed at any moment goes on from its
last batch and ends with the rows of an undisturbed one.
"""

import gc
import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from celery import current_app
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive.models import Hole, Import, Source, Unmatched
from archive.services import consent_missing, feeds, findings, intake, numbering, piecemeal, records
from archive.services.staff_list import sync_identities
from archive.services.storing import store
from archive.sources.base import Aside, Captured
from archive.sources.feed import Feed, GoingOn, How, open_feed
from archive.sources.mailboxes import Folder
from portal.ledger import services as ledger
from portal.people.models import opaque_id

logger = logging.getLogger(__name__)

BATCH_LINES = 2000
BATCH_BYTES = 2 * 2**20  # bounds memory: two megabytes of handles are half a million participants
UPLOAD_LIMIT = 8 * 2**30  # of a browser; a file or a stream that the command reads may have any size
TOO_LARGE = gettext_lazy(
    "The file is larger than 8 GiB. Copy it to the server and read it there with the command import_archive, which has "
    "no limit, or send it in several parts."
)
CHUNK_BYTES = 2**20
NAMED = 1000  # handles or kinds that a summary names
OPEN_FILE = Q(via=Import.Via.FILE, ended_at=None)

Progress = Callable[[Import], None]


class NotAFeed(ValueError):
    """The file cannot be read as this source's kind of feed."""


def import_feed(
    *, source: Source, path: Path, by: str = "system:import_archive", progress: Progress | None = None
) -> Import:
    """Read the file or folder of mails into the source and return the Import, ended. One that was cut off goes on.

    Raises feeds.SourceBusy if another import of the source is running, NotAFeed, OSError.
    """
    holder = feeds.this_process()
    with ExitStack() as stack:
        if path.is_dir():
            run, feed = _begin_folder(source, path, holder, by)
        else:
            stream, size = stack.enter_context(path.open("rb")), path.stat().st_size
            run = begin(source=source, label=path.name, digest=digest_of(stream), size=size, holder=holder, by=by)
            feed = open_feed(stream, run.size, how(source, run.label))
        return _to_the_end(run, feed, holder, by, progress)


def _begin_folder(source: Source, path: Path, holder: str, by: str) -> tuple[Import, Feed]:
    """Begin the import of a folder: its digest is over the names and the contents of its files. Raises NotAFeed."""
    if source.kind != Source.Kind.MAIL:
        raise NotAFeed(_("A folder is read for journal mail only. Give the file."))
    folder = Folder(path, how(source, path.name))
    run = begin(source=source, label=path.name, digest=folder.digest(), size=folder.size, holder=holder, by=by)
    return run, GoingOn(folder)


def import_stream(
    *,
    source: Source,
    stream: BinaryIO,
    label: str,
    by: str = "system:import_archive",
    progress: Progress | None = None,
) -> Import:
    """Keep what the stream gives in the private storage, read it from there, and return the Import, ended.

    A run that is cut off after the stream has ended goes on from what was kept (``unfinished`` and ``go_on``), or when
    the same stream comes again. Raises what ``import_feed`` does.
    """
    stored_file, digest, size = _kept(stream)
    holder = feeds.this_process()
    try:
        run = begin(source=source, label=label, digest=digest, size=size, holder=holder, by=by, stored_file=stored_file)
    except BaseException:
        default_storage.delete(stored_file)
        raise
    if run.stored_file != stored_file:  # an earlier run of it keeps its own
        default_storage.delete(stored_file)
    return go_on(run=run, by=by, progress=progress)


def unfinished(source: Source) -> list[Import]:
    """Return the imports of streams that were cut off and can go on, oldest first."""
    runs = Import.objects.filter(OPEN_FILE, source=source, job=None).exclude(stored_file="")
    return list(runs.select_related("source").order_by("pk"))


def go_on(*, run: Import, by: str = "system:import_archive", progress: Progress | None = None) -> Import:
    """Read an import from the private storage to its end, from where it stands. Raises feeds.SourceBusy, OSError."""
    holder = feeds.this_process()
    with transaction.atomic():
        feeds.hold(run.source, holder, timezone.now())
    with default_storage.open(run.stored_file, "rb") as stream:
        return _to_the_end(run, open_feed(stream, run.size, how(run.source, run.label)), holder, by, progress)


def _to_the_end(run: Import, feed: Feed, holder: str, by: str, progress: Progress | None) -> Import:
    try:
        if progress:
            progress(run)
        while not advance(run_id=run.pk, feed=feed, holder=holder, by=by):
            if progress:
                progress(Import.objects.select_related("source").get(pk=run.pk))
    finally:
        feeds.release(run.source_id, holder)
    return Import.objects.select_related("source").get(pk=run.pk)


def _kept(stream: BinaryIO) -> tuple[str, str, int]:
    """Copy the stream, however long, into the private storage. Return (name there, SHA-256, size). Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with TemporaryUploadedFile("feed", "application/octet-stream", 0, None) as spool:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            spool.write(chunk)
        spool.flush()
        spool.seek(0)
        spool.size = size
        return default_storage.save(f"feeds/{opaque_id()}.feed", spool), digest.hexdigest(), size


# How the names of a kind's files end, so that another kind's file is not read as thousands of broken lines. Mail: any.
ENDINGS = {Source.Kind.WECOM: (".jsonl", ".ndjson", ".gz"), Source.Kind.CSV: (".csv", ".tsv", ".txt", ".gz")}


def deliveries_in(folder: Path, source: Source) -> list[Path]:
    """Return what in a folder a source of this kind reads, in the order of names. Raises OSError.

    Mail: the folder itself, which is one delivery.
    """
    if source.kind == Source.Kind.MAIL:
        return [folder]
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in ENDINGS[source.kind] and not path.name.startswith(".") and path.is_file()
    )


def how(source: Source, label: str) -> How:
    """Return how a file of the source is read."""
    return How(source.kind, source.mapping, source.time_zone, label, source.granularity)


def digest_of(stream: BinaryIO) -> str:
    """Return the SHA-256 of the whole stream, hex, and leave it at its beginning."""
    stream.seek(0)
    found = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    return found


@transaction.atomic
def begin(
    *,
    source: Source,
    label: str,
    digest: str,
    size: int,
    holder: str,
    by: str,
    stored_file: str = "",
) -> Import:
    """Return the import of this file: the one that was cut off, or a new one. Raises feeds.SourceBusy, NotAFeed."""
    now = timezone.now()
    source = feeds.hold(source, holder, now)
    run = Import.objects.select_for_update().filter(OPEN_FILE, source=source, digest=digest).first()
    if run is None:
        run = Import.objects.create(
            source=source,
            label=label[-255:],
            digest=digest,
            size=size,
            stored_file=stored_file,
            state=Import.State.READING,
            started_at=now,
        )
    elif stored_file and not run.stored_file and run.job_id is None:
        run.stored_file = stored_file
        run.save(update_fields=["stored_file"])
    touched = sync_identities(by=by, now=now)
    findings.open_for_signals(touched, by=by, now=now)
    return run


def advance(*, run_id: int, feed: Feed, holder: str, by: str) -> bool:
    """Do the next piece of an import and return whether it has ended, or waits for a person's answer. One transaction;
    safe to do again.

    Pieces: a batch of lines; then what the whole file brings to light, the records concerned, and the words on consent,
    some of each at a time.
    """
    with _no_search_for_cycles(), transaction.atomic():
        now = timezone.now()
        run = Import.objects.select_for_update(of=("self",)).get(pk=run_id)
        if run.is_ended or run.state == Import.State.ASKING:
            return True
        source = run.source = feeds.renew(run.source_id, holder, now)
        if run.state in (Import.State.WAITING, Import.State.READING):
            if not _read_batch(run, source, feed, by) and run.state != Import.State.ASKING:
                pause = feeds.taken(source, run.via, now)
                intake.add(source, run.via, now=now, ended=True, pause=pause)
                run.state = Import.State.JUDGING
        elif not piecemeal.is_judged(run):
            piecemeal.judge_piece(run, by=by, now=now)
        elif records.recompute_some(by=by, now=now):
            pass
        elif (after := run.judging.get("consent", 0)) is not None:
            after = consent_missing.judge_some(since=run.first_sent_at, after=after, by=by, now=now)
            run.judging = {**run.judging, "consent": after}
        else:
            _end(run, by)
        run.save()
        source.save()
        return run.is_ended or run.state == Import.State.ASKING


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Let Python look for objects that hold each other between the pieces only: a piece makes hundreds of thousands of
    which none does, and looking at them over and over takes a fourteenth of an import.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read_batch(run: Import, source: Source, feed: Feed, by: str) -> bool:
    """Store the next records of the feed. Return False when there are none, or when their numbers must be asked about:
    then none of them is stored.
    """
    run.state = Import.State.READING
    items = list(_some(feed.read(line=run.line_no, offset=run.offset)))
    run.passed = feed.passed
    if not items:
        run.passed = run.size
        return False
    if numbering.asks(run, source, items):
        run.state = Import.State.ASKING
        return False
    run.batch_no += 1
    sorting = store(run, source, items, by=by, now=timezone.now())
    run.line_no, run.offset = items[-1].place.line, items[-1].place.end
    for name, count in sorting.counts.items():
        setattr(run, name, getattr(run, name) + count)
    intake.add(source, run.via, now=timezone.now(), counts=sorting.counts, seqs=sorting.seqs)
    return True


def _some(items: Iterator[Captured | Aside]) -> Iterator[Captured | Aside]:
    """Yield the records of one batch: bounded in number and bytes."""
    begins = None
    for count, one in enumerate(items, start=1):
        begins = one.place.offset if begins is None else begins
        yield one
        if count >= BATCH_LINES or one.place.end - begins >= BATCH_BYTES:
            return


def _end(run: Import, by: str) -> None:
    run.state, run.ended_at = Import.State.DONE, timezone.now()
    ledger.append(
        verb="archive.imported",
        actor=by,
        subject="system:archive",
        body={"import": run.uid, "source": run.source.name, "feed": run.digest, "counts": run.counts},
    )
    if run.stored_file:  # an upload holds clients' words: what is kept of them is in the rows
        transaction.on_commit(partial(default_storage.delete, run.stored_file))
        run.stored_file = ""
    transaction.on_commit(ring_the_roof)


def ring_the_roof() -> None:
    """Tell whoever joins training and archive that something is new. If the broker is away, its timer finds it."""
    try:
        current_app.send_task(settings.STANDING_CATCH_UP_TASK)
    except Exception:
        logger.warning("could not ring %s", settings.STANDING_CATCH_UP_TASK, exc_info=True)


def summary(run: Import, *more: Import) -> dict:
    """Return what imports say of themselves and of their source, ready to print: numbers, and two lists of names.

    The lists hold the first NAMED names; ``more_unmatched`` says how many handles there are besides.
    """
    source = run.source
    holes = Hole.objects.filter(source=source)
    missing = holes.aggregate(holes=Count("pk"), numbers=Sum(F("last") - F("first") + 1))
    strangers = Unmatched.objects.filter(source=source)
    more_unmatched = max(0, strangers.count() - NAMED)
    return {
        **{name: sum(getattr(one, name) for one in (run, *more)) for name in Import.COUNTS},
        **({"granularity": source.granularity} if source.granularity != Source.Granularity.MESSAGE else {}),
        "holes": missing["holes"],
        "missing_numbers": int(missing["numbers"] or 0),
        "unmatched": sorted(strangers.order_by("handle_folded").values_list("handle", flat=True)[:NAMED]),
        **({"more_unmatched": more_unmatched} if more_unmatched else {}),
        "unknown_kinds": piecemeal.unknown_kinds(source, most=NAMED),
    }
