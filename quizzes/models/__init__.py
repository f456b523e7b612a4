"""questions: what can be asked. attempts: what was asked of whom, and answered. analysis: what
answers show. recalls: results that are looked at again. uploads: files before they are
imported."""

from quizzes.models.analysis import ItemFigures, QuizFigures
from quizzes.models.attempts import Attempt, ExtraTime, Printout, Response, Showing
from quizzes.models.questions import Bank, Question, QuestionStep, Quiz
from quizzes.models.recalls import Recall, Regrade
from quizzes.models.signals import Signal
from quizzes.models.uploads import Upload

__all__ = [
    "Attempt",
    "Bank",
    "ExtraTime",
    "ItemFigures",
    "Printout",
    "Question",
    "QuestionStep",
    "Quiz",
    "QuizFigures",
    "Recall",
    "Regrade",
    "Response",
    "Showing",
    "Signal",
    "Upload",
]
