"""The front door of the room: every verb that others may use, by its name. Each has its Entry."""

from quizzes.answering import (
    AlreadySubmitted,
    ForgedAnswer,
    NotYours,
    OutOfDate,
    Sent,
    TooLate,
    look_at,
    progress,
    save_answer,
    save_answers,
    submit,
)
from quizzes.extra_time import AlreadyEnded, NotForOneself, end_extra_time, extra_percent, grant_extra_time
from quizzes.formats.base import NotThisFormat
from quizzes.importing import bank_slug, export_questions, import_questions
from quizzes.publishing import (
    AlreadyWithdrawn,
    BadQuestion,
    NoReason,
    publish_bank,
    publish_quiz,
    withdraw_question,
)
from quizzes.recalls import ask_again, recall_question
from quizzes.starting import MustWait, NothingToAsk, language_for, next_try_at, note_showing, start_attempt

__all__ = [
    "AlreadyEnded",
    "AlreadySubmitted",
    "AlreadyWithdrawn",
    "BadQuestion",
    "ForgedAnswer",
    "MustWait",
    "NoReason",
    "NotForOneself",
    "NotThisFormat",
    "NotYours",
    "NothingToAsk",
    "OutOfDate",
    "Sent",
    "TooLate",
    "ask_again",
    "bank_slug",
    "end_extra_time",
    "export_questions",
    "extra_percent",
    "grant_extra_time",
    "import_questions",
    "language_for",
    "look_at",
    "next_try_at",
    "note_showing",
    "progress",
    "publish_bank",
    "publish_quiz",
    "recall_question",
    "save_answer",
    "save_answers",
    "start_attempt",
    "submit",
    "withdraw_question",
]
