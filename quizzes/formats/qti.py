"""QTI 3.0 items and packages (1EdTech), read and written; items of 2.1 and 2.2, which say the same in other names, are
read too. https://www.imsglobal.org/spec/qti/v3p0/impl

An item is read by its interaction and its response declaration. Response processing that says something else than
those (rules written out, not one of the standard templates) is noted: the declaration is what counts here.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from quizzes.formats import gift
from quizzes.formats.base import (
    TRUE_FALSE,
    Item,
    NotThisFormat,
    Refused,
    Share,
    Told,
    checked,
    decimal,
    number,
    snapped,
    tags_of,
    written,
)
from quizzes.formats.packages import Package
from quizzes.formats.plain import decoded
from quizzes.formats.xml import CAMEL, Broken, Node, broken, element, paragraphs, parsed, text_of, words
from quizzes.kinds.base import EVERYTHING, NOTHING, weight

NAME, EXTENSION = "QTI 3.0", "zip"
MANIFEST = "imsmanifest.xml"
NAMESPACE = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
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


# --- written -----------------------------------------------------------------------------------------------------


def write(questions: Sequence[dict], language: str, title: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Return a package, and what it cannot carry: [(slug, what)]. The same questions make the same bytes."""
    lost: list[tuple[str, str]] = []
    made = io.BytesIO()
    resources = []
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for question in questions:
            try:
                xml = _written(question, language, lost)
            except Refused as error:
                lost.append((question["slug"], f"left out: {error}"))
                continue
            href = f"items/{question['slug']}.xml"
            _put(package, href, xml)
            resources.append(_resource(question, href))
        _put(package, MANIFEST, _manifest_written(resources, title))
    return made.getvalue(), lost


def _put(package: zipfile.ZipFile, name: str, xml: str) -> None:
    info = zipfile.ZipInfo(name)  # 1980: no clock in it
    info.compress_type = zipfile.ZIP_DEFLATED
    package.writestr(info, f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}\n')


def _resource(question: dict, href: str) -> str:
    keywords = "".join(f"<keyword><string>{words(tag)}</string></keyword>" for tag in question["tags"])
    lom = f"<metadata><lom><general>{keywords}</general></lom></metadata>" if keywords else ""
    inside = f'{lom}<file href="{href}"/>'
    return f'<resource identifier="r-{question["slug"]}" type="imsqti_item_xmlv3p0" href="{href}">{inside}</resource>'


def _manifest_written(resources: Sequence[str], title: str) -> str:
    about = "<metadata><schema>QTI Item</schema><schemaversion>3.0.0</schemaversion></metadata>"
    head = '<manifest xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" identifier="onchannel">'
    return (
        f"{head}\n<!-- {words(title).replace('--', '—')} -->\n{about}<organizations/>\n<resources>\n"
        + "".join(f"{one}\n" for one in resources)
        + "</resources></manifest>"
    )


def _written(question: dict, language: str, lost: list[tuple[str, str]]) -> str:
    def told(texts: dict) -> str:
        return texts.get(language, "")

    if language not in question["stem"]:
        raise Refused(f"it has no text in '{language}'")
    for name, dull in (("must_pass", False), ("cites", []), ("difficulty", 2)):
        if question[name] != dull:
            lost.append((question["slug"], f"'{name}' is not kept"))
    if question["kind"] not in WRITERS:
        raise Refused(f"QTI has no {question['kind']} questions")
    declared, body, processing, feedback = WRITERS[question["kind"]](question, told, language, lost)
    if explanation := told(question["explanation"]):
        feedback = [*feedback, ("general", explanation)]
    score = element(
        "qti-outcome-declaration", identifier="SCORE", cardinality="single", base_type="float",
        normal_maximum=str(question["points"]),
    )  # fmt: skip
    outcome = element("qti-outcome-declaration", identifier="FEEDBACK", cardinality="multiple", base_type="identifier")
    shown = [
        element(
            "qti-modal-feedback", _body("qti-content-body", why), outcome_identifier="FEEDBACK", identifier=name,
            show_hide="show",
        )
        for name, why in feedback
    ]  # fmt: skip
    return element(
        "qti-assessment-item", "\n", *(f"{part}\n" for part in (declared, score, outcome, body, processing, *shown)),
        xmlns=NAMESPACE, identifier=question["slug"], title=question["slug"], adaptive="false", time_dependent="false",
        xml_lang=language,
    ).replace(" xml-lang=", " xml:lang=", 1)  # fmt: skip


def _body(tag: str, text: str, *inside: str) -> str:
    return element(tag, paragraphs(text), *inside)


def _declared(
    cardinality: str,
    base: str,
    correct: Sequence[str],
    mapped: Sequence[tuple[str, Fraction]] = (),
    *,
    points: int = 1,
    case: str | None = None,
) -> str:
    """Return a response declaration. ``mapped``: shares of the points."""
    values = element("qti-correct-response", *(f"<qti-value>{words(value)}</qti-value>" for value in correct))
    bounds = {"lower_bound": "0", "upper_bound": str(points), "default_value": "0"}
    about = {"case_sensitive": case} if case else {}
    entries = [
        element("qti-map-entry", map_key=key, mapped_value=_amount(value * points), **about) for key, value in mapped
    ]
    mapping = element("qti-mapping", *entries, **bounds) if entries else ""
    return element(
        "qti-response-declaration", values, mapping, identifier="RESPONSE", cardinality=cardinality, base_type=base
    )


def _amount(value: Fraction) -> str:
    return decimal(value) or f"{float(value):.10f}"


def _template(is_mapped: bool) -> str:
    name = "map_response" if is_mapped else "match_correct"
    return f'<qti-response-processing template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/{name}"/>'


def _choice_written(question: dict, told, language: str, lost: list):
    options, rule = question["options"], question["detail"].get("credit") or "all"
    is_multiple = question["kind"] == "multiple"
    right = [option["id"] for option in options if option.get("right")]
    share = Fraction(1, len(right))
    mapped = []
    if rule != "all":
        mapped = [(o["id"], weight(o) if rule == "weights" else share if o.get("right") else -share) for o in options]
        if rule == "weights" and not is_multiple:
            mapped = [(o["id"], EVERYTHING if o.get("right") else weight(o)) for o in options]
    choices = [
        element(
            "qti-simple-choice", broken(told(option["text"])),
            element("qti-feedback-inline", broken(told(option["why"])), outcome_identifier="RESPONSE",
                    identifier=option["id"], show_hide="show") if told(option["why"]) else "",
            identifier=option["id"],
        )
        for option in options
    ]  # fmt: skip
    is_fixed = question["kind"] == "truefalse" or not question["shuffle"]
    if question["kind"] == "truefalse":
        texts = tuple(told(option["text"]) for option in options)
        if texts not in TRUE_FALSE.values():
            lost.append((question["slug"], "becomes a single choice: it does not say true and false"))
    interaction = element(
        "qti-choice-interaction", *choices, response_identifier="RESPONSE", shuffle="false" if is_fixed else "true",
        max_choices="0" if is_multiple else "1",
    )  # fmt: skip
    declared = _declared(
        "multiple" if is_multiple else "single", "identifier", right, mapped, points=question["points"]
    )
    return declared, _body("qti-item-body", told(question["stem"]), interaction), _template(bool(mapped)), []


def _order_written(question: dict, told, language: str, lost: list):
    if any(option["why"] for option in question["options"]):
        lost.append((question["slug"], "what is said about each item is not kept"))
    if question["detail"].get("credit") != "all":
        lost.append((question["slug"], "part credit becomes all or nothing"))
    names = [option["id"] for option in question["options"]]
    by_text = sorted(question["options"], key=lambda option: told(option["text"]))
    choices = [element("qti-simple-choice", broken(told(o["text"])), identifier=o["id"]) for o in by_text]
    interaction = element("qti-order-interaction", *choices, response_identifier="RESPONSE", shuffle="true")
    body = _body("qti-item-body", told(question["stem"]), interaction)
    return _declared("ordered", "identifier", names), body, _template(False), []


def _match_written(question: dict, told, language: str, lost: list):
    prompts, options = question["detail"]["prompts"], question["options"]
    if any(part.get("why") for part in (*prompts, *options)):
        lost.append((question["slug"], "what is said about each pair is not kept"))
    pairs = [f"{prompt['id']} {prompt['match']}" for prompt in prompts]
    in_part = question["detail"].get("credit") != "all"
    mapped = [(pair, Fraction(1, len(pairs))) for pair in pairs] if in_part else []
    sets = [
        element("qti-simple-match-set", *(
            element("qti-simple-associable-choice", broken(told(part["text"])), identifier=part["id"], match_max=most)
            for part in parts))
        for parts, most in ((prompts, "1"), (options, "0"))
    ]  # fmt: skip
    interaction = element(
        "qti-match-interaction", *sets, response_identifier="RESPONSE", max_associations=str(len(pairs)),
        shuffle="true" if question["shuffle"] else "false",
    )  # fmt: skip
    body = _body("qti-item-body", told(question["stem"]), interaction)
    return (
        _declared("multiple", "directedPair", pairs, mapped, points=question["points"]),
        body,
        _template(bool(mapped)),
        [],
    )


def _text_written(question: dict, told, language: str, lost: list):
    listed = [(w, weight(o), told(o["why"])) for o in question["options"] for w in o["accepts"].get(language, ())]
    if not listed:
        raise Refused(f"no answer is told in '{language}'")
    if any("*" in wording for wording, _share, _why in listed):
        lost.append((question["slug"], "a star in an answer stands for itself elsewhere"))
    case = "true" if question["detail"].get("case") else "false"
    correct = next(wording for wording, share, _why in listed if share == EVERYTHING)
    declared = _declared(
        "single", "string", [correct], [(w, share) for w, share, _why in listed], points=question["points"], case=case
    )
    feedback = [(f"w{place}", why) for place, (_w, _share, why) in enumerate(listed, 1) if why]
    gap = element("qti-text-entry-interaction", response_identifier="RESPONSE", expected_length="40")
    body = _body("qti-item-body", told(question["stem"]), f"<p>{gap}</p>")
    return declared, body, _template(True), feedback


def _numeric_written(question: dict, told, language: str, lost: list):
    units = question["detail"].get("units", [])
    if len(units) > 1:
        raise Refused("QTI has no units")
    if units:
        lost.append((question["slug"], "its unit is not kept"))
    listed, rules = [], []
    for option in question["options"]:
        value, leeway = decimal(number(option["value"])), decimal(gift.leeway_of(option))
        if value is None or leeway is None:
            raise Refused("its value is a fraction that no decimal ends")
        if value in [known for known, _share, _why in listed]:
            raise Refused("it expects the same number twice")
        listed.append((value, weight(option), told(option["why"])))
        rules.append(_comparison(value, leeway, weight(option) * question["points"], is_first=not rules))
    correct = next(value for value, share, _why in listed if share == EVERYTHING)
    declared = _declared(
        "single", "float", [correct], [(value, share) for value, share, _why in listed], points=question["points"]
    )
    feedback = [(f"w{place}", why) for place, (_value, _share, why) in enumerate(listed, 1) if why]
    gap = element("qti-text-entry-interaction", response_identifier="RESPONSE", expected_length="12")
    body = _body("qti-item-body", told(question["stem"]), f"<p>{gap}</p>")
    processing = element("qti-response-processing", element("qti-response-condition", *rules))
    return declared, body, processing, feedback


def _comparison(value: str, leeway: str, worth: Fraction, *, is_first: bool) -> str:
    compared = element(
        "qti-equal", '<qti-variable identifier="RESPONSE"/>', element("qti-base-value", value, base_type="float"),
        tolerance_mode="absolute" if leeway != "0" else "exact", tolerance=f"{leeway} {leeway}",
    )  # fmt: skip
    score = element("qti-base-value", _amount(worth), base_type="float")
    return element(
        "qti-response-if" if is_first else "qti-response-else-if",
        compared,
        element("qti-set-outcome-value", score, identifier="SCORE"),
    )


WRITERS = {
    "single": _choice_written,
    "multiple": _choice_written,
    "truefalse": _choice_written,
    "ordering": _order_written,
    "matching": _match_written,
    "text": _text_written,
    "numeric": _numeric_written,
}
