"""Why somebody owes a course, and why by that date: kept as facts, told in any language at any time.

What Assignment.because holds, all of it optional, for cycles made before there was any of it have none:

    rule, name, version       the rule that gave the date
    rules, also               numbers of all rules that called for it; names of the others
    matched                   [{fact, is, not?, names}] what of the audience the person met
    what, counted_on          from what the date was counted: joined, start, entered, material, lapses, season, rejoined
    due_kind, due_days        how the rule counts
    jurisdiction              whose working days
    is_least                  the date is later than counted, because nobody is late on the day they are told
    base_due, away            the date before long leave moved it, and by how many working days
    leave_from                a later rule moved the date on this day: leave counts from it, not from the assignment
    exempt_until              it waited for the end of an exemption
    by_hand                   nobody's rule: who assigned it (uid)
    imported                  fingerprint of the file that a past completion came from
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from portal.people.models import Office
from training import audiences
from training.audiences import MANAGER, Kind, Person
from training.deciding import Opening
from training.duties import DueKind
from training.looking import Book
from training.models import Assignment
from training.rules import told


def because(opening: Opening, person: Person, book: Book) -> dict:
    """Return the facts of a cycle that the rules have just called for."""
    terms = opening.terms
    tree = book.trees.get(terms.rule, audiences.EVERYBODY)
    matched = audiences.matched(tree, person, today=book.today, below=book.below)
    facts = {
        "rule": terms.rule,
        "name": terms.name,
        "version": terms.version,
        "rules": [terms.rule, *(one.rule for one in opening.also)],
        "also": [one.name for one in opening.also],
        "matched": [one | {"names": _names(one, book)} for one in matched],
        "what": opening.reckoned.what,
        "counted_on": opening.reckoned.counted_on.isoformat(),
        "due_kind": terms.due_kind,
        "due_days": terms.due_days,
        "jurisdiction": person.jurisdiction,
        "base_due": opening.base_due.isoformat(),
    }
    if opening.reckoned.is_least:
        facts["is_least"] = True
    if opening.away:
        facts["away"] = opening.away
    return facts


def _names(fact: dict, book: Book) -> list[dict[str, str]]:
    return [book.names.get((fact["fact"], str(value)), {"en": str(value)}) for value in fact["is"]]


@dataclass(frozen=True)
class Reason:
    """One cycle's sentence, and where more than one rule called for it, their names."""

    sentence: str
    also: tuple[str, ...] = ()


def reason_of(assignment: Assignment) -> Reason:
    """Return in one sentence why the cycle exists and why it is due when it is, in the language of the page."""
    facts = assignment.because
    if "imported" in facts:
        return Reason(_("Completed before it was assigned here: taken over from a file."))
    if "name" not in facts:
        return Reason(_by_hand(assignment, _day(assignment.due_on)))
    return sentence_of(facts, assignment.due_on)


def sentence_of(facts: Mapping, due_on: date) -> Reason:
    """Return the same from the facts that a rule left."""
    words = {"rule": facts["name"], "who": _who(facts), "due": _day(due_on), "why": _when(facts)}
    sentence = _("The rule “%(rule)s” calls for it (%(who)s), and it is due on %(due)s: %(why)s.") % words
    return Reason(sentence, tuple(facts.get("also", ())))


def _by_hand(assignment: Assignment, due: str) -> str:
    moved = _moved(assignment.because)
    if moved:
        words = {"day": _day(assignment.assigned_on), "due": due, "why": moved}
        return _("It was assigned by hand on %(day)s, and it is due on %(due)s: %(why)s.") % words
    words = {"day": _day(assignment.assigned_on), "due": due}
    if assignment.rule_id:
        return _("A rule called for it on %(day)s, and it is due on %(due)s.") % words
    return _("It was assigned by hand on %(day)s, with the date by which it is due: %(due)s.") % words


def _who(facts: Mapping) -> str:
    parts = [_fact(one) for one in facts.get("matched", ())]
    return _and(parts) if parts else _("it is for everybody")


def _and(parts: list[str]) -> str:
    return _("; ").join(parts)


def _fact(one: Mapping) -> str:
    """Return one fact of the audience in words: "department Desk", "not in office Hong Kong"."""
    return say_fact(one["fact"], one["is"], one.get("names", []), is_not=bool(one.get("not")))


def say_fact(kind: str, values: list, names: list[Mapping[str, str]], *, is_not: bool = False) -> str:
    language = get_language() or ""
    said = {
        Kind.JURISDICTION: lambda: [str(Office.Jurisdiction(v).label) for v in values if v in Office.Jurisdiction],
        Kind.ROLE: lambda: [_("manager") if v == MANAGER else _role(v) for v in values],
        Kind.HIRED_BEFORE: lambda: [_day(date.fromisoformat(v)) for v in values],
        Kind.HIRED_AFTER: lambda: [_day(date.fromisoformat(v)) for v in values],
        Kind.HIRED_WITHIN: lambda: [str(v) for v in values],
    }.get(kind, lambda: [told(name, language) for name in names] or [str(v) for v in values])()
    words = {"what": _(", ").join(said)}
    if is_not:
        return _NOT[kind]() % words
    return _IS[kind]() % words


def _role(name: str) -> str:
    return {"HR": _("HR"), "Compliance": _("Compliance"), "Auditor": _("auditor"), "Author": _("author")}.get(
        name, name
    )


_IS = {
    Kind.DEPARTMENT: lambda: _("department %(what)s"),
    Kind.OFFICE: lambda: _("office %(what)s"),
    Kind.ROLE: lambda: _("role %(what)s"),
    Kind.JURISDICTION: lambda: _("jurisdiction %(what)s"),
    Kind.TAG: lambda: _("tag %(what)s"),
    Kind.HIRED_BEFORE: lambda: _("joined before %(what)s"),
    Kind.HIRED_AFTER: lambda: _("joined after %(what)s"),
    Kind.HIRED_WITHIN: lambda: _("joined within the last %(what)s days"),
}
_NOT = {
    Kind.DEPARTMENT: lambda: _("not in department %(what)s"),
    Kind.OFFICE: lambda: _("not in office %(what)s"),
    Kind.ROLE: lambda: _("not in the role %(what)s"),
    Kind.JURISDICTION: lambda: _("not in jurisdiction %(what)s"),
    Kind.TAG: lambda: _("without tag %(what)s"),
    Kind.HIRED_BEFORE: lambda: _("did not join before %(what)s"),
    Kind.HIRED_AFTER: lambda: _("did not join after %(what)s"),
    Kind.HIRED_WITHIN: lambda: _("did not join within the last %(what)s days"),
}


def _when(facts: Mapping) -> str:
    """Return why the date is what it is, without the date."""
    on = _day(date.fromisoformat(facts["counted_on"]))
    if facts["what"] == "lapses":
        said = _("the last completion counts until %(day)s") % {"day": on}
    elif facts["what"] == "season":
        said = _("the season ends on %(day)s") % {"day": on}
    else:
        said = _counted(facts, on)
    if facts.get("is_least"):
        said = _("%(said)s, but nobody is given less than a few days") % {"said": said}
    moved = _moved(facts)
    return _("%(said)s, and %(moved)s") % {"said": said, "moved": moved} if moved else said


def _counted(facts: Mapping, on: str) -> str:
    from_what = {
        "joined": _("joining on %(day)s"),
        "rejoined": _("joining again on %(day)s"),
        "start": _("the start of the rule on %(day)s"),
        "entered": _("coming under the rule on %(day)s"),
        "material": _("a new edition that asks more, of %(day)s"),
    }[facts["what"]] % {"day": on}
    n = facts["due_days"]
    if facts["due_kind"] == DueKind.DATE and facts["what"] == "start":
        return _("the rule names that date")
    words = {"n": n, "what": from_what}
    if facts["due_kind"] == DueKind.WORKING_DAYS:
        return ngettext("%(n)s working day after %(what)s", "%(n)s working days after %(what)s", n) % words
    return ngettext("%(n)s day after %(what)s", "%(n)s days after %(what)s", n) % words


def _moved(facts: Mapping) -> str:
    if n := facts.get("away"):
        return ngettext("it moved by %(n)s working day of leave", "it moved by %(n)s working days of leave", n) % {
            "n": n
        }
    if until := facts.get("exempt_until"):
        return _("it waited for an exemption until %(day)s") % {"day": _day(date.fromisoformat(until))}
    return ""


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
