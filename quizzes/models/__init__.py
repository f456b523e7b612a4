"""questions: what can be asked. attempts: what was asked of whom, and answered. analysis: what
answers show. recalls: results that are looked at again."""

from quizzes.models.analysis import ItemFigures, QuizFigures
from quizzes.models.attempts import Attempt, ExtraTime, Printout, Response, Showing
from quizzes.models.questions import Bank, Question, Quiz
from quizzes.models.recalls import Recall, Regrade

__all__ = [
    "Attempt",
    "Bank",
    "ExtraTime",
    "ItemFigures",
    "Printout",
    "Question",
    "Quiz",
    "QuizFigures",
    "Recall",
    "Regrade",
    "Response",
    "Showing",
]
