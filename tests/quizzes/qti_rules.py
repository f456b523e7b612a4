"""What QTI 3.0 demands of the elements that we write: attributes, children and their order, and what names point at.

Written down from the specification's information model (https://www.imsglobal.org/spec/qti/v3p0/impl), for the
elements that an export uses; the consortium's own schema may not be handed on with this project.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring

ASI = "{http://www.imsglobal.org/xsd/imsqtiasi_v3p0}"
CP = "{http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1}"
LOM = "{http://ltsc.ieee.org/xsd/LOM}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
IDENTIFIER = re.compile(r"[A-Za-z_][\w.\-]*")
FLOW = ("p", "div", "br", "#text")


class Rule(NamedTuple):
    """``needs`` and ``may``: attributes. ``holds``: children in order, each with "", "?", "*" or "+"; "a|b": either."""

    needs: str = ""
    may: str = ""
    holds: str = ""
    has_text: bool = False


RULES = {
    "qti-assessment-item": Rule(
        "identifier title time-dependent",
        f"adaptive {LANG} label tool-name tool-version",
        "qti-response-declaration* qti-outcome-declaration* qti-item-body? qti-response-processing? "
        "qti-modal-feedback*",
    ),
    "qti-response-declaration": Rule("identifier cardinality", "base-type", "qti-correct-response? qti-mapping?"),
    "qti-outcome-declaration": Rule("identifier cardinality", "base-type normal-maximum normal-minimum"),
    "qti-correct-response": Rule(holds="qti-value+"),
    "qti-value": Rule(has_text=True),
    "qti-mapping": Rule("", "lower-bound upper-bound default-value", "qti-map-entry+"),
    "qti-map-entry": Rule("map-key mapped-value", "case-sensitive"),
    "qti-item-body": Rule(
        holds="p* qti-choice-interaction|qti-order-interaction|qti-match-interaction|p?",
    ),
    "p": Rule(holds="br|qti-text-entry-interaction*", has_text=True),
    "br": Rule(),
    "qti-choice-interaction": Rule("response-identifier", "shuffle max-choices min-choices", "qti-simple-choice+"),
    "qti-order-interaction": Rule("response-identifier", "shuffle max-choices min-choices", "qti-simple-choice+"),
    "qti-match-interaction": Rule("response-identifier", "shuffle max-associations", "qti-simple-match-set{2}"),
    "qti-simple-match-set": Rule(holds="qti-simple-associable-choice+"),
    "qti-simple-choice": Rule("identifier", "fixed show-hide", "br|qti-feedback-inline*", has_text=True),
    "qti-simple-associable-choice": Rule("identifier match-max", "fixed match-min", "br*", has_text=True),
    "qti-text-entry-interaction": Rule("response-identifier", "expected-length base pattern-mask"),
    "qti-feedback-inline": Rule("outcome-identifier identifier", "show-hide", "br*", has_text=True),
    "qti-modal-feedback": Rule("outcome-identifier identifier", "show-hide title", "qti-content-body"),
    "qti-content-body": Rule(holds="p*"),
    "qti-response-processing": Rule(
        "", "template", "qti-response-condition|qti-set-outcome-value*"
    ),
    "qti-response-condition": Rule(holds="qti-response-if qti-response-else-if*"),
    "qti-response-if": Rule(holds="qti-match|qti-equal qti-set-outcome-value+"),
    "qti-response-else-if": Rule(holds="qti-match|qti-equal qti-set-outcome-value+"),
    "qti-match": Rule(holds="qti-variable qti-correct"),
    "qti-equal": Rule("tolerance-mode", "tolerance", "qti-variable qti-base-value"),
    "qti-set-outcome-value": Rule("identifier", "", "qti-base-value|qti-map-response|qti-variable"),
    "qti-base-value": Rule("base-type", has_text=True),
    "qti-variable": Rule("identifier"),
    "qti-correct": Rule("identifier"),
    "qti-map-response": Rule("identifier"),
}  # fmt: skip
ONE_OF = {
    "cardinality": {"single", "multiple", "ordered"},
    "base-type": {"identifier", "string", "float", "directedPair"},
    "shuffle": {"true", "false"},
    "show-hide": {"show", "hide"},
    "tolerance-mode": {"exact", "absolute", "relative"},
    "time-dependent": {"true", "false"},
}
MANIFEST = {
    "manifest": Rule("identifier", "", "metadata organizations resources"),
    "metadata": Rule(holds="schema|lom schemaversion?"),
    "schema": Rule(has_text=True),
    "schemaversion": Rule(has_text=True),
    "organizations": Rule(),
    "resources": Rule(holds="resource*"),
    "resource": Rule("identifier type", "href", "metadata? file*"),
    "file": Rule("href"),
    "lom": Rule(holds="general"),
    "general": Rule(holds="keyword*"),
    "keyword": Rule(holds="string+"),
    "string": Rule(has_text=True),
}


def wrong_in_item(xml: bytes) -> list[str]:
    """Return what is wrong with an item."""
    root = fromstring(xml)
    return [*_wrong(root, ASI, RULES), *_pointers(root)]


def wrong_in_manifest(xml: bytes) -> list[str]:
    root = fromstring(xml)
    for node in root.iter():
        if node.tag.startswith(LOM):
            node.tag = node.tag.replace(LOM, CP)
    return list(_wrong(root, CP, MANIFEST))


def _wrong(root: ElementTree.Element, namespace: str, rules: dict[str, Rule]) -> Iterator[str]:
    for node in root.iter():
        name = node.tag.removeprefix(namespace)
        if not node.tag.startswith(namespace) or name not in rules:
            yield f"{node.tag} is unknown"
            continue
        rule, given = rules[name], set(node.attrib)
        yield from (f"{name} lacks {one}" for one in set(rule.needs.split()) - given)
        yield from (f"{name} has {one}" for one in given - set(rule.needs.split()) - set(rule.may.split()))
        children = " ".join(child.tag.removeprefix(namespace) for child in node)
        if not re.fullmatch(_pattern(rule.holds), f"{children} " if children else ""):
            yield f"{name} holds {children!r}"
        if not rule.has_text and "".join([node.text or "", *(child.tail or "" for child in node)]).strip():
            yield f"{name} has text"
        for one, values in ONE_OF.items():
            if node.get(one, next(iter(values))) not in values:
                yield f"{name} {one}={node.get(one)!r}"
        if "identifier" in given and name != "qti-assessment-item" and not IDENTIFIER.fullmatch(node.get("identifier")):
            yield f"{name} is called {node.get('identifier')!r}"


def _pattern(holds: str) -> str:
    """Return "a|b* c?" as an expression over the names of the children, each with a space behind."""
    found = ""
    for part in holds.split():
        names, how = re.fullmatch(r"([\w|\-]+?)([?*+]|\{\d\})?", part).groups()
        found += f"(?:(?:{names}) ){how or ''}"
    return found


def _pointers(root: ElementTree.Element) -> Iterator[str]:
    """Yield names that point at nothing: responses, outcomes, choices."""
    declared = {kind: {n.get("identifier") for n in root.iter(f"{ASI}qti-{kind}-declaration")}
                for kind in ("response", "outcome")}  # fmt: skip
    choices = [n.get("identifier") for tag in ("qti-simple-choice", "qti-simple-associable-choice")
               for n in root.iter(f"{ASI}{tag}")]  # fmt: skip
    if len(choices) != len(set(choices)):
        yield "two choices have one name"
    for node in root.iter():
        name = node.tag.removeprefix(ASI)
        if node.get("response-identifier", "RESPONSE") not in declared["response"]:
            yield f"{name} asks for {node.get('response-identifier')!r}"
        if (one := node.get("outcome-identifier")) and one not in declared["outcome"]:
            yield f"{name} is told by {one!r}"
        if name == "qti-set-outcome-value" and node.get("identifier") not in declared["outcome"]:
            yield f"{name} sets {node.get('identifier')!r}"
        if name in ("qti-variable", "qti-correct", "qti-map-response") and node.get("identifier") not in set().union(
            *declared.values()
        ):
            yield f"{name} reads {node.get('identifier')!r}"
    [response] = root.iter(f"{ASI}qti-response-declaration")
    if choices:
        named = [part for value in response.iter(f"{ASI}qti-value") for part in (value.text or "").split()]
        named += [part for entry in response.iter(f"{ASI}qti-map-entry") for part in entry.get("map-key").split()]
        yield from (f"the response names {one!r}" for one in set(named) - set(choices))
