"""What the form of a paper says: field names and values in, answers by position out."""

import re
from collections.abc import Mapping

from django.http import QueryDict

MOST_VALUES = 20  # of one field; no question has as many options
FIELD = re.compile(r"q([1-9][0-9]{0,2})(?:-([A-Za-z0-9_-]{1,40}))?")
REVISION = re.compile(r"r([1-9][0-9]{0,2})")
NUMBER = re.compile(r"[0-9]{1,9}")

Answers = dict[int, dict[str, list[str]]]


class NotAPaper(ValueError):
    """No page of ours sends such a form."""


def read_answers(data: QueryDict) -> tuple[Answers, dict[int, int]]:
    """Return ({position: {field: values}}, {position: revision}) as quizzes.services.save_answers takes them.

    A field is named ``q3`` or ``q3-<name>``; ``r3`` tells the revision of the answer that the page knows, and that the
    question is on it: one without any field of its own was left empty. Raises NotAPaper.
    """
    answers: Answers = {}
    revisions: dict[int, int] = {}
    for name, values in data.lists():
        if field := FIELD.fullmatch(name):
            if len(values) > MOST_VALUES:
                raise NotAPaper(name)
            answers.setdefault(int(field[1]), {})[field[2] or ""] = values
        elif revision := REVISION.fullmatch(name):
            if not NUMBER.fullmatch(values[-1]):
                raise NotAPaper(name)
            revisions[int(revision[1])] = int(values[-1])
    for position in revisions:
        answers.setdefault(position, {})
    return answers, revisions


def of_one(answers: Mapping[int, dict], position: int) -> dict[str, list[str]]:
    """Return what the form says of one question; it says nothing of others. Raises NotAPaper."""
    if answers.keys() - {position}:
        raise NotAPaper("other questions too")
    return answers.get(position, {})


def says_something(fields: Mapping[str, list[str]]) -> bool:
    """Return whether a question's fields hold an answer; a unit alone, which is chosen from the first, is none."""
    return any(value.strip() for name, values in fields.items() if name != "unit" for value in values)
