"""Plays what people do in the course, step by step, through the services that the pages call."""

import random

from portal.demo.people import SEED
from portal.demo.story import Step
from portal.people.models import Employee
from quizzes.models import Attempt, Question, Response
from training import learning
from training.models import Assignment, Course, Edition, Lesson

LANGUAGE = "en"


class Classroom:
    """Holds what every step needs, so that it is looked up once."""

    def __init__(self, course: Course) -> None:
        self.course = course
        edition: Edition = course.current
        # A published quiz never changes, so its questions are read once for all attempts.
        modules = edition.modules.select_related("quiz").prefetch_related("quiz__questions")
        self.modules = list(modules.order_by("position"))
        self.right = {q.pk: _right(q) for module in self.modules for q in module.quiz.questions.all()}
        self.lessons = [self._lessons(n) for n in range(len(self.modules))]
        self.people: dict[str, Employee] = {}
        self.assignments: dict[tuple[str, int], Assignment] = {}
        self.attempts: dict[str, Attempt] = {}
        self.chance = random.Random(f"answers/{SEED}")  # noqa: S311 - invented, not secret

    def _lessons(self, module: int) -> list[Lesson]:
        lessons = list(self.modules[module].lessons.order_by("position"))
        for lesson in lessons:
            lesson.module = self.modules[module]
        return lessons

    @property
    def sizes(self) -> list[int]:
        return [len(lessons) for lessons in self.lessons]

    def person(self, number: str) -> Employee:
        if number not in self.people:
            self.people[number] = Employee.objects.get(employee_no=number)
        return self.people[number]

    def assignment(self, number: str, cycle: int) -> Assignment:
        key = (number, cycle)
        if key not in self.assignments or self.assignments[key].edition_id is None:
            found = Assignment.objects.select_related("employee", "course")
            employee = self.person(number)
            self.assignments[key] = found.get(employee=employee, course=self.course, cycle=cycle)
        return self.assignments[key]

    def play(self, step: Step) -> None:
        assignment, by = self.assignment(step.number, step.cycle), self.person(step.number).uid
        if step.what == "open":
            learning.open_lesson(assignment=assignment, lesson=self.lessons[step.module][step.lesson], by=by)
        elif step.what == "finish":
            learning.finish_lesson(assignment=assignment, lesson=self.lessons[step.module][step.lesson])
        elif step.what == "start":
            module = self.modules[step.module]
            self.attempts[step.number] = learning.start_quiz(
                assignment=assignment, module=module, language=LANGUAGE, by=by
            )
        else:
            attempt = self.attempts.pop(step.number)
            learning.submit_quiz(attempt=attempt, answers=self._answers(attempt, step.passes), by=by)

    def _answers(self, attempt: Attempt, passes: bool) -> dict[int, list[str]]:
        """Answer so that the attempt passes, mostly without a mistake, or so that it fails."""
        responses = list(attempt.responses.only("position", "tokens", "question_id", "must_pass").order_by("position"))
        most = len(responses) - -(-len(responses) * attempt.pass_percent // 100)  # mistakes that still pass
        mistakes = self.chance.choice([0, 0, most]) if passes else most + self.chance.randint(1, 2)
        may_be_wrong = [n for n, response in enumerate(responses) if not (passes and response.must_pass)]
        wrong = set(self.chance.sample(may_be_wrong, min(mistakes, len(may_be_wrong))))
        return {r.position: self._ticked(r, is_right=n not in wrong) for n, r in enumerate(responses)}

    def _ticked(self, response: Response, *, is_right: bool) -> list[str]:
        """Return the tokens of the right options, or that of a wrong one alone."""
        right = self.right[response.question_id]
        chosen = [token for token, option in response.tokens.items() if (option in right) == is_right]
        return chosen if is_right else chosen[:1]  # where every option is right nothing is ticked: that is wrong too


def _right(question: Question) -> set[str]:
    return {option["id"] for option in question.options if option.get("right")}
