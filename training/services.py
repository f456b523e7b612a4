"""The front door of the room: every verb and every question that others may use, by its name."""

from training.assignments import apply_rules, apply_to_people, assign, exempt, material_change, set_rule, start_run
from training.attesting import newest_versions, publish_policy, sign, signature_counts, to_sign, unsigned
from training.certificates import AlreadyRevoked, NoReason, draw, issue, reissue, revoke
from training.exports import ask as ask_for_export
from training.facts import (
    facts_for,
    first_tries,
    history_of,
    imported_of,
    module_marks,
    module_slugs,
    module_titles,
    permit_course,
)
from training.learning import (
    AlreadyPassed,
    LessonsLeft,
    ModulesLeft,
    NotInEdition,
    answer_block,
    complete,
    finish_lesson,
    note_reading,
    open_lesson,
    start_quiz,
    submit_quiz,
)
from training.outline import outlines, todo_for

__all__ = [
    "AlreadyPassed",
    "AlreadyRevoked",
    "LessonsLeft",
    "ModulesLeft",
    "NoReason",
    "NotInEdition",
    "answer_block",
    "apply_rules",
    "apply_to_people",
    "ask_for_export",
    "assign",
    "complete",
    "draw",
    "exempt",
    "facts_for",
    "finish_lesson",
    "first_tries",
    "history_of",
    "imported_of",
    "issue",
    "material_change",
    "module_marks",
    "module_slugs",
    "module_titles",
    "newest_versions",
    "note_reading",
    "open_lesson",
    "outlines",
    "permit_course",
    "publish_policy",
    "reissue",
    "revoke",
    "set_rule",
    "sign",
    "signature_counts",
    "start_quiz",
    "start_run",
    "submit_quiz",
    "to_sign",
    "todo_for",
    "unsigned",
]
