"""What the pages of question banks show, as plain data."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from portal.people.models import Employee
from quizzes import advice
from quizzes.kinds import kind_of
from quizzes.kinds.base import Tell
from quizzes.models import Bank, ItemFigures, Question, Quiz
from quizzes.papers import told
from quizzes.publishing import LATER_FIELDS, QUESTION_FIELDS

MOST_READERS = 5


@dataclass(frozen=True)
class Filters:
    """What a list of questions is narrowed to; "" and None: not."""

    text: str = ""
    tag: str = ""
    kind: str = ""
    state: str = ""

    def choose(self, questions: QuerySet) -> QuerySet:
        if self.kind:
            questions = questions.filter(kind=self.kind)
        if self.state == "withdrawn":
            questions = questions.exclude(withdrawn_at=None)
        elif self.state == "urgent":
            questions = questions.filter(words__in=ItemFigures.objects.filter(urgency__gte=2).values("words"))
        elif self.state:
            questions = questions.filter(state=self.state, withdrawn_at=None)
        return questions


def bank_rows(lang: str) -> list[dict]:
    """Return every bank: {slug, title, questions, waiting, withdrawn, urgent}. Two queries."""
    newest = Question.objects.newest()
    counted = Bank.objects.annotate(
        total=Count("questions", filter=Q(questions__in=newest)),
        waiting=Count("questions", filter=Q(questions__in=newest, questions__state=Question.State.PROPOSED)),
        withdrawn=Count("questions", filter=Q(questions__in=newest, questions__withdrawn_at__isnull=False)),
    ).order_by("slug")
    urgent_words = ItemFigures.objects.filter(urgency__gte=2).values("words")
    urgent = Counter(newest.filter(words__in=urgent_words).values_list("bank", flat=True))
    return [
        {
            "slug": bank.slug,
            "title": told(bank.title, lang),
            "questions": bank.total,
            "waiting": bank.waiting,
            "withdrawn": bank.withdrawn,
            "urgent": urgent[bank.pk],
        }
        for bank in counted
    ]


def quiz_rows(lang: str) -> list[dict]:
    """Return the quizzes that have figures, the least reliable first: {title, slug, people, percent, …}. One query."""
    rows = [
        {
            "title": told(quiz.title, lang),
            "slug": quiz.slug,
            "people": quiz.figures.people,
            "passed_percent": round(quiz.figures.figures["passed"] * 100 / quiz.figures.people),
            "percent": quiz.figures.figures["percent"],
            "reliability": quiz.figures.figures["reliability"],
        }
        for quiz in Quiz.objects.select_related("figures").filter(figures__isnull=False)
    ]
    return sorted(rows, key=lambda row: (row["reliability"] or [2])[0])


def found_in(bank: Bank, filters: Filters) -> list[int]:
    """Return the ids of the newest versions that fit, in the order of their slugs. One query.

    Words and tags are looked for here: each database searches JSON in a way of its own.
    """
    rows = filters.choose(bank.questions.newest()).order_by("slug").values_list("pk", "slug", "stem", "tags")
    wanted = filters.text.casefold()
    return [
        pk
        for pk, slug, stem, tags in rows
        if (not filters.tag or filters.tag in tags) and (not wanted or wanted in _searched(slug, stem, tags))
    ]


def rows_of(pks: Sequence[int], lang: str) -> list[dict]:
    """Return what a list says of these questions. Two queries."""
    rows = list(Question.objects.filter(pk__in=pks).order_by("slug"))
    figures = {one.words: one for one in ItemFigures.objects.filter(words__in=[row.words for row in rows])}
    return [row_of(question, figures.get(question.words), lang) for question in rows]


def _searched(slug: str, stem: Mapping[str, str], tags: Sequence[str]) -> str:
    return "\n".join([slug, *stem.values(), *tags]).casefold()


def row_of(question: Question, figures: ItemFigures | None, lang: str) -> dict:
    shown = figures.figures if figures else {}
    return {
        "slug": question.slug,
        "version": question.version,
        "stem": told(question.stem, lang),
        "kind": question.get_kind_display(),
        "tags": question.tags,
        "difficulty": question.difficulty,
        "state": question.state,
        "state_label": question.get_state_display(),
        "is_withdrawn": question.withdrawn_at is not None,
        "n": figures.n if figures else 0,
        "facility": _percent(shown.get("facility")),
        "discrimination": (shown.get("discrimination") or [None])[0],
        "urgency": figures.urgency if figures else 0,
    }


def _percent(interval: Sequence[float] | None) -> int | None:
    return None if interval is None else round(interval[0] * 100)


def tags_of(bank: Bank) -> list[tuple[str, int]]:
    """Return the tags of the bank's newest questions, with how many have each."""
    counted = Counter(tag for tags in bank.questions.newest().values_list("tags", flat=True) for tag in tags)
    return sorted(counted.items())


def explained(question: Question, lang: str) -> dict:
    """Return a question as its result would explain it to whoever answered nothing: what is right, and why."""
    content = question.content
    kind = kind_of(content)
    tell: Tell = partial(told, lang=lang)
    order = [option["id"] for option in content["options"]]
    if question.kind in (Question.Kind.MATCHING,):
        order = [prompt["id"] for prompt in content["detail"]["prompts"]] + order
    if question.kind == Question.Kind.SCENARIO:
        order = [choice["id"] for scene in content["detail"]["scenes"] for choice in scene.get("choices", ())]
    return {
        "look": kind.look,
        "stem": told(question.stem, lang),
        "explanation": told(question.explanation, lang),
        **kind.explained(content, order, None, tell),
    }


def unsaved(given: Mapping) -> Question:
    """Return a question as a row that is not saved; fields that came later may be left out."""
    later = {name: given.get(name, default) for name, default in LATER_FIELDS.items()}
    return Question(**{name: given[name] for name in QUESTION_FIELDS}, **later)


def previews(given: Mapping) -> list[dict]:
    """Return how a question that is not saved would look: [{lang, paper, explained}], one for each language of it."""
    question = unsaved(given)
    content, kind = question.content, kind_of(question.content)
    names = {name: f"t{place}" for place, name in enumerate(kind.order(content, random.Random(0)))}  # noqa: S311
    found = []
    for lang in languages_of(question):
        paper = {"position": 1, "look": kind.look, "stem": told(question.stem, lang)}
        paper |= kind.shown(content, names, None, partial(told, lang=lang))
        found.append({"lang": lang, "paper": paper, "explained": explained(question, lang)})
    return found


def figures_of(question: Question, lang: str) -> dict | None:
    """Return what answers have shown about the question, ready to be drawn; None before the first analysis."""
    row = ItemFigures.objects.filter(words=question.words).first()
    if row is None:
        return None
    content = question.content
    parts_told = kind_of(content).parts_told(content, partial(told, lang=lang))
    texts = {part["key"]: part["text"] for part in parts_told}
    most = max((part["n"] for part in row.figures["parts"]), default=0)
    return {
        "n": row.n,
        "computed_at": row.computed_at,
        "blank_percent": round(row.figures["blank"] * 100 / row.n) if row.n else 0,
        "facility": [round(value * 100) for value in row.figures["facility"] or []],
        "discrimination": row.figures["discrimination"],
        "median_seconds": row.figures["median_seconds"],
        "parts": [
            part
            | {
                "text": texts.get(part["key"], part["key"]),
                "percent": round(part["n"] * 100 / row.n),
                "rest": round(part["rest"] * 100),
            }
            for part in row.figures["parts"]
            if part["n"] or part["right"] or most < row.n
        ],
        "typed": [
            one | {"percent": round(one["n"] * 100 / row.n), "credit": round(one["credit"] * 100)}
            for one in row.figures["typed"]
        ],
        "advice": [{"words": advice.told(one, texts), "weight": one["weight"]} for one in row.figures["advice"]],
    }


def usage_of(question: Question) -> dict:
    """Return where this version is asked, and how often it was shown. Two queries."""
    return {
        "quizzes": list(question.quizzes.order_by("slug").values_list("slug", flat=True)),
        "shown": question.responses.count(),
    }


def versions_of(bank: Bank, slug: str) -> list[Question]:
    """Return all versions of a question, the newest first, with how often each was shown."""
    rows = bank.questions.filter(slug=slug).select_related("written_by", "reviewed_by", "withdrawn_by")
    return list(rows.annotate(shown=Count("responses")).order_by("-version"))


def readers_of(question: Question) -> list[str]:
    """Return the names of some who may review a question. One query."""
    authors = Employee.objects.filter(is_active=True, groups__permissions__codename="change_question")
    found = authors.exclude(pk=question.written_by_id).distinct().order_by("pk")[:MOST_READERS]
    return [reader.name for reader in found]


def language_of(bank: Bank, wanted: str) -> str:
    """Return the language in which most questions of the bank are told; the one wanted, if as many are told in it."""
    told_in = Counter(code for stem in bank.questions.newest().values_list("stem", flat=True) for code in stem)
    return max(told_in, key=lambda code: (told_in[code], code == wanted, code), default=wanted)


def languages_of(question: Question) -> list[str]:
    return [code for code, _name in settings.LANGUAGES if code in question.stem]
