"""Question files, read as tests read them."""

import io
import zipfile

from quizzes.formats.base import Item as Found

QTI3 = """<?xml version="1.0" encoding="UTF-8"?>
<qti-assessment-item xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" identifier="i1" title="T" adaptive="false" time-dependent="false">
 <qti-response-declaration identifier="R" cardinality="single" base-type="identifier">
  <qti-correct-response><qti-value>A</qti-value></qti-correct-response></qti-response-declaration>
 <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>
 <qti-item-body><div><p>Look at this:</p></div>
  <qti-choice-interaction response-identifier="R" shuffle="true" max-choices="1"><qti-prompt>Which?</qti-prompt>
   <qti-simple-choice identifier="A">One<qti-feedback-inline outcome-identifier="F" identifier="A">Yes.</qti-feedback-inline></qti-simple-choice>
   <qti-simple-choice identifier="B">Two</qti-simple-choice></qti-choice-interaction></qti-item-body>
 <qti-response-processing template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"/>
</qti-assessment-item>"""  # noqa: E501
QTI2 = """<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="i2" title="T" adaptive="false" timeDependent="false">
 <responseDeclaration identifier="R" cardinality="multiple" baseType="identifier"><correctResponse><value>A</value><value>B</value></correctResponse>
  <mapping lowerBound="0" upperBound="2" defaultValue="-1"><mapEntry mapKey="A" mappedValue="1"/><mapEntry mapKey="B" mappedValue="1"/><mapEntry mapKey="C" mappedValue="-1"/></mapping></responseDeclaration>
 <itemBody><choiceInteraction responseIdentifier="R" shuffle="false" maxChoices="0"><prompt>Which?</prompt>
  <simpleChoice identifier="A">a</simpleChoice><simpleChoice identifier="B">b</simpleChoice><simpleChoice identifier="C">c</simpleChoice></choiceInteraction></itemBody>
</assessmentItem>"""  # noqa: E501
DULL = {"points": 1, "must_pass": False, "shuffle": True, "detail": {}}


def read(module, text: str | bytes, language: str = "en") -> list[Found]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(module.read(data, language, []))


def one(module, text: str | bytes) -> Found:
    [item] = read(module, text)
    return item


def right_texts(question: dict) -> list[str]:
    return [option["text"]["en"] for option in question["options"] if option.get("right")]


def zipped(files: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return made.getvalue()
