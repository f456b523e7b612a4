"""What HR does with a list of people: give it, choose its columns, look at the difference, apply it or put it away."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.hr import columns, reading, sheets, writing
from portal.hr.comparing import Change, Difference, Kind
from portal.hr.models import HrChange, HrFile
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.people.ringing import ring_changed

COMPARE = "portal.hr.tasks.compare"
APPLY = "portal.hr.tasks.apply"
STEP = 50  # people written in one transaction
ROWS = 2000  # rows of a difference, likewise
KEPT = timedelta(days=30)  # a file that nobody has looked at goes then
State = HrFile.State


class TooManyLeave(RuntimeError):
    """More people would leave than the firm allows a file to take away. ``leavers`` of ``staff``."""

    def __init__(self, leavers: int, staff: int) -> None:
        super().__init__(f"{leavers} of {staff}")
        self.leavers, self.staff = leavers, staff


class AnotherIsApplied(RuntimeError):
    """Another file is being applied just now."""


class NotNow(RuntimeError):
    """The file is in another state by now: somebody else went on with it."""


@transaction.atomic
def give(*, upload: UploadedFile, is_complete: bool, by: Employee) -> HrFile:
    """Keep a list that HR uploads, its columns guessed; the headings of the last list that fitted are remembered.

    Raises sheets.NotATable if it has no headings.
    """
    headers = [header[:120] for header in reading.headings(upload)]
    upload.seek(0)
    digest = hashlib.file_digest(upload, "sha256").hexdigest()
    upload.seek(0)
    given = HrFile(name=upload.name[-200:], sha256=digest, given_by=by, headers=headers, is_complete=is_complete)
    given.mapping = _remembered(headers) or columns.guess(headers)
    given.file.save(f"{given.uid}", upload, save=False)
    given.save()
    body = {"file": given.uid, "sha256": digest, "is_complete": is_complete}
    ledger.append(verb="hr.file_given", actor=by.uid, subject=by.uid, body=body)
    return given


def _remembered(headers: list[str]) -> dict[str, str] | None:
    """Return how the columns of a file with these headings were chosen when one was applied last."""
    last = HrFile.objects.filter(state=State.APPLIED, headers=headers).order_by("-ended_at").first()
    return last.mapping if last else None


@transaction.atomic
def choose_columns(*, given: HrFile, mapping: Mapping[str, str], by: Employee) -> Job:
    """Compare a file with these columns with the people here. Return the job. Raises NotNow."""
    given = _locked(given, State.NEW, State.SHOWN, State.UNREADABLE)
    given.changes.all().delete()
    given.mapping, given.state, given.counts, given.why_not = dict(mapping), State.COMPARING, {}, ""
    params = {"file": given.uid}
    key = f"{given.uid}:{Job.objects.filter(kind=COMPARE, params=params).count() + 1}"
    given.compare_job = jobs.start(kind=COMPARE, key=key, by=by, params=params)
    given.save()
    return given.compare_job


class Comparing:
    """Compares one file, for one worker: reading outside of the transactions, then the rows, some at a time.

    What a worker before it had written is thrown away: people may have changed since.
    """

    def __init__(self) -> None:
        self.found: Difference | None = None
        self.written = 0

    def prepare(self, job: Job) -> None:
        """Read and compare, once. A file that cannot be read is told of by ``step``."""
        given = HrFile.objects.get(uid=job.params["file"])
        if self.found is not None or given.state != State.COMPARING:
            return
        today = timezone.localdate()
        try:
            with given.file.open("rb") as stream:
                self.found = reading.difference(stream, given.mapping, is_complete=given.is_complete, today=today)
        except sheets.NotATable as error:
            HrFile.objects.filter(pk=given.pk).update(state=State.UNREADABLE, why_not=str(error)[:300])

    def step(self, job: Job) -> bool:
        """Write the next rows of the difference; after the last the file is there to be looked at."""
        given = HrFile.objects.select_for_update(of=("self",)).get(uid=job.params["file"])
        if self.found is None or given.state != State.COMPARING:
            return True
        if not self.written:
            given.changes.all().delete()
        some = self.found.changes[self.written : self.written + ROWS]
        HrChange.objects.bulk_create(_row(given, change) for change in some)
        self.written += len(some)
        job.done, job.total = self.written, len(self.found.changes)
        if self.written < job.total:
            return False
        given.state, given.counts = State.SHOWN, counts_of(self.found)
        given.save(update_fields=["state", "counts"])
        return True


def _row(given: HrFile, change: Change) -> HrChange:
    return HrChange(
        file=given,
        kind=change.kind,
        line=change.line,
        employee_no=change.employee_no,
        person_id=change.person,
        before=change.before,
        after=change.after,
        wrong=change.wrong,
        about=change.about,
    )


def reason_of(change: Change) -> str:
    """Return why a line is refused, in the language of the thread; empty if it is not."""
    return _row(HrFile(), change).reason


def counts_of(found: Difference) -> dict[str, int]:
    """Return {kind: how many} with ``unchanged`` and ``staff``."""
    return {kind.value: found.count(kind) for kind in Kind} | {"unchanged": found.unchanged, "staff": found.staff}


def check_leavers(counts: Mapping[str, int], most_percent: float | None = None) -> None:
    """Refuse a file that would take away too many: mostly it is a half of the list. Raises TooManyLeave.

    ``most_percent``: of the staff; None: what the firm has set (HR_MOST_LEAVERS). Three may always leave.
    """
    most = settings.HR_MOST_LEAVERS if most_percent is None else most_percent
    if counts["leaves"] > max(3, counts["staff"] * most / 100):
        raise TooManyLeave(counts["leaves"], counts["staff"])


@transaction.atomic
def apply(*, given: HrFile, by: Employee) -> Job:
    """Make the difference so, as it was shown. Return the job. Raises NotNow, TooManyLeave, AnotherIsApplied."""
    given = _locked(given, State.SHOWN)
    check_leavers(given.counts)
    total = given.changes.exclude(kind=Kind.REFUSED).count()
    given.apply_job = jobs.start(kind=APPLY, key=given.uid, by=by, params={"file": given.uid}, total=total)
    given.state = State.APPLYING
    try:
        with transaction.atomic():
            given.save()
    except IntegrityError:
        raise AnotherIsApplied(_("Another list is being applied just now. Try again when it is done.")) from None
    body = {"file": given.uid, "sha256": given.sha256, "counts": given.counts}
    ledger.append(verb="hr.file_applied", actor=by.uid, subject=by.uid, body=body)
    return given.apply_job


def apply_some(job: Job) -> bool:
    """Write the next people; when all are there, who reports to whom; then clear up."""
    given = HrFile.objects.get(uid=job.params["file"])
    if given.state != State.APPLYING:
        return True
    by = job.started_by.uid
    stage, last = job.cursor.get("stage", "people"), job.cursor.get("last", 0)
    rows = list(given.changes.exclude(kind=Kind.REFUSED).filter(pk__gt=last)[:STEP])
    for row in rows:
        if stage == "people":
            _write(row, by)
        else:
            _write_manager(row, by)
    if rows:
        job.cursor = {"stage": stage, "last": rows[-1].pk}
        job.done += len(rows) if stage == "people" else 0
        return False
    if stage == "people":
        job.cursor = {"stage": "managers", "last": 0}
        return False
    _finish(given)
    return True


def _write(row: HrChange, by: str) -> None:
    try:
        row.person = writing.write(kind=row.kind, person=row.person_id, before=row.before, after=row.after, by=by)
        row.done = HrChange.Done.YES
    except writing.Stale:
        row.done = HrChange.Done.STALE
    row.save(update_fields=["done", "person"])


def _write_manager(row: HrChange, by: str) -> None:
    if row.done != HrChange.Done.YES or "manager_no" not in row.after:
        return
    number = row.after.get("employee_no", row.employee_no)
    if not writing.set_manager(employee_no=number, manager_no=row.after["manager_no"], by=by):
        row.done = HrChange.Done.CIRCLE
        row.save(update_fields=["done"])


def _finish(given: HrFile) -> None:
    """Keep the counts, and of the people only what could not be done. Tell the rooms above who was changed."""
    ring_changed(
        list(given.changes.exclude(done=HrChange.Done.STALE).exclude(person=None).values_list("person", flat=True))
    )
    not_done = given.changes.filter(done__in=[HrChange.Done.STALE, HrChange.Done.CIRCLE])
    given.counts |= {"stale": not_done.count()}
    given.changes.filter(done=HrChange.Done.YES).delete()
    _end(given, State.APPLIED)


@transaction.atomic
def put_away(*, given: HrFile, by: Employee) -> None:
    """Throw the file and its difference away; nothing of it is done. Raises NotNow."""
    given = _locked(given, State.NEW, State.SHOWN, State.UNREADABLE, State.COMPARING)
    given.changes.all().delete()
    _end(given, State.AWAY)
    ledger.append(verb="hr.file_put_away", actor=by.uid, subject=by.uid, body={"file": given.uid})


def forget_old() -> int:
    """Remove what is a month old: lists nobody went on with, and what could not be done. Return how many lists."""
    before = timezone.now() - KEPT
    HrChange.objects.filter(file__ended_at__lt=before).delete()
    waiting = HrFile.objects.filter(given_at__lt=before, state__in=[State.NEW, State.SHOWN, State.UNREADABLE])
    for given in waiting:
        given.changes.all().delete()
        _end(given, State.AWAY)
    return len(waiting)


def _end(given: HrFile, state: str) -> None:
    name, given.file = given.file.name, ""
    given.state, given.ended_at = state, timezone.now()
    given.save()
    if name:
        storage = HrFile._meta.get_field("file").storage
        transaction.on_commit(lambda: storage.delete(name))


def _locked(given: HrFile, *states: str) -> HrFile:
    """Return the file, locked. Raises NotNow if it is in none of these states any more."""
    given = HrFile.objects.select_for_update(of=("self",)).get(pk=given.pk)
    if given.state not in states:
        raise NotNow(_("Somebody went on with this list in the meantime. Look at it again."))
    return given


@transaction.atomic
def write_at_once(*, found: Difference, by: str) -> list[Change]:
    """Make a difference so without showing it: for the command line. Return what could not be done."""
    not_done, touched = [], []
    wanted = [change for change in found.changes if change.kind != Kind.REFUSED]
    for change in wanted:
        try:
            told = {"before": change.before, "after": change.after}
            touched.append(writing.write(kind=change.kind, person=change.person, by=by, **told).pk)
        except writing.Stale:
            not_done.append(change)
    for change in wanted:
        if change in not_done or "manager_no" not in change.after:
            continue
        number = change.after.get("employee_no", change.employee_no)
        if not writing.set_manager(employee_no=number, manager_no=change.after["manager_no"], by=by):
            not_done.append(change)
    ring_changed(touched)
    return not_done
