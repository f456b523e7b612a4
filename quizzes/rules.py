"""What a question must be, and how its texts are told. Plain values in, plain values out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

FEWEST_OPTIONS, MOST_OPTIONS = 2, 8


class Flaw(NamedTuple):
    """Something wrong with a question. ``path`` leads to it: ("options", 2, "why"). ``remedy`` says what to do."""

    path: tuple[str | int, ...]
    what: str
    remedy: str


def flaws_in_key(kind: str, options: Sequence[Mapping]) -> Iterator[Flaw]:
    """Yield what is wrong with the options and with which of them are right.

    ``options`` are mappings with ``id`` and, where it is a right answer, ``right: True``.
    """
    right = [number for number, option in enumerate(options) if option.get("right") is True]
    if kind == "truefalse" and len(options) != 2:
        yield Flaw(
            ("options",),
            _("a truefalse question has %(n)s options") % {"n": len(options)},
            _("Give it two: true and false."),
        )
    elif not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS:
        remedy = _("Give it %(fewest_options)s to %(most_options)s.") % {
            "fewest_options": FEWEST_OPTIONS,
            "most_options": MOST_OPTIONS,
        }
        yield Flaw(("options",), _("a question has %(n)s options") % {"n": len(options)}, remedy)
    if not right:
        yield Flaw(("options",), _("no option is right"), _("Mark the right one: in a file with 'right: true'."))
    elif len(right) > 1 and kind != "multiple":
        remedy = _("Leave one, or make the question 'kind: multiple'.")
        yield Flaw(
            ("options", right[1]),
            _("a %(kind)s question has %(n)s right options") % {"kind": kind, "n": len(right)},
            remedy,
        )
    known: set[object] = set()
    for number, option in enumerate(options):
        if option.get("id") in known:
            yield Flaw(
                ("options", number, "id"),
                _("option id %(id)r is there twice") % {"id": option.get("id")},
                _("Rename one."),
            )
        known.add(option.get("id"))


def language_of(languages: Collection[str], wanted: str, fallback: str) -> str:
    """Return the language in which to tell what exists in ``languages``: the wanted one, the fallback, any at all."""
    return next((one for one in (wanted, fallback) if one in languages), min(languages, default=fallback))
