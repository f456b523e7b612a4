"""The demo firm's weekly questions: most people answer both, and a few things are widely and firmly held wrong."""

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from portal.demo.people import SEED
from portal.people import calendars
from portal.people.models import Employee
from quizzes.models import Question
from training.fresh import asking
from training.models import FreshAsk

WEEKS = 8  # before this one; so many are enough for what is firmly held to come above the smallest number shown
ANSWERS, TELLS, RIGHT = 0.85, 0.95, 0.8  # of people in a week; of answers, how sure; of answers, right
MISTAKEN = 3  # of so many questions one is held wrong by many
HOLDS_IT = 0.55  # of those who are asked such a question
Sure = FreshAsk.Sure


def days(today: date, weeks: int) -> Iterator[tuple[datetime, Callable[[], object]]]:
    """Yield when what is done: each Wednesday at noon people answer. The week of ``today`` is left to be tried.

    ``weeks``: how many the firm's archive has.
    """
    home, monday = timezone.get_default_timezone(), today - timedelta(days=today.weekday())
    for back in range(min(WEEKS, weeks), 0, -1):
        wednesday = monday - timedelta(weeks=back) + timedelta(days=2)
        yield datetime.combine(wednesday, time(12), home), partial(answer_all, random.Random(f"{SEED}/{wednesday}"))  # noqa: S311


@transaction.atomic
def answer_all(chance: random.Random) -> int:
    """Let people answer what they are asked this week. Return how many answers were given."""
    given = 0
    for person in Employee.objects.filter(is_active=True, completions__isnull=False).distinct().order_by("pk"):
        if chance.random() < ANSWERS:
            for ask in asking.ask(employee=person, day=calendars.local_day(person)):
                if ask.answered_at is None:
                    token, sure = _choice(ask, chance)
                    asking.answer(ask=ask, token=token, sure=sure, language=person.language or "en")
                    given += 1
    return given


def _choice(ask: FreshAsk, chance: random.Random) -> tuple[str, int | None]:
    """Return the token that is chosen, and how sure that person says they are."""
    right, wrong = _right(ask.question), sorted(name for name in ask.order if name != _right(ask.question))
    held = wrong[0] if _is_held_wrong(ask.question) else None
    if held and chance.random() < HOLDS_IT:
        chosen, sure = held, Sure.CERTAIN
    elif chance.random() < RIGHT:
        chosen, sure = right, chance.choice([Sure.FAIRLY, Sure.CERTAIN, Sure.CERTAIN])
    else:
        chosen, sure = chance.choice(wrong), chance.choice([Sure.GUESSING, Sure.GUESSING, Sure.FAIRLY])
    tokens = {name: token for token, name in ask.tokens.items()}
    return tokens[chosen], (sure.value if chance.random() < TELLS else None)


def _right(question: Question) -> str:
    return next(option["id"] for option in question.options if option.get("right"))


def _is_held_wrong(question: Question) -> bool:
    return random.Random(f"{SEED}/{question.slug}").randrange(MISTAKEN) == 0  # noqa: S311 - invented, not secret
