"""Files that a person uploads, each read by a job behind it; and an import that waits for a person's answer."""

import hashlib
from contextlib import ExitStack
from functools import partial

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.models import Import, Source
from archive.services import casework, feeds, findings
from archive.services.running import ENDINGS, OPEN_FILE, TOO_LARGE, UPLOAD_LIMIT, NotAFeed, advance, how
from archive.services.staff_list import sync_identities
from archive.sources.feed import Feed, open_feed
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee, opaque_id

TASK = "archive.tasks.run_import"


def start_upload(*, source: Source, file: File, by: Employee) -> Import:
    """Take a file into the private storage under a random name and import it as a job.

    A file that is being imported already is that import. Raises NotAFeed for one that is too large or empty.
    """
    endings = ENDINGS.get(source.kind, ())
    if endings and not (file.name or "").lower().endswith(endings):
        raise NotAFeed(_("A file for this source ends in %(endings)s.") % {"endings": ", ".join(endings)})
    if not file.size:
        raise NotAFeed(_("The file is empty."))
    if file.size > UPLOAD_LIMIT:
        raise NotAFeed(TOO_LARGE)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    stored_file = default_storage.save(f"feeds/{opaque_id()}.feed", file)
    try:
        run = _waiting(source, file, digest.hexdigest(), stored_file, by)
    except BaseException:
        default_storage.delete(stored_file)
        raise
    if run.stored_file != stored_file:
        default_storage.delete(stored_file)
    return run


@transaction.atomic
def _waiting(source: Source, file: File, digest: str, stored_file: str, by: Employee) -> Import:
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    run = Import.objects.filter(OPEN_FILE, source=source, digest=digest).select_related("job").first()
    if run is not None and run.has_stopped:
        _give_up(run, by.uid)
    elif run is not None:
        return run
    run = Import.objects.create(
        source=source,
        label=(file.name or "")[-255:],
        digest=digest,
        size=file.size,
        stored_file=stored_file,
        started_by=by,
        started_at=timezone.now(),
    )
    run.job = jobs.start(kind=TASK, key=run.uid, by=by, params={"import": run.uid}, total=run.size)
    run.save(update_fields=["job"])
    return run


class Uploads:
    """What a worker does for the jobs behind uploads, step by step. It keeps the file open between steps.

    Opening a packed file anew for each step would unpack it from its beginning each time.
    """

    def __init__(self) -> None:
        self.stack, self.opened = ExitStack(), {}

    def __enter__(self) -> "Uploads":
        return self

    def __exit__(self, *raised) -> None:
        self.stack.close()

    def run_some(self, job: Job) -> bool:
        """Do one step of the job: a piece of its import. Return whether it has ended."""
        run = Import.objects.select_related("source", "started_by").get(uid=job.params["import"])
        by = run.started_by.uid if run.started_by else "system:archive"
        if run.is_ended:
            return True
        holder = f"job:{job.uid}"
        try:
            feeds.hold(run.source, holder, timezone.now())
        except feeds.SourceBusy as busy:
            raise jobs.Postponed(f"{busy} is being imported") from busy
        if run.state == Import.State.WAITING:
            findings.open_for_signals(sync_identities(by=by), by=by)
        try:
            ended = advance(run_id=run.pk, feed=self._feed(run), holder=holder, by=by)
        except FileNotFoundError:
            ended = _give_up(run, by)
        run.refresh_from_db()
        job.done, job.total, job.result = run.passed, run.size, run.counts
        if ended:
            feeds.release(run.source_id, holder)
        return ended

    def _feed(self, run: Import) -> Feed:
        if run.uid not in self.opened:
            stream = self.stack.enter_context(default_storage.open(run.stored_file, "rb"))
            self.opened[run.uid] = open_feed(stream, run.size, how(run.source, run.label))
        return self.opened[run.uid]


def _give_up(run: Import, by: str) -> bool:
    """End an upload's import where it stands: its file is gone, or its job was given up.

    Uploading the file again stores what is missing.
    """
    if run.stored_file:
        transaction.on_commit(partial(default_storage.delete, run.stored_file))
    Import.objects.filter(pk=run.pk).update(state=Import.State.FAILED, ended_at=timezone.now(), stored_file="")
    body = {"import": run.uid, "source": run.source.name, "feed": run.digest, "counts": run.counts}
    ledger.append(verb="archive.import_failed", actor=by, subject="system:archive", body=body)
    return True


class NotAsking(RuntimeError):
    """The import does not wait for an answer, or has one."""


@transaction.atomic
def answer_numbering(*, run: Import, fits: bool, reason: str, by: Employee) -> Import:
    """Answer whether the numbers that an import stopped at are the source's own. Return the import.

    If so, it is read on from where it stands: an upload by a job, a file of the command when that is started again. If
    not, it ends there. What was stored before stays either way. Raises casework.ReasonMissing, NotAsking.
    """
    if not reason.strip():
        raise casework.ReasonMissing(_("Say how you know: without a reason nobody can check it."))
    run = Import.objects.select_for_update(of=("self",)).select_related("source").get(pk=run.pk)
    if run.state != Import.State.ASKING:
        raise NotAsking(_("This was answered before."))
    asked = run.judging["numbering"]
    run.judging = {**run.judging, "numbering": {**asked, "fits": fits, "why": reason.strip()[:500]}}
    body = {"import": run.uid, "source": run.source.name, "feed": run.digest, **run.judging["numbering"]}
    if fits:
        run.state = Import.State.READING
        if run.job_id:
            params = {"import": run.uid}
            run.job = jobs.start(kind=TASK, key=f"{run.uid}:fits", by=by, params=params, total=run.size)
    else:
        run.state, run.ended_at = Import.State.FAILED, timezone.now()
        if run.stored_file:
            transaction.on_commit(partial(default_storage.delete, run.stored_file))
        run.stored_file = ""
    run.save(update_fields=["judging", "state", "job", "ended_at", "stored_file"])
    ledger.append(verb="archive.numbering_answered", actor=by.uid, subject="system:archive", body=body)
    return run
