"""Questions are asked and answered: one function a verb. Locks: the person, the card, the ledger."""

import random
import secrets
from datetime import date

from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people import calendars
from portal.people.models import Employee
from quizzes.kinds import kind_of
from quizzes.models import Question
from quizzes.services import ForgedAnswer
from training.assignments import lock_person
from training.fresh import schedule, waiting
from training.fresh.schedule import Place
from training.models import Edition, FreshAsk, FreshCard


class AnsweredAlready(Exception):
    """A question is answered once."""


class WeekOver(Exception):
    """The week of the question has ended; what it did not answer comes again."""


@transaction.atomic
def ask(*, employee: Employee, day: date) -> list[FreshAsk]:
    """Return this week's questions of a person, asking those that are still to be asked. Asked again, the same."""
    mine = waiting.of([employee], day).get(employee.pk)
    if mine and not (mine.again or mine.new):
        return mine.asked
    lock_person(employee.pk)
    mine = waiting.of([employee], day).get(employee.pk)
    if mine is None:
        return []
    cards = [*mine.again, *(_begun(employee, one, day) for one in mine.new)]
    questions = Question.objects.in_bulk(mine.known[card.bank_id, card.slug].question for card in cards)
    for place, card in enumerate(cards, start=len(mine.asked) + 1):
        question = questions[mine.known[card.bank_id, card.slug].question]
        mine.asked.append(_asked(employee, card, question, mine.week, place))
    return mine.asked


def edition_of(ask: FreshAsk) -> Edition:
    """Return the newest edition that asks this version of the question: its sources are the question's. A query."""
    asking = Edition.objects.filter(course=ask.card.course_id, modules__quiz__questions=ask.question_id)
    return asking.order_by("-number")[0]


def _begun(employee: Employee, one: waiting.Known, day: date) -> FreshCard:
    bank, slug = one.key
    about = {"course_id": one.course, "module": one.module, "due_on": day}
    return FreshCard.objects.create(employee=employee, bank_id=bank, slug=slug, **about)


def _asked(employee: Employee, card: FreshCard, question: Question, week: date, place: int) -> FreshAsk:
    order = kind_of(question.content).order(question.content, random.Random(secrets.token_hex(16)))  # noqa: S311
    return FreshAsk.objects.create(
        employee=employee,
        card=card,
        question=question,
        week=week,
        place=place,
        order=order,
        tokens={secrets.token_urlsafe(9): name for name in order},
        asked_at=timezone.now(),
    )


@transaction.atomic
def answer(*, ask: FreshAsk, token: str, sure: int | None, language: str) -> FreshAsk:
    """Grade an answer, and say when the question comes again. ``sure``: as FreshAsk.Sure; None: not told.

    Raises AnsweredAlready, WeekOver, quizzes.services.ForgedAnswer.
    """
    me = lock_person(ask.employee_id)
    ask = FreshAsk.objects.select_related("card__course", "question").get(pk=ask.pk)
    now = timezone.now()
    today = calendars.local_day(me, now)
    if ask.answered_at:
        raise AnsweredAlready(str(ask))
    if ask.week != schedule.week_of(today):
        raise WeekOver(str(ask))
    if token not in ask.tokens or (sure is not None and sure not in FreshAsk.Sure.values):
        raise ForgedAnswer(str(ask))
    content = ask.question.content
    ask.chosen, ask.sure, ask.language, ask.answered_at = ask.tokens[token], sure, language, now
    ask.is_right = kind_of(content).credit(content, [ask.chosen]) == 1
    ask.save(update_fields=["chosen", "sure", "language", "answered_at", "is_right"])
    _move(ask, today)
    _record(ask, me.uid)
    return ask


def _move(ask: FreshAsk, today: date) -> None:
    card = ask.card
    place = schedule.after(Place(card.right_in_a_row, card.due_on), is_right=ask.is_right, on=today)
    card.right_in_a_row, card.due_on = place.right_in_a_row, place.due_on
    card.save(update_fields=["right_in_a_row", "due_on"])


def _record(ask: FreshAsk, who: str) -> None:
    card = ask.card
    body = {"course": card.course.slug, "module": card.module, "question": str(ask.question), "order": ask.order}
    body |= {"fingerprint": ask.question.fingerprint, "week": ask.week.isoformat(), "chosen": ask.chosen}
    body |= {"is_right": ask.is_right, "sure": ask.sure, "language": ask.language, "asked_at": ask.asked_at}
    body |= {"answered_at": ask.answered_at, "comes_again_on": card.due_on.isoformat() if card.due_on else None}
    ledger.append(verb="training.fresh_answered", actor=who, subject=who, body=body)
