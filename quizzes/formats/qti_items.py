"""One item of QTI, whose elements have the names of 3.0 without prefix: read by its interaction and its response
declaration. Response processing that says something else than those is noted: the declaration is what counts here."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _

from quizzes.formats.base import (
    TRUE_FALSE,
    Item,
    Refused,
    Share,
    Told,
    checked,
    number,
    snapped,
    tags_of,
    written,
)
from quizzes.formats.xml import Node
from quizzes.kinds.base import EVERYTHING, NOTHING

INTERACTIONS = {
    "choice-interaction", "order-interaction", "match-interaction", "text-entry-interaction",
    "inline-choice-interaction",
}  # fmt: skip
TEMPLATES = ("match_correct", "map_response", "match_correct_with_feedback")
NUMBERS = {"float", "integer"}


def every(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children()


def read_item(node: Node, where: str, language: str, keywords: list[str]) -> Item:
    item = Item(where, name=node.get("identifier") or node.get("title"))
    try:
        item.question = _question(node, Told(language), item.notes, keywords)
    except Refused as error:
        item.refused = str(error)
    return checked(item)


@dataclass
class _Asked:
    """The parts of an item that a reader needs. ``modal``: feedback by identifier; ``fields``: what all kinds have."""

    interaction: Node
    declaration: Node
    body: Node
    processing: Node | None
    tell: Told
    notes: list[str]
    fields: dict
    modal: dict[str, str]

    def stem(self, *, gap: bool = False) -> str:
        return _stem(self.body, self.interaction, self.notes, gap=gap)


def _question(node: Node, tell: Told, notes: list[str], keywords: list[str]) -> dict:
    body = node.child("item-body")
    if body is None:
        raise Refused(_("it has no item body"))
    found = [part for part in every(body) if part.tag.endswith("-interaction")]
    if not found:
        raise Refused(_("it asks nothing: there is no interaction in it"))
    if odd := sorted({part.tag for part in found} - INTERACTIONS):
        raise Refused(_("there is no kind here for its %(name)s") % {"name": odd[0]})
    if len(found) > 1:
        raise Refused(_("it has %(n)s interactions: write a question for each") % {"n": len(found)})
    if node.get("adaptive") == "true":
        raise Refused(_("it is adaptive: what is asked depends on the tries before"))
    declared = {part.get("identifier"): part for part in node.children("response-declaration")}
    declaration = declared.get(found[0].get("response-identifier"))
    if declaration is None:
        raise Refused(
            _("its response '%(response_identifier)s' is declared nowhere")
            % {"response_identifier": found[0].get("response-identifier")}
        )
    processing = node.child("response-processing")
    if processing and processing.children() and not _is_ours(processing):
        notes.append(_("its own response processing was left out; the declared right response and mapping count"))
    modal = _modal(node, notes)
    fields = {"tags": tags_of(*keywords), "explanation": tell(modal.get("", "")), "points": _points(node)}
    return READERS[found[0].tag](_Asked(found[0], declaration, body, processing, tell, notes, fields, modal))


def _is_ours(processing: Node) -> bool:
    """Return whether its rules only match, map or compare with a tolerance, and set feedback beside."""
    rules = {part.tag for part in every(processing)}
    return not rules & {"random", "random-integer", "sum", "product", "lookup-outcome-value", "custom-operator"}


def _points(node: Node) -> int:
    for part in node.children("outcome-declaration"):
        most = number(part.get("normal-maximum") or "")
        if part.get("identifier") == "MAXSCORE" and most is None:
            value = part.first("value")
            most = number(value.raw()) if value else None
        if part.get("identifier") in ("SCORE", "MAXSCORE") and most and most.denominator == 1 and 1 <= most <= 100:
            return int(most)
    return 1


def _modal(node: Node, notes: list[str]) -> dict[str, str]:
    """Return {identifier: text} of the feedback after the item; "" for what is said whatever was answered."""
    found: dict[str, str] = {}
    for part in node.children("modal-feedback"):
        name = part.get("identifier")
        general = (
            name.lower() in ("general", "solution", "explanation", "feedback", "") or part.get("show-hide") == "hide"
        )
        found["" if general else name] = part.plain(notes)
    return found


def _correct(declaration: Node) -> list[str]:
    correct = declaration.child("correct-response")
    return [value.raw().strip() for value in correct.children("value")] if correct else []


def _mapped(declaration: Node) -> dict[str, Fraction]:
    """Return {key: share of the points} of the mapping. Raises Refused."""
    mapping = declaration.child("mapping")
    if mapping is None:
        return {}
    shares = {}
    for entry in mapping.children("map-entry"):
        value = number(entry.get("mapped-value"))
        if value is None:
            raise Refused(
                _("the mapped value '%(mapped_value)s' on line %(line)s is no number")
                % {"mapped_value": entry.get("mapped-value"), "line": entry.line}
            )
        shares[entry.get("map-key").strip()] = value
    return shares


def _scaled(shares: dict[str, Fraction], most: Fraction) -> dict[str, Fraction]:
    return {name: snapped(value / most) for name, value in shares.items()} if most > 0 else shares


def _stem(body: Node, interaction: Node, notes: list[str], *, gap: bool = False) -> str:
    """Return what is asked: the text around the interaction, and its prompt."""
    if gap:
        spot = Node("span", {}, interaction.line)
        spot.parts.append(" _____ ")
        around = _with(body, interaction, spot).plain(notes).strip()
        return around.removesuffix("_____").rstrip() if around.endswith("_____") else around
    around = body.plain(notes, without=(interaction.tag, "rubric-block"))
    prompt = interaction.child("prompt")
    return "\n".join(text for text in (around, prompt.plain(notes) if prompt else "") if text)


def _with(node: Node, old: Node, new: Node) -> Node:
    copy = Node(node.tag, node.attributes, node.line)
    for part in node.parts:
        if part is old:
            copy.parts.append(new)
        elif isinstance(part, str) or part.tag != "rubric-block":
            copy.parts.append(part if isinstance(part, str) else _with(part, old, new))
    return copy


def _why(choice: Node, modal: dict[str, str], notes: list[str]) -> str:
    inline = next(iter(choice.children("feedback-inline", "feedback-block")), None)
    return inline.plain(notes) if inline else modal.get(choice.get("identifier"), "")


def _choice(asked: _Asked) -> dict:
    interaction, declaration, tell, notes, fields = (
        asked.interaction,
        asked.declaration,
        asked.tell,
        asked.notes,
        asked.fields,
    )
    is_inline = interaction.tag == "inline-choice-interaction"
    choices = interaction.children("inline-choice" if is_inline else "simple-choice")
    correct, mapped = _correct(declaration), _mapped(declaration)
    multiple = declaration.get("cardinality") == "multiple"
    ids = [choice.get("identifier") for choice in choices]
    if unknown := sorted({*correct, *mapped} - set(ids)):
        raise Refused(_("the right response names '%(name)s', and there is no such choice") % {"name": unknown[0]})
    if not correct and not mapped:
        raise Refused(_("it does not say which choices are right"))
    template = ""
    if multiple:
        right = set(correct) or {name for name, value in mapped.items() if value > 0}
        gains = sum((value for value in mapped.values() if value > 0), NOTHING)
        even = Fraction(1, max(len(right), 1))
        shares = _scaled(mapped, gains) if mapped else {n: even if n in right else -even for n in ids}
        template = "" if mapped else "all"
    else:
        shares = _scaled(mapped, max(mapped.values())) if mapped else dict.fromkeys(correct, EVERYTHING)
    answers = [
        Share(
            choice.plain(notes, without=("feedback-inline", "feedback-block")),
            shares.get(choice.get("identifier"), NOTHING),
            _why(choice, asked.modal, notes),
        )
        for choice in choices
    ]
    fields["shuffle"] = interaction.get("shuffle", "false") == "true"
    if fields["shuffle"] and any(choice.get("fixed") == "true" for choice in choices):
        fields["shuffle"] = False
        notes.append(_("some choices keep their place, so all of them do"))
    stem = asked.stem(gap=is_inline)
    texts = tuple(answer.text for answer in answers)
    if not multiple and texts in TRUE_FALSE.values():
        whys = (answers[0].why, answers[1].why)
        return tell.truefalse(stem, answers[0].share == EVERYTHING, whys, **fields | {"shuffle": True})
    question = tell.choice(stem, answers, notes, multiple=multiple, **fields)
    return question | {"detail": {}} if template == "all" else question


def _order(asked: _Asked) -> dict:
    interaction, declaration, tell, notes, fields = (
        asked.interaction,
        asked.declaration,
        asked.tell,
        asked.notes,
        asked.fields,
    )
    text = {choice.get("identifier"): choice.plain(notes) for choice in interaction.children("simple-choice")}
    correct = _correct(declaration)
    if sorted(correct) != sorted(text):
        raise Refused(_("the right order does not name every choice once"))
    detail = {} if declaration.child("mapping") else {"credit": "all"}
    return tell.ordering(asked.stem(), [text[name] for name in correct], detail=detail, **fields)


def _match(asked: _Asked) -> dict:
    interaction, declaration, tell, notes, fields = (
        asked.interaction,
        asked.declaration,
        asked.tell,
        asked.notes,
        asked.fields,
    )
    sets = interaction.children("simple-match-set")
    if len(sets) != 2:
        raise Refused(_("it does not have two sets to match"))
    first, second = (
        {choice.get("identifier"): choice.plain(notes) for choice in part.children("simple-associable-choice")}
        for part in sets
    )
    mapped = _mapped(declaration)
    pairs = [pair.split() for pair in _correct(declaration)] or [key.split() for key, v in mapped.items() if v > 0]
    if any(len(pair) != 2 for pair in pairs):
        raise Refused(_("a pair of the right response does not name two choices"))
    if not {a for a, _b in pairs} <= set(first) and {b for _a, b in pairs} <= set(first):
        pairs = [[b, a] for a, b in pairs]
    if sorted(a for a, _b in pairs) != sorted(first):
        raise Refused(_("not every choice of the first set belongs to exactly one of the second"))
    if unknown := [b for _a, b in pairs if b not in second]:
        raise Refused(_("the right response names '%(name)s', and there is no such choice") % {"name": unknown[0]})
    match = dict(pairs)
    left_over = [text for name, text in second.items() if name not in match.values()]
    question = tell.matching(asked.stem(), [(first[name], second[match[name]]) for name in first], left_over, **fields)
    question["shuffle"] = interaction.get("shuffle", "false") == "true"
    if not mapped:
        question["detail"]["credit"] = "all"
    elif len({mapped.get(" ".join(pair)) for pair in pairs}) > 1:
        notes.append(_("its pairs are worth different points there, and the same here"))
    return question


def _entry(asked: _Asked) -> dict:
    declaration, tell, fields = asked.declaration, asked.tell, asked.fields
    stem = asked.stem(gap=True)
    correct, mapped = _correct(declaration), _mapped(declaration)
    if not correct and not mapped:
        raise Refused(_("it does not say what is right"))
    shares = _scaled(mapped, max(mapped.values())) if mapped else dict.fromkeys(correct, EVERYTHING)
    if declaration.get("base-type") in NUMBERS:
        return _number(asked, shares, stem)
    mapping = declaration.child("mapping")
    entries = mapping.children("map-entry") if mapping else []
    case = not entries or any(entry.get("case-sensitive", "true") == "true" for entry in entries)
    listed = [
        Share(text, share, asked.modal.get(f"w{place}", "")) for place, (text, share) in enumerate(shares.items(), 1)
    ]
    return tell.text(stem, listed, case=case, **fields)


def _number(asked: _Asked, shares: dict[str, Fraction], stem: str) -> dict:
    leeways = _leeways(asked)
    found = []
    for place, (text, share) in enumerate(shares.items(), start=1):
        value = number(text)
        if value is None:
            raise Refused(_("'%(text)s' is no number") % {"text": text})
        found.append((Share(written(value), share, asked.modal.get(f"w{place}", "")), leeways.get(value, "0")))
    return asked.tell.numeric(stem, found, **asked.fields)


def _leeways(asked: _Asked) -> dict[Fraction, str]:
    """Return {value: tolerance} as the response processing compares them. Raises Refused."""
    correct = _correct(asked.declaration)
    found: dict[Fraction, str] = {}
    for rule in asked.processing.all("equal") if asked.processing else ():
        base = rule.child("base-value")
        value = number(base.raw() if base else (correct or [""])[0])
        sides = [number(side) for side in rule.get("tolerance", "0").split()] or [NOTHING]
        if value is None or None in sides or len(set(sides)) > 1 or sides[0] < 0:
            raise Refused(
                _("the tolerance '%(tolerance)s' on line %(line)s is none that is kept here")
                % {"tolerance": rule.get("tolerance"), "line": rule.line}
            )
        leeway = sides[0] if rule.get("tolerance-mode", "exact") != "exact" else NOTHING
        found[value] = written(abs(value) * leeway / 100 if rule.get("tolerance-mode") == "relative" else leeway)
    return found


READERS = {
    "choice-interaction": _choice,
    "inline-choice-interaction": _choice,
    "order-interaction": _order,
    "match-interaction": _match,
    "text-entry-interaction": _entry,
}
