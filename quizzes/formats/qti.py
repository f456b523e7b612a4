"""QTI 3.0 items and packages (1EdTech), read and written; items of 2.1 and 2.2, which say the same in other names, are
read too. https://www.imsglobal.org/spec/qti/v3p0/impl

An item is read by its interaction and its response declaration. Response processing that says something else than
those (rules written out, not one of the standard templates) is noted: the declaration is what counts here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from quizzes.formats.base import (
    TRUE_FALSE,
    Item,
    NotThisFormat,
    Refused,
    Share,
    Told,
    checked,
    number,
    snapped,
    tags_of,
    written,
)
from quizzes.formats.packages import Package
from quizzes.formats.plain import decoded
from quizzes.formats.qti_writing import MANIFEST, write
from quizzes.formats.xml import CAMEL, Broken, Node, parsed, text_of
from quizzes.kinds.base import EVERYTHING, NOTHING

__all__ = ["EXTENSION", "NAME", "read", "write"]

NAME, EXTENSION = "QTI 3.0", "zip"
INTERACTIONS = {
    "choice-interaction", "order-interaction", "match-interaction", "text-entry-interaction",
    "inline-choice-interaction",
}  # fmt: skip
TEMPLATES = ("match_correct", "map_response", "match_correct_with_feedback")
NUMBERS = {"float", "integer"}


def read(data: bytes, language: str, notes: list[str]) -> Iterator[Item]:
    """Yield every question of an item's XML or of a package. Raises NotThisFormat."""
    if data.startswith(b"PK"):
        yield from _package(Package(data), language, notes)
        return
    try:
        root = _named(parsed(text_of(data, decoded, notes)))
    except Broken as error:
        raise NotThisFormat(f"it is not well-formed XML: {error}") from error
    items = [root] if root.tag == "assessment-item" else list(root.all("assessment-item"))
    if not items:
        raise NotThisFormat("it is neither an item nor a package of QTI")
    for node in items:
        yield _item(node, f"line {node.line}", language, [])


def _package(package: Package, language: str, notes: list[str]) -> Iterator[Item]:
    notes += [f"'{name}' was not opened: its name leads out of the package, or it is no plain file"
              for name in package.refused]  # fmt: skip
    tags, listed = _manifest(package, notes)
    known = listed or [name for name in sorted(package.files) if name.endswith(".xml") and name != MANIFEST]
    found = 0
    for name in known:
        try:
            root = _named(parsed(text_of(package.read(name), decoded, notes)))
        except Broken as error:
            found += 1
            yield Item(name, refused=f"it is not well-formed XML: {error}")
            continue
        except NotThisFormat as error:
            found += 1
            yield Item(name, refused=str(error))
            continue
        if root.tag == "assessment-item":
            found += 1
            yield _item(root, name, language, tags.get(name, []))
    if not found:
        raise NotThisFormat("there is no item in the package")


def _manifest(package: Package, notes: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return {file: keywords} and the items in the order in which the manifest lists them."""
    name = next((n for n in package.files if n.rsplit("/", 1)[-1].lower() == MANIFEST), None)
    if name is None:
        notes.append("the package has no imsmanifest.xml; every XML file in it was looked at")
        return {}, []
    try:
        root = parsed(text_of(package.read(name), decoded, notes))
    except Broken as error:
        notes.append(f"imsmanifest.xml is not well-formed ({error}); every XML file in the package was looked at")
        return {}, []
    tags, listed = {}, []
    for resource in root.all("resource"):
        if "item" not in resource.get("type").lower():
            continue
        files = [resource.get("href"), *(file.get("href") for file in resource.children("file"))]
        path = next((found for file in files if file and (found := package.resolved(file, name))), None)
        if path is None:
            notes.append(f"imsmanifest.xml lists '{files[0]}', which is not in the package")
        elif path not in tags:
            listed.append(path)
            tags[path] = [text for word in resource.all("keyword") for text in _strings(word)]
    return tags, listed


def _strings(node: Node) -> list[str]:
    below = [part.raw().strip() for part in node.all("string", "langstring")]
    return below or [node.raw().strip()]


def _named(root: Node) -> Node:
    """Give the elements of 2.x the names of 3.0, and leave the prefix out of all."""
    for node in [root, *root.all(*{n.tag for n in _every(root)})]:
        node.tag = CAMEL.sub("-", node.tag).lower().removeprefix("qti-")
        node.attributes = {CAMEL.sub("-", name).lower(): value for name, value in node.attributes.items()}
    return root


def _every(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children()


# --- one item ----------------------------------------------------------------------------------------------------


def _item(node: Node, where: str, language: str, keywords: list[str]) -> Item:
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
        raise Refused("it has no item body")
    found = [part for part in _every(body) if part.tag.endswith("-interaction")]
    if not found:
        raise Refused("it asks nothing: there is no interaction in it")
    if odd := sorted({part.tag for part in found} - INTERACTIONS):
        raise Refused(f"there is no kind here for its {odd[0]}")
    if len(found) > 1:
        raise Refused(f"it has {len(found)} interactions: write a question for each")
    if node.get("adaptive") == "true":
        raise Refused("it is adaptive: what is asked depends on the tries before")
    declared = {part.get("identifier"): part for part in node.children("response-declaration")}
    declaration = declared.get(found[0].get("response-identifier"))
    if declaration is None:
        raise Refused(f"its response '{found[0].get('response-identifier')}' is declared nowhere")
    processing = node.child("response-processing")
    if processing and processing.children() and not _is_ours(processing):
        notes.append("its own response processing was left out; the declared right response and mapping count")
    modal = _modal(node, notes)
    fields = {"tags": tags_of(*keywords), "explanation": tell(modal.get("", "")), "points": _points(node)}
    return READERS[found[0].tag](_Asked(found[0], declaration, body, processing, tell, notes, fields, modal))


def _is_ours(processing: Node) -> bool:
    """Return whether its rules only match, map or compare with a tolerance, and set feedback beside."""
    rules = {part.tag for part in _every(processing)}
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
            raise Refused(f"the mapped value '{entry.get('mapped-value')}' on line {entry.line} is no number")
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
        raise Refused(f"the right response names '{unknown[0]}', and there is no such choice")
    if not correct and not mapped:
        raise Refused("it does not say which choices are right")
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
        notes.append("some choices keep their place, so all of them do")
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
        raise Refused("the right order does not name every choice once")
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
        raise Refused("it does not have two sets to match")
    first, second = (
        {choice.get("identifier"): choice.plain(notes) for choice in part.children("simple-associable-choice")}
        for part in sets
    )
    mapped = _mapped(declaration)
    pairs = [pair.split() for pair in _correct(declaration)] or [key.split() for key, v in mapped.items() if v > 0]
    if any(len(pair) != 2 for pair in pairs):
        raise Refused("a pair of the right response does not name two choices")
    if not {a for a, _b in pairs} <= set(first) and {b for _a, b in pairs} <= set(first):
        pairs = [[b, a] for a, b in pairs]
    if sorted(a for a, _b in pairs) != sorted(first):
        raise Refused("not every choice of the first set belongs to exactly one of the second")
    if unknown := [b for _a, b in pairs if b not in second]:
        raise Refused(f"the right response names '{unknown[0]}', and there is no such choice")
    match = dict(pairs)
    left_over = [text for name, text in second.items() if name not in match.values()]
    question = tell.matching(asked.stem(), [(first[name], second[match[name]]) for name in first], left_over, **fields)
    question["shuffle"] = interaction.get("shuffle", "false") == "true"
    if not mapped:
        question["detail"]["credit"] = "all"
    elif len({mapped.get(" ".join(pair)) for pair in pairs}) > 1:
        notes.append("its pairs are worth different points there, and the same here")
    return question


def _entry(asked: _Asked) -> dict:
    declaration, tell, fields = asked.declaration, asked.tell, asked.fields
    stem = asked.stem(gap=True)
    correct, mapped = _correct(declaration), _mapped(declaration)
    if not correct and not mapped:
        raise Refused("it does not say what is right")
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
            raise Refused(f"'{text}' is no number")
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
            raise Refused(f"the tolerance '{rule.get('tolerance')}' on line {rule.line} is none that is kept here")
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
