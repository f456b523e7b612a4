"""questions: what can be asked. attempts: what was asked of whom, and answered."""

from quizzes.models.attempts import Attempt, ExtraTime, Printout, Response, Showing
from quizzes.models.questions import Bank, Question, Quiz

__all__ = ["Attempt", "Bank", "ExtraTime", "Printout", "Question", "Quiz", "Response", "Showing"]
