"""Every item and manifest that is exported is what QTI 3.0 says it must be."""

import io
import zipfile

import pytest
from hypothesis import given, settings

from quizzes.formats import FORMATS, qti
from tests.quizzes import qti_rules
from tests.quizzes.reading import DULL
from tests.quizzes.samples import ALL, BY_KIND
from tests.quizzes.test_formats_back import choices, numbers, pairs, sane, truths, typed


def written(questions: list[dict]) -> dict[str, bytes]:
    data, _lost = FORMATS["qti"].write(questions, "en", "Bank -- of “all”")
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def wrong(questions: list[dict]) -> list[str]:
    files = written(questions)
    found = [one for name, xml in files.items() if name.startswith("items/") for one in qti_rules.wrong_in_item(xml)]
    return found + qti_rules.wrong_in_manifest(files["imsmanifest.xml"])


def test_every_kind_that_qti_has_is_written_as_it_demands():
    questions = [DULL | one for one in ALL]
    questions += [DULL | BY_KIND["numeric"] | {"slug": "plain-number", "detail": {}}]
    questions += [DULL | BY_KIND["ordering"] | {"slug": "whole-order", "detail": {"credit": "all"}, "points": 3}]
    questions += [DULL | BY_KIND["multiple"] | {"slug": "in-parts", "detail": {"credit": "parts"}}]
    assert len(written(questions)) == 10  # nine items: chat, scenario and units are none of QTI
    assert wrong(questions) == []


def test_names_that_qti_does_not_allow_are_made_into_some_that_it_does():
    odd = [option | {"id": str(n)} for n, option in enumerate(BY_KIND["single"]["options"])]
    assert wrong([DULL | BY_KIND["single"] | {"options": odd}]) == []


@given(choices() | truths() | typed() | numbers() | pairs())
@settings(max_examples=150)
def test_whatever_is_asked_is_written_as_it_demands(question):
    if (asked := sane(question)) is not None:
        assert wrong([asked | {"slug": "q"}]) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b' time-dependent="false"', b"", "lacks time-dependent"),
        (b'response-identifier="RESPONSE"', b'response-identifier="OTHER"', "asks for 'OTHER'"),
        (b"<qti-value>right</qti-value>", b"<qti-value>nobody</qti-value>", "the response names 'nobody'"),
        (b'cardinality="single" base-type="identifier">', b'cardinality="one" base-type="identifier">', "cardinality"),
        (b"</qti-item-body>", b"<div/></qti-item-body>", "div is unknown"),
        (b'outcome-identifier="FEEDBACK"', b'outcome-identifier="NONE"', "is told by 'NONE'"),
    ],
)
def test_the_rules_find_what_is_wrong(old, new, said):
    xml = written([DULL | BY_KIND["single"]])["items/single.xml"]
    assert qti_rules.wrong_in_item(xml) == []
    assert old in xml
    assert said in " | ".join(qti_rules.wrong_in_item(xml.replace(old, new)))


def test_what_is_written_is_read_without_a_word():
    data, _lost = FORMATS["qti"].write([DULL | BY_KIND["single"] | {"points": 3}], "en", "Bank")
    notes: list[str] = []
    [item] = list(qti.read(data, "en", notes))
    assert notes + item.notes == []
    assert item.question["points"] == 3
