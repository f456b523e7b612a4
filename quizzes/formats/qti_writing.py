"""QTI 3.0 packages as we write them: an item for each question, standard templates where they say what we mean."""

import io
import zipfile
from collections.abc import Sequence
from fractions import Fraction

from django.utils.translation import gettext as _

from quizzes.formats.base import TRUE_FALSE, Refused, decimal, leeway_of, number
from quizzes.formats.xml import broken, element, paragraphs, words
from quizzes.kinds.base import EVERYTHING, weight

MANIFEST = "imsmanifest.xml"
NAMESPACE = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
LOM = "http://ltsc.ieee.org/xsd/LOM"


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
                lost.append((question["slug"], _("left out: %(error)s") % {"error": error}))
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
    lom = f'<metadata><lom xmlns="{LOM}"><general>{keywords}</general></lom></metadata>' if keywords else ""
    inside = f'{lom}<file href="{href}"/>'
    return f'<resource identifier="r-{question["slug"]}" type="imsqti_item_xmlv3p0" href="{href}">{inside}</resource>'


def _manifest_written(resources: Sequence[str], title: str) -> str:
    about = "<metadata><schema>QTI Package</schema><schemaversion>3.0.0</schemaversion></metadata>"
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
        raise Refused(_("it has no text in '%(language)s'") % {"language": language})
    for name, dull in (("must_pass", False), ("cites", []), ("difficulty", 2)):
        if question[name] != dull:
            lost.append((question["slug"], _("'%(name)s' is not kept") % {"name": name}))
    if question["kind"] not in WRITERS:
        raise Refused(_("QTI has no %(kind)s questions") % {"kind": question["kind"]})
    declared, body, processing, feedback = WRITERS[question["kind"]](question, told, language, lost)
    if explanation := told(question["explanation"]):
        feedback = [*feedback, ("general", explanation)]
    score = element(
        "qti-outcome-declaration", identifier="SCORE", cardinality="single", base_type="float",
        normal_maximum=str(question["points"]),
    )  # fmt: skip
    outcome = element(
        "qti-outcome-declaration", identifier="FEEDBACK", base_type="identifier",
        cardinality="single" if question["kind"] in ("single", "truefalse") else "multiple",
    )  # fmt: skip
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


def _processing(is_mapped: bool, points: int, *, tells: bool = False) -> str:
    """Return how a response is scored: by the mapping, or all the points for the right one. ``tells``: what was chosen
    is what feedback is shown for."""
    score = element("qti-set-outcome-value", '<qti-map-response identifier="RESPONSE"/>', identifier="SCORE")
    if not is_mapped:
        right = '<qti-match><qti-variable identifier="RESPONSE"/><qti-correct identifier="RESPONSE"/></qti-match>'
        value = element("qti-base-value", str(points), base_type="float")
        gain = element("qti-set-outcome-value", value, identifier="SCORE")
        score = element("qti-response-condition", element("qti-response-if", right, gain))
    told = element("qti-set-outcome-value", '<qti-variable identifier="RESPONSE"/>', identifier="FEEDBACK")
    return element("qti-response-processing", score, told if tells else "")


def _id(name: str) -> str:
    """Return the name as an identifier of QTI, which begins with a letter."""
    return name if name[:1].isalpha() else f"c-{name}"


def _choice_written(question: dict, told, language: str, lost: list):
    options, rule = question["options"], question["detail"].get("credit") or "all"
    is_multiple = question["kind"] == "multiple"
    right = [_id(option["id"]) for option in options if option.get("right")]
    share = Fraction(1, len(right))
    mapped = []
    if rule != "all":
        mapped = [
            (_id(o["id"]), weight(o) if rule == "weights" else share if o.get("right") else -share) for o in options
        ]
        if rule == "weights" and not is_multiple:
            mapped = [(_id(o["id"]), EVERYTHING if o.get("right") else weight(o)) for o in options]
    choices = [
        element(
            "qti-simple-choice", broken(told(option["text"])),
            element("qti-feedback-inline", broken(told(option["why"])), outcome_identifier="FEEDBACK",
                    identifier=_id(option["id"]), show_hide="show") if told(option["why"]) else "",
            identifier=_id(option["id"]),
        )
        for option in options
    ]  # fmt: skip
    is_fixed = question["kind"] == "truefalse" or not question["shuffle"]
    if question["kind"] == "truefalse":
        texts = tuple(told(option["text"]) for option in options)
        if texts not in TRUE_FALSE.values():
            lost.append((question["slug"], _("becomes a single choice: it does not say true and false")))
    interaction = element(
        "qti-choice-interaction", *choices, response_identifier="RESPONSE", shuffle="false" if is_fixed else "true",
        max_choices="0" if is_multiple else "1",
    )  # fmt: skip
    declared = _declared(
        "multiple" if is_multiple else "single", "identifier", right, mapped, points=question["points"]
    )
    body = _body("qti-item-body", told(question["stem"]), interaction)
    return declared, body, _processing(bool(mapped), question["points"], tells=True), []


def _order_written(question: dict, told, language: str, lost: list):
    if any(option["why"] for option in question["options"]):
        lost.append((question["slug"], _("what is said about each item is not kept")))
    if question["detail"].get("credit") != "all":
        lost.append((question["slug"], _("part credit becomes all or nothing")))
    names = [_id(option["id"]) for option in question["options"]]
    by_text = sorted(question["options"], key=lambda option: told(option["text"]))
    choices = [element("qti-simple-choice", broken(told(o["text"])), identifier=_id(o["id"])) for o in by_text]
    interaction = element("qti-order-interaction", *choices, response_identifier="RESPONSE", shuffle="true")
    body = _body("qti-item-body", told(question["stem"]), interaction)
    return _declared("ordered", "identifier", names), body, _processing(False, question["points"]), []


def _match_written(question: dict, told, language: str, lost: list):
    prompts, options = question["detail"]["prompts"], question["options"]
    if any(part.get("why") for part in (*prompts, *options)):
        lost.append((question["slug"], _("what is said about each pair is not kept")))
    pairs = [f"{_id(prompt['id'])} {_id(prompt['match'])}" for prompt in prompts]
    in_part = question["detail"].get("credit") != "all"
    mapped = [(pair, Fraction(1, len(pairs))) for pair in pairs] if in_part else []
    sets = [
        element("qti-simple-match-set", *(
            element(
                "qti-simple-associable-choice", broken(told(part["text"])), identifier=_id(part["id"]), match_max=most
            )
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
        _processing(bool(mapped), question["points"]),
        [],
    )


def _text_written(question: dict, told, language: str, lost: list):
    listed = [(w, weight(o), told(o["why"])) for o in question["options"] for w in o["accepts"].get(language, ())]
    if not listed:
        raise Refused(_("no answer is told in '%(language)s'") % {"language": language})
    if any("*" in wording for wording, _share, _why in listed):
        lost.append((question["slug"], _("a star in an answer stands for itself elsewhere")))
    case = "true" if question["detail"].get("case") else "false"
    correct = next(wording for wording, share, _why in listed if share == EVERYTHING)
    declared = _declared(
        "single", "string", [correct], [(w, share) for w, share, _why in listed], points=question["points"], case=case
    )
    feedback = [(f"w{place}", why) for place, (_w, _share, why) in enumerate(listed, 1) if why]
    gap = element("qti-text-entry-interaction", response_identifier="RESPONSE", expected_length="40")
    body = _body("qti-item-body", told(question["stem"]), f"<p>{gap}</p>")
    return declared, body, _processing(True, question["points"]), feedback


def _numeric_written(question: dict, told, language: str, lost: list):
    units = question["detail"].get("units", [])
    if len(units) > 1:
        raise Refused(_("QTI has no units"))
    if units:
        lost.append((question["slug"], _("its unit is not kept")))
    listed, rules = [], []
    for option in question["options"]:
        value, leeway = decimal(number(option["value"])), decimal(leeway_of(option))
        if value is None or leeway is None:
            raise Refused(_("its value is a fraction that no decimal ends"))
        if value in [known for known, _share, _why in listed]:
            raise Refused(_("it expects the same number twice"))
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
