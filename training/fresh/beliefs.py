"""What people hold to be true and is not: wrong answers that were given with certainty, by module. About nobody."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils.translation import get_language

from quizzes.models import Question
from quizzes.papers import told
from training.models import Course, FreshAsk

LOOKS_BACK = timedelta(days=182)
FEWEST_ASKED = 20  # people who said how sure they are; with fewer it would be about somebody
FEWEST_HELD = 5  # people who hold it


@dataclass(frozen=True)
class Belief:
    """A wrong answer, and how many held it firmly. ``share``: percent of those who said how sure they are."""

    stem: str
    answer: str
    right: str
    held: int
    asked: int

    @property
    def share(self) -> int:
        return self.held * 100 // self.asked


@dataclass(frozen=True)
class OfModule:
    title: str
    beliefs: list[Belief]
    hidden: int  # wrong answers held firmly by too few to be shown


def beliefs(now: datetime) -> list[OfModule]:
    """Return the modules of all courses in order, each with its beliefs, the most widely held first. Five queries.

    Each person counts once for a question and an answer. A changed question is another question.
    """
    told_sure = FreshAsk.objects.filter(sure__isnull=False, answered_at__gte=now - LOOKS_BACK).order_by()
    rows = told_sure.values("question", "chosen", "card__course", "card__module")
    firm = list(rows.filter(is_right=False, sure=FreshAsk.Sure.CERTAIN).annotate(held=Count("employee", distinct=True)))
    asked = told_sure.filter(question__in={row["question"] for row in firm}).values_list("question")
    people = dict(asked.annotate(Count("employee", distinct=True)))
    questions = Question.objects.in_bulk(people)
    found: defaultdict[tuple[int, str], list[Belief]] = defaultdict(list)
    hidden: defaultdict[tuple[int, str], int] = defaultdict(int)
    for row in firm:
        module = row["card__course"], row["card__module"]
        if people[row["question"]] < FEWEST_ASKED or row["held"] < FEWEST_HELD:
            hidden[module] += 1
            continue
        found[module].append(_belief(questions[row["question"]], row["chosen"], row["held"], people[row["question"]]))
    return [
        OfModule(title, sorted(found[key], key=lambda one: (-one.share, -one.held, one.stem)), hidden[key])
        for key, title in _modules()
    ]


def _belief(question: Question, chosen: str, held: int, asked: int) -> Belief:
    lang = get_language() or ""
    wrong = next((o for o in question.options if o["id"] == chosen), {"text": {}})
    right = next(option for option in question.options if option.get("right"))
    return Belief(told(question.stem, lang), told(wrong["text"], lang), told(right["text"], lang), held, asked)


def _modules() -> list[tuple[tuple[int, str], str]]:
    """Return ((course, module), title) of the newest editions."""
    lang, found = get_language() or "", []
    courses = Course.objects.filter(Q(fresh_cards__isnull=False)).distinct().order_by("pk")
    for course in courses.prefetch_related("editions__modules"):
        newest = max(course.editions.all(), key=lambda edition: edition.number)
        found += [((course.pk, module.slug), told(module.title, lang)) for module in newest.modules.all()]
    return found
