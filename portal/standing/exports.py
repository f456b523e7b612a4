"""What the pages of people and findings show, as files: the same rows, the same filters, the same scope."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from archive.models import Finding
from portal import tables
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.standing import rules, words
from quizzes.models import Attempt

CHUNK = 2000


def people_table(people: QuerySet[Employee], *, sees_archive: bool) -> tuple[list[str], Iterator[Sequence]]:
    """Return heading and rows of the people on a page. Without the archive's part for who may not see it."""
    heading = [
        _("Employee number"),
        _("Name"),
        _("Chinese name"),
        _("Department"),
        _("Office"),
        _("Manager"),
        _("Training"),
    ]
    if sees_archive:
        heading += [_("Archive"), _("May message"), _("Why"), _("Since")]
    rows = people.select_related("department", "office", "manager", "standing")
    return heading, (_person(one, sees_archive) for one in rows.iterator(chunk_size=CHUNK))


def _person(one: Employee, sees_archive: bool) -> list:
    standing = getattr(one, "standing", None)
    cells = [
        one.employee_no,
        one.name_en,
        one.name_zh,
        str(one.department or ""),
        str(one.office or ""),
        one.manager.name if one.manager else "",
        standing.get_training_state_display() if standing else "",
    ]
    if not sees_archive:
        return cells
    if standing is None:
        return [*cells, "", "", "", ""]
    why = " ".join(words.say(reason) for reason in standing.reasons)
    archive = str(rules.ArchiveState(standing.archive_state).label)
    return [*cells, archive, standing.may_message, why, standing.since]


def findings_table(findings: QuerySet[Finding], *, of_desk: bool = True) -> tuple[list[str], Iterator[Sequence]]:
    """Return heading and rows of findings. Who works on them, and how they were settled, is for the desk alone."""
    heading = [
        _("Kind"), _("Person"), _("Employee number"), _("Department"), _("Feed"), _("Weight"), _("State"),
        _("Day of the facts"), _("Opened"), _("Due"),
    ]  # fmt: skip
    if of_desk:
        heading += [
            _("With"), _("Settled"), _("How"), _("Handle or contact"), _("Message"), _("Finding"), _("Address"),
        ]  # fmt: skip
    rows = findings.select_related("employee__department", "source", "claimed_by", "message")
    return heading, (_finding(one, of_desk) for one in rows.iterator(chunk_size=CHUNK))


def _finding(one: Finding, of_desk: bool) -> list:
    who = one.employee
    cells = [
        str(one.get_kind_display()),
        who.name if who else "",
        who.employee_no if who else "",
        str(who.department or "") if who else "",
        one.source.name if one.source else "",
        str(one.get_severity_display()),
        str(one.get_state_display()),
        one.about_on,
        one.opened_at,
        one.due_on,
    ]
    if not of_desk:
        return cells
    return [
        *cells,
        one.claimed_by.name if one.claimed_by else "",
        one.closed_at,
        str(one.get_closed_how_display()),
        one.facts.get("handle") or one.facts.get("contact") or "",
        one.message.msgid if one.message else "",
        one.uid,
        settings.SITE_URL + reverse("standing:finding", args=[one.uid]),
    ]


def tries_table(tries: QuerySet[Attempt]) -> tuple[list[str], Iterator[Sequence]]:
    """Return heading and rows of first tries at a quiz: the outcome, not the answers."""
    heading = [
        _("Employee number"), _("Name"), _("Department"), _("Office"), _("Mark, percent"), _("Passed"), _("Handed in"),
    ]  # fmt: skip
    return heading, (_try(one) for one in tries.iterator(chunk_size=CHUNK))


def _try(one: Attempt) -> list:
    who = one.employee
    place = (str(who.department or ""), str(who.office or ""))
    return [who.employee_no, who.name, *place, one.percent, one.passed, one.submitted_at]


@transaction.atomic
def export(
    *, what: str, kind: str, filters: str, table: tuple[list[str], Iterator[Sequence]], by: Employee, searched: str = ""
) -> tables.Written:
    """Write a table to a file and return it. What was taken out, by which filter and how much is an Entry."""
    file = tables.written(kind, *table)
    body = {"what": what, "kind": kind, "filters": filters, "rows": file.rows, "digest": file.digest}
    if searched:
        body["searched"] = searched
    ledger.append(verb="standing.exported", actor=by.uid, subject="system:standing", body=body)
    return file
