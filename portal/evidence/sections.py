"""The tables of a pack: of which Entries each is made, and where in the Entry every cell stands.

The checker in the pack reads the same description and compares every cell, so a new table is one Section here and
nothing else. A column without a source is the portal's own word: ``words`` says it, and the checker says that it is.
"""

from dataclasses import dataclass
from functools import cache

Column = tuple[str, str]  # name, and where it stands: entry.…, body.…, item.…, edition.…; empty: the portal's word

WHO: tuple[Column, ...] = (
    ("entry", "entry.seq"),
    ("at", "entry.at"),
    ("person", "entry.subject"),
    ("employee_no", ""),
    ("name", ""),
)


@dataclass(frozen=True)
class Section:
    """``each``: the list in the Body of which every item has a row; empty: the Entry has one row.

    ``person``: where a row says whom it is about, if one Entry speaks of many; rows about others are left out.
    ``is_whole``: every Entry of these verbs in the pack must have its rows.
    """

    name: str
    verbs: tuple[str, ...]
    columns: tuple[Column, ...]
    each: str = ""
    person: str = ""
    is_whole: bool = True

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @cache  # noqa: B019 - there are as many as tables
    def as_json(self) -> dict:
        """Return what the checker needs to know."""
        told = {"file": self.file, "verbs": list(self.verbs), "each": self.each, "person": self.person}
        return told | {"all": self.is_whole, "columns": [list(column) for column in self.columns]}


def _of(name: str, verbs: str, columns: str, *more: Column, each: str = "") -> Section:
    """Return a Section about people whose columns have the names that they have in the Body, or in its items."""
    prefix = "item" if each else "body"
    own = tuple((column.rpartition(".")[2], f"{prefix}.{column}") for column in columns.split())
    return Section(name, tuple(verbs.split()), (*WHO, *more, *own), each)


def _verbs(room: str, names: str) -> str:
    return " ".join(f"{room}{name}" for name in names.split())


WHAT: Column = ("what", "entry.verb")
BY: Column = ("by", "entry.actor")
FINDING_STEPS = (
    "opened grown reopened claimed released taken_over noted asked answered added read confirmed seconded returned "
    "dismissed closed"
)

PEOPLE = (
    _of("required", "training.assigned", "course cycle due_on rule"),
    _of(
        "duty",
        "training.due_moved training.cycle_ended",
        "course cycle due_on due_on_before because why ended_on",
        WHAT,
        BY,
    ),
    _of(
        "asked",
        "training.exemption_asked training.exemption_refused",
        "ask course reason starts_on ends_on",
        WHAT,
        BY,
    ),
    _of("exempted", "training.exempted", "course reason starts_on ends_on approved_by"),
    _of("seen", "training.edition_begun", "course cycle edition", ("fingerprint", "edition.fingerprint")),
    _of(
        "read",
        "training.lesson_finished",
        "course cycle edition module lesson opened_at finished_at seconds",
        ("fingerprint", "edition.fingerprint"),
    ),
    _of(
        "attempts",
        "quizzes.attempt_submitted",
        "attempt quiz number started_at submitted_at timed_out percent pass_percent passed paper",
    ),
    _of(
        "answers",
        "quizzes.attempt_submitted",
        "position question answer answered_at spent_ms points credit is_right is_counted",
        ("attempt", "body.attempt"),
        ("asked", ""),
        ("answered", ""),
        each="body.responses",
    ),
    _of(
        "regraded",
        "quizzes.attempt_regraded",
        "attempt recall",
        ("percent_before", "body.before.percent"),
        ("passed_before", "body.before.passed"),
        ("percent_after", "body.after.percent"),
        ("passed_after", "body.after.passed"),
    ),
    _of("passed", "training.module_passed", "course cycle edition module percent attempt"),
    _of(
        "completed",
        "training.completed",
        "course cycle edition completed_at expires_on percent study_seconds",
        ("fingerprint", "edition.fingerprint"),
    ),
    _of(
        "imported",
        "training.completion_imported",
        "course cycle edition completed_on expires_on percent file line",
        BY,
    ),
    _of("attested", "training.policy_signed", "policy version fingerprint period language proved_at proved_how shown"),
    _of(
        "certificates",
        _verbs("training.certificate_", "issued signed confirmed replaced revoked"),
        "serial reason replaced_by facts sha256 key",
        WHAT,
        BY,
    ),
    _of(
        "standing",
        "standing.changed",
        "after.training_state after.archive_state after.may_message after.reasons after.is_on_staff "
        "after.policy_version",
    ),
    _of(
        "findings",
        _verbs("archive.finding_", FINDING_STEPS),
        "finding kind severity facts before after how why text reason",
        WHAT,
        BY,
    ),
    _of("slips", "archive.slip_reported", "report happened_on where began about has_moved has_kept note"),
    _of("remedies", _verbs("standing.remedy_", "assigned done withdrawn"), "finding kind task lesson", WHAT),
    _of("reminders", "standing.reminded", "reasons", BY),
    _of(
        "details",
        "people.added people.changed",
        "key value",
        WHAT,
        BY,
        each="body.after",
    ),
    _of(
        "employment",
        _verbs("people.", "manager_set roles_given tags_set suspended readmitted leave_set")
        + " scim.person_named scim.person_removed",
        "before after reason first_on last_on",
        WHAT,
        BY,
    ),
)

CAPTURED = Section(
    "captured",
    ("archive.records_computed",),
    (
        ("entry", "entry.seq"),
        ("at", "entry.at"),
        ("person", "item.employee"),
        ("employee_no", ""),
        ("name", ""),
        ("month", "body.month"),
        ("policy", "body.policy"),
        ("version", "item.version"),
        ("final", "item.final"),
        ("why", "item.why"),
        ("covered_to", "item.covered_to"),
        *((name, f"item.metrics.{name}") for name in (
            "sent", "received", "captured", "client_captured", "client_sent", "active_days", "seat_days", "unknown",
            "after_refusal", "sent_unseated", "sent_barred", "recalls", "late", "media_missing", "findings_opened",
            "findings_closed", "findings_open",
        )),
        ("metrics", "item.metrics"),
    ),
    each="body.records",
    person="item.employee",
    is_whole=False,  # an Entry speaks of many people, and a later one may have taken its place
)  # fmt: skip

EDITIONS = Section(
    "editions",
    ("training.edition_published",),
    (
        ("entry", "entry.seq"),
        ("at", "entry.at"),
        ("course", "body.course"),
        ("edition", "body.edition"),
        ("fingerprint", "body.fingerprint"),
        ("languages", "body.languages"),
        ("modules", "body.modules"),
        ("lessons", "body.lessons"),
        ("questions", "body.questions"),
    ),
)

ALL = (*PEOPLE, CAPTURED, EDITIONS)
VERBS = tuple(sorted({verb for section in PEOPLE for verb in section.verbs} | {"quizzes.attempt_started"}))
