"""questions: what can be asked. attempts: what was asked of whom, and answered. analysis: what answers show."""

from quizzes.models.analysis import ItemFigures, QuizFigures
from quizzes.models.attempts import Attempt, ExtraTime, Printout, Response, Showing
from quizzes.models.questions import Bank, Question, Quiz

__all__ = [
    "Attempt",
    "Bank",
    "ExtraTime",
    "ItemFigures",
    "Printout",
    "Question",
    "Quiz",
    "QuizFigures",
    "Response",
    "Showing",
]
