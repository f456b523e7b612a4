"""What a question of each kind is made of, beside what all kinds have."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from quizzes.kinds import KINDS
from quizzes.kinds.chat import MESSAGE_KINDS, Mark
from quizzes.models import Question

Label = str | Promise


@dataclass(frozen=True)
class Field:
    """A field of a row. ``look``: texts (one a language), wordings (several, one a line, for each language), flag,
    number, choice (of ``choices``), or ref: the id of a row of the list ``of``. ``is_needed``: in every language told.
    """

    name: str
    look: str
    label: Label
    is_needed: bool = False
    choices: tuple[tuple[str, Label], ...] = ()
    of: str = ""
    key: str = ""  # under which the question keeps it; "": its name


@dataclass(frozen=True)
class Rows:
    """A list of rows. ``fewest``: rows shown of a new question. ``is_ordered``: their order says something."""

    name: str
    label: Label  # of a row, with %(n)s
    fields: tuple[Field, ...]
    most: int
    fewest: int = 2
    first_id: str = ""  # "": a, b, c …; "s": s1, s2 …
    is_ordered: bool = False
    within: "Rows | None" = None


@dataclass(frozen=True)
class Shape:
    rows: tuple[Rows, ...]
    fields: tuple[Field, ...] = ()  # of the question as a whole
    is_shuffled: bool = False

    @property
    def texts(self) -> Iterator[Field]:
        return (field for field in self.fields if field.look == "texts")


TEXT = Field("text", "texts", _("Text"), is_needed=True)
WHY = Field("why", "texts", _("Why"))
RIGHT = Field("right", "flag", _("It is right"))
WEIGHT = Field("weight", "number", _("Weight, where it earns a part"))
ACCEPTS = Field("accepts", "wordings", _("Wordings, one a line; * stands for anything"), is_needed=True)
CASE = Field("case", "flag", _("Capitals count"))
FACTOR = Field("factor", "number", _("How many of it make the expected unit: 1, 1/12"))
MARKS = (("", _("scenery: not to be marked")), *Mark.choices)
SENT_AS = tuple(
    zip(
        MESSAGE_KINDS,
        (
            _("text"), _("voice"), _("picture"), _("file"), _("link"), _("sticker"), _("red packet"), _("recalled"),
            _("forwarded"),
        ),
        strict=True,
    )
)  # fmt: skip

OPTION = Rows("options", _("Option %(n)s"), (RIGHT, TEXT, WHY, WEIGHT), most=8, fewest=4)
CHOICES = Rows("choices", _("Choice %(n)s"), (TEXT, Field("to", "ref", _("Leads to"), of="scenes"), WHY), most=6)

SHAPES = {
    "single": Shape((OPTION,), is_shuffled=True),
    "multiple": Shape((OPTION,), is_shuffled=True),
    "truefalse": Shape((OPTION,), is_shuffled=True),
    "matching": Shape(
        (
            Rows("options", _("Option %(n)s"), (TEXT, WHY), most=10, fewest=3),
            Rows(
                "prompts",
                _("Prompt %(n)s"),
                (TEXT, Field("match", "ref", _("Belongs to"), of="options"), WHY),
                most=8,
                first_id="p",
            ),
        ),
        is_shuffled=True,
    ),
    "ordering": Shape((Rows("options", _("Place %(n)s"), (TEXT, WHY), most=8, fewest=3, is_ordered=True),)),
    "numeric": Shape(
        (
            Rows(
                "options",
                _("Value %(n)s"),
                (
                    RIGHT,
                    Field("value", "number", _("Value"), is_needed=True),
                    Field("tolerance", "number", _("Tolerance: a number, or 5%")),
                    WHY,
                    WEIGHT,
                ),
                most=8,
            ),
            Rows("units", _("Unit %(n)s"), (TEXT, FACTOR), most=6, first_id="u"),
        )
    ),
    "text": Shape((Rows("options", _("Answer %(n)s"), (RIGHT, ACCEPTS, WHY, WEIGHT), most=12),), (CASE,)),
    "chat": Shape(
        (
            Rows(
                "messages",
                _("Message %(n)s"),
                (
                    Field("sender", "texts", _("From"), is_needed=True),
                    Field("me", "flag", _("The learner's own side")),
                    Field("kind", "choice", _("Sent as"), choices=SENT_AS),
                    TEXT,
                    Field("mark", "choice", _("Mark"), choices=MARKS),
                    WHY,
                ),
                most=12,
                fewest=3,
                first_id="m",
                is_ordered=True,
            ),
        ),
        (Field("title", "texts", _("Who the chat is with"), is_needed=True),),
    ),
    "scenario": Shape(
        (
            Rows(
                "scenes",
                _("Scene %(n)s"),
                (TEXT, Field("weight", "number", _("If the story ends here: its weight, 1 for the best end")), WHY),
                most=30,
                fewest=3,
                first_id="s",
                within=CHOICES,
            ),
        ),
        (Field("start", "ref", _("The story begins with"), of="scenes"),),
    ),
}
CREDIT = {
    "all": _("all or nothing"),
    "parts": _("a part for each part that is right"),
    "weights": _("by the weights"),
}


def credits_of(kind: str) -> list[tuple[str, Label]]:
    """Return the rules of part credit that a kind has; none where there is nothing to choose."""
    rules = KINDS[kind].credit_rules
    usual = _("as usual: %(rule)s") % {"rule": CREDIT.get(rules[0], rules[0])} if len(rules) > 1 else ""
    return [("", usual), *((rule, CREDIT.get(rule, rule)) for rule in rules)] if len(rules) > 1 else []


def begun(kind: str) -> dict[str, str]:
    """Return the form of a question of which nothing is written yet."""
    kind = kind if kind in SHAPES else Question.Kind.SINGLE
    data = {"kind": str(kind), "difficulty": "2", "points": "1", "shuffle": "on"}
    data |= {"start": "s1"} if kind == Question.Kind.SCENARIO else {}
    return data | {f"{rows.name}-rows": str(rows.fewest) for rows in SHAPES[kind].rows}
