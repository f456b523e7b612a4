"""The front door of the room: every verb and every question that others may use, by its name."""

from training.assignments import apply_rules, assign, exempt, set_rule
from training.certificates import AlreadyRevoked, NoReason, NotOnesOwn, draw, issue, reissue, revoke
from training.exports import ask as ask_for_export
from training.facts import (
    facts_for,
    first_tries,
    history_of,
    module_marks,
    module_slugs,
    module_titles,
    permit_course,
    tries_of,
)
from training.kept import overdue_lessons
from training.learning import (
    AlreadyPassed,
    LessonsLeft,
    ModulesLeft,
    NotInEdition,
    TestOutSpent,
    answer_block,
    complete,
    finish_lesson,
    note_reading,
    open_lesson,
    start_quiz,
    start_test_out,
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
    "NotOnesOwn",
    "TestOutSpent",
    "answer_block",
    "apply_rules",
    "ask_for_export",
    "assign",
    "complete",
    "draw",
    "exempt",
    "facts_for",
    "finish_lesson",
    "first_tries",
    "history_of",
    "issue",
    "module_marks",
    "module_slugs",
    "module_titles",
    "note_reading",
    "open_lesson",
    "outlines",
    "overdue_lessons",
    "permit_course",
    "reissue",
    "revoke",
    "set_rule",
    "start_quiz",
    "start_test_out",
    "submit_quiz",
    "todo_for",
    "tries_of",
]
