"""Past completions from another system: read from a file, marked as imported for ever, without a certificate of ours.

Columns: employee_no, course (its short name), completed_on, percent, and if there valid_until (ISO dates). A line that
cannot be read is set aside with its reason and stops nothing; a completion that is known already is counted and left.
"""

import csv
import hashlib
import io
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.ledger import services as ledger
from portal.people import calendars
from portal.people.models import Employee
from training import duties, rules
from training.assignments import BATCH, lock_person, ring_standing
from training.models import Assignment, Completion, Course, Edition, ImportedFile

COLUMNS = ("employee_no", "course", "completed_on", "percent")
MOST = 50_000  # lines of one file


class NotAListOfCompletions(ValueError):
    """The file is not UTF-8 CSV, lacks a column, or is too long; the message says which."""


@dataclass(frozen=True)
class Past:
    """One line that could be read."""

    line: int
    employee: Employee
    course: Course
    completed_on: date
    percent: int
    valid_until: date | None


@dataclass
class TakenOver:
    """What a file holds. ``aside``: (line, reason). ``file``: None while nothing was written."""

    new: list[Past] = field(default_factory=list)
    known: int = 0
    aside: list[tuple[int, str]] = field(default_factory=list)
    file: ImportedFile | None = None


def take_over(*, data: bytes, name: str, write: bool, by: str) -> TakenOver:
    """Compare the file with what is here; with ``write`` keep what is new. Raises NotAListOfCompletions.

    Safe to repeat: the same completion of the same day is taken once, from whatever file.
    """
    found = TakenOver()
    lines = _lines(data)
    people = _people({row.get("employee_no", "") for _n, row in lines})
    courses = {course.slug: course for course in Course.objects.all()}
    read = []
    for line, row in lines:
        try:
            read.append(_read(line, row, people, courses))
        except ValueError as error:
            found.aside.append((line, str(error)))
    known = _known({past.employee.pk for past in read})
    for past in read:
        key = (past.employee.pk, past.course.pk, past.completed_on)
        if key in known:
            found.known += 1
        else:
            known.add(key)
            found.new.append(past)
    if write:
        found.file = _write(found, hashlib.sha256(data).hexdigest(), name, by)
    return found


def _lines(data: bytes) -> list[tuple[int, dict]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    except UnicodeDecodeError as error:
        raise NotAListOfCompletions(_("The file is not CSV in UTF-8.")) from error
    if missing := set(COLUMNS) - set(reader.fieldnames or []):
        raise NotAListOfCompletions(_("The file has no column %(names)s.") % {"names": ", ".join(sorted(missing))})
    lines = [(reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}) for row in reader]
    if len(lines) > MOST:
        raise NotAListOfCompletions(_("The file has more than %(most)s lines.") % {"most": MOST})
    return lines


def _people(numbers: set[str]) -> dict[str, Employee]:
    wanted, found = sorted(numbers), {}
    for start in range(0, len(wanted), 5000):
        rows = Employee.objects.filter(employee_no__in=wanted[start : start + 5000]).select_related("office")
        found |= {one.employee_no: one for one in rows}
    return found


def _read(line: int, row: dict, people: dict[str, Employee], courses: dict[str, Course]) -> Past:
    """Return the line as values. Raises ValueError with the reason that a person reads."""
    if row["employee_no"] not in people:
        raise ValueError(_("There is no employee %(number)s.") % {"number": row["employee_no"]})
    if row["course"] not in courses:
        raise ValueError(_("There is no course %(name)s.") % {"name": row["course"]})
    employee = people[row["employee_no"]]
    completed_on = _day(row["completed_on"], "completed_on")
    if completed_on > calendars.local_day(employee):
        raise ValueError(_("A completion lies in the past."))
    percent = row["percent"].rstrip("%").strip()
    if not (percent.isascii() and percent.isdigit() and int(percent) <= 100):
        raise ValueError(_("percent is not a whole number from 0 to 100."))
    until = _day(row["valid_until"], "valid_until") if row.get("valid_until") else None
    if until and until < completed_on:
        raise ValueError(_("valid_until lies before completed_on."))
    return Past(line, employee, courses[row["course"]], completed_on, int(percent), until)


def _day(text: str, column: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_("%(column)s is not a date like 2026-03-31.") % {"column": column}) from error


def _known(people: set[int]) -> set[tuple[int, int, date]]:
    ids, found = sorted(people), set()
    for start in range(0, len(ids), 5000):
        rows = Completion.objects.filter(employee__in=ids[start : start + 5000])
        told = rows.select_related("employee__office", "edition").only(
            "completed_at", "employee__office__time_zone", "employee_id", "edition__course_id"
        )
        found |= {
            (one.employee_id, one.edition.course_id, calendars.local_day(one.employee, one.completed_at))
            for one in told
        }
    return found


def _write(found: TakenOver, sha256: str, name: str, by: str) -> ImportedFile:
    editions = defaultdict(list)
    for edition in Edition.objects.order_by("number"):
        editions[edition.course_id].append(edition)
    found.new, without = _split(found.new, editions)
    found.aside += [(past.line, _("The course has no edition yet.")) for past in without]
    found.new.sort(key=lambda past: (past.completed_on, past.line))
    for start in range(0, len(found.new), BATCH):
        _write_some(found.new[start : start + BATCH], editions, sha256, by)
    return _note_file(found, sha256, name, by)


def _split(pasts: list[Past], editions: dict) -> tuple[list[Past], list[Past]]:
    return [one for one in pasts if editions[one.course.pk]], [one for one in pasts if not editions[one.course.pk]]


@transaction.atomic
def _write_some(pasts: list[Past], editions: dict, sha256: str, by: str) -> None:
    ids = sorted({past.employee.pk for past in pasts})
    for pk in ids:
        lock_person(pk)
    for past in pasts:
        _keep(past, editions[past.course.pk], sha256, by)
    ring_standing()


def _keep(past: Past, editions: list[Edition], sha256: str, by: str) -> Completion:
    zone = ZoneInfo(calendars.zone_name(past.employee))
    at = datetime.combine(past.completed_on, time(12), zone)
    edition = next((one for one in reversed(editions) if one.published_at <= at), editions[0])
    until = past.valid_until or rules.expires_on(past.completed_on, edition.renewal_months)
    assignment = _cycle_for(past, until, sha256)
    completion = Completion.objects.create(
        assignment=assignment,
        employee=past.employee,
        edition=edition,
        origin=Completion.Origin.IMPORTED,
        origin_file=sha256,
        completed_at=at,
        expires_on=until,
        percent=past.percent,
        study_seconds=0,
    )
    body = {
        "course": past.course.slug,
        "cycle": assignment.cycle,
        "edition": edition.number,
        "completed_on": past.completed_on.isoformat(),
        "completed_at": at,
        "expires_on": until.isoformat(),
        "percent": past.percent,
        "file": sha256,
        "line": past.line,
    }
    ledger.append(verb="training.completion_imported", actor=by, subject=past.employee.uid, body=body)
    return completion


def _cycle_for(past: Past, until: date, sha256: str) -> Assignment:
    """Return the cycle that the completion ends: the open one if it was not begun and this still counts, or a new one.

    Its edition stays empty: nothing was studied here.
    """
    mine = Assignment.objects.filter(employee=past.employee, course=past.course)
    ended = {"ended_on": past.completed_on, "ended_why": Assignment.Why.COMPLETED}
    still = duties.DAY * rules.RENEWAL_DAYS + calendars.local_day(past.employee)
    open_one = mine.open().filter(edition=None).first() if until > still else None
    if open_one:
        open_one.ended_on, open_one.ended_why = past.completed_on, Assignment.Why.COMPLETED
        open_one.because = open_one.because | {"imported": sha256}
        open_one.save(update_fields=["ended_on", "ended_why", "because"])
        return open_one
    newest = mine.order_by("-cycle").values_list("cycle", flat=True).first() or 0
    return Assignment.objects.create(
        employee=past.employee,
        course=past.course,
        cycle=newest + 1,
        assigned_on=past.completed_on,
        due_on=past.completed_on,
        because={"imported": sha256},
        **ended,
    )


@transaction.atomic
def _note_file(found: TakenOver, sha256: str, name: str, by: str) -> ImportedFile:
    fields = {"name": name[:200], "read_at": timezone.now(), "read_by": by, "aside": found.aside[:1000]}
    row, is_new = ImportedFile.objects.get_or_create(sha256=sha256, defaults=fields | {"count": len(found.new)})
    if not is_new:
        row.count += len(found.new)
        row.aside = found.aside[:1000]
        row.save(update_fields=["count", "aside"])
    body = {"file": sha256, "count": len(found.new), "known": found.known, "aside": len(found.aside)}
    ledger.append(verb="training.completions_imported", actor=by, subject="system:training", body=body)
    return row
