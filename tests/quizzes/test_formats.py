"""Question files: what real ones get wrong, what is refused and why, and what comes back as it went out."""

import io
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes.formats import FORMATS, aiken, gift, moodle, own, qti
from quizzes.formats.base import Item as Found
from quizzes.formats.base import NotThisFormat, Share, Told, checked, number, share_of, written
from quizzes.formats.packages import Package
from quizzes.formats.plain import of_html
from tests.quizzes.samples import ALL

DULL = {"points": 1, "must_pass": False, "shuffle": True, "detail": {}}


def read(module, text: str | bytes, language: str = "en") -> list[Found]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(module.read(data, language, []))


def one(module, text: str | bytes) -> Found:
    [item] = read(module, text)
    return item


def right_texts(question: dict) -> list[str]:
    return [option["text"]["en"] for option in question["options"] if option.get("right")]


# --- GIFT --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "right"),
    [
        ("Who? {=Ann ~Bob}", "single", ["Ann"]),
        ("Who?{=Ann~Bob~Cy}", "single", ["Ann"]),
        ("Who? {~%50%Ann ~%50%Bob ~%-50%Cy}", "multiple", ["Ann", "Bob"]),
        ("Who? {~%33.3%Ann ~%33.3%Bob ~%33.3%Cy ~Di}", "multiple", ["Ann", "Bob", "Cy"]),
        ("Kept? {T}", "truefalse", ["True"]),
        ("Kept? { false }", "truefalse", ["False"]),
        ("必须存档。{错}", "truefalse", ["False"]),
        ("It is {=ten ~two} o'clock.", "single", ["ten"]),
        ("Which?{\n=E = mc^2\n~E = mc\n}", "single", ["E = mc^2"]),
        ("Which? {=C# ~Java}", "single", ["C#"]),
        ("\ufeffAt 10:30, ratio 1:2? {=yes: now ~no: later}", "single", ["yes: now"]),
        ("Who? {~Ann ~=Bob ~Cy}", "single", ["Bob"]),
        ("Who? {=[html]<b>Ann</b># [plain]Yes. ~[plain]<b>Bob</b>}", "single", ["Ann"]),
        ("[html]<p>A &amp; B?</p> {=<b>both</b> ~none}", "single", ["both"]),
    ],
)
def test_gift_is_read_leniently_where_the_meaning_is_clear(text, kind, right):
    item = one(gift, text)
    assert item.refused == ""
    assert (item.question["kind"], right_texts(item.question)) == (kind, right)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Tell us. {}", "an essay"),
        ("Read this first.", "it asks nothing"),
        ("Who? {=Ann =Bob ~Cy}", "2 options earn everything"),
        ("Who? {~Ann ~Bob}", "no option earns anything"),
        ("Who? {~%80%Ann ~%80%Bob ~Cy}", "160% together"),
        ("Who? {=Ann ~Bob", "is never closed"),
        ("A {=x} and B {=y}", "2 gaps"),
        ("Who? {Ann}", "neither '=' nor '~'"),
        ("How many? {#about ten}", "is no number"),
        ("Match {=a -> b}", "prompts: 1"),
        ("::t:: {=a ~b}", "no text"),
    ],
)
def test_gift_that_cannot_be_graded_is_refused_with_its_line_and_why(text, why):
    item = read(gift, f"Good? {{T}}\n\n{text}")[1]
    assert item.where == "line 3"
    assert why in item.refused


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("Grant is {~buried =entombed} in a tomb.", "Grant is _____ in a tomb."),
        ("Two plus two is {=four =4}.", "Two plus two is _____."),
        ("A{=x ~y}B", "A _____ B"),
        ("What is 2:1? {T}", "What is 2:1?"),
        ('Copied from a program. {T}";', "Copied from a program."),
    ],
)
def test_a_gap_stays_where_it_was(text, stem):
    assert one(gift, text).question["stem"]["en"] == stem


def test_feedback_on_everything_else_is_kept_where_it_can_be():
    item = one(gift, "Best? {=Frog#Good! =%50%Cat#Hm. =%0%*#No.}")
    assert [(o["accepts"]["en"], o["why"]["en"]) for o in item.question["options"]][2] == (["*"], "No.")
    item = one(gift, "From 1 to 5? {#3:2~#Completely wrong}")
    assert item.question["options"][0]["tolerance"] == "2"
    assert item.notes == ["the feedback on all other numbers was left out"]


def test_a_bad_question_takes_no_other_along_and_none_is_lost():
    text = "::a:: One? {T}\n::b:: Two? {=x ~y\n\n::c:: Three? {F}\nFour? {=x ~y}\n\n\n// end\nFive {}"
    items = read(gift, text)
    assert [(item.where, item.name, bool(item.refused)) for item in items] == [
        ("line 1", "a", False),
        ("line 2", "b", True),
        ("line 4", "c", False),
        ("line 5", "Four?", False),
        ("line 9", "Five", True),
    ]


def test_gift_keeps_title_category_tags_feedback_numbers_and_pairs():
    text = (
        "$CATEGORY: $course$/top/US Rules\n// [id:kept] [tag:Periods]\n\n"
        "::Q 1:: How long? {#=3:0.5#Right. =%50%2..2.4#Nearly.####Rule 17a-4.}\n\n"
        "Match {=SEC -> US =CSRC -> China = -> EU}\n\nApp? {=WeCom#ok =企业微信#ok =%25%WeChat}"
    )
    numeric, matching, typed = (item.question for item in read(gift, text))
    assert numeric["tags"] == ["us-rules", "periods"]
    assert numeric["explanation"] == {"en": "Rule 17a-4."}
    assert [(o["value"], o.get("tolerance"), o.get("weight"), o["why"]["en"]) for o in numeric["options"]] == [
        ("3", "0.5", None, "Right."),
        ("2.2", "0.2", "0.5", "Nearly."),
    ]
    assert [option["text"]["en"] for option in matching["options"]] == ["US", "China", "EU"]
    assert [option["accepts"]["en"] for option in typed["options"]] == [["WeCom", "企业微信"], ["WeChat"]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_text_is_read_whatever_it_was_saved_as(encoding):
    item = one(gift, "微信必须存档吗？ {=必须 ~不必}".encode(encoding))
    assert item.question["stem"]["en"] == "微信必须存档吗？"


# --- Aiken -------------------------------------------------------------------------------------------------------


def test_aiken_is_read_with_the_habits_of_those_who_type_it():
    text = (
        "What?\nA. one\nB) two\nANSWER: B\n\nA stem\nover two lines\na) x\nb) y\n goes on\nAnswer: a.\n\n"
        "哪个？\nＡ．甲\nＢ．乙\n答案：Ｂ\n\nWhich two?\nA. p\nB. q\nC. r\nANSWER: A, C"
    )
    items = read(aiken, text)
    assert [item.refused for item in items] == [""] * 4
    assert [right_texts(item.question) for item in items] == [["two"], ["x"], ["乙"], ["p", "r"]]
    assert items[1].question["stem"]["en"] == "A stem\nover two lines"
    assert items[3].question["kind"] == "multiple"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("No answer?\nA. x\nB. y\n\nWhat?\nA. x\nB. y\nANSWER: A", "line 1", "does not say which"),
        ("What?\nA. x\nB. y\nANSWER: C", "line 1", "the right answer is 'C'"),
        ("What?\nA. x\nC. y\nANSWER: A", "line 1", "lettered A, C"),
        ("What?\nA. x\nANSWER: A", "line 1", "a question has 1 options"),
        ("Q?\nA. x\nB. y\nANSWER: A\n\nJust text.", "line 6", "it has no answers"),
    ],
)
def test_aiken_that_is_wrong_is_named_by_its_line(text, line, why):
    [refused] = [item for item in read(aiken, text) if item.refused]
    assert refused.where == line
    assert why in refused.refused


# --- Moodle XML --------------------------------------------------------------------------------------------------


def quiz(*questions: str) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n{}\n</quiz>'.format("\n".join(questions))


def asked(kind: str, inside: str, stem: str = "<p>What?</p>", name: str = "q") -> str:
    return (
        f'<question type="{kind}"><name><text>{name}</text></name>'
        f'<questiontext format="html"><text><![CDATA[{stem}]]></text></questiontext>{inside}</question>'
    )


def answer(share: str, text: str) -> str:
    return f'<answer fraction="{share}" format="html"><text><![CDATA[<p>{text}</p>]]></text></answer>'


SEVERAL = "<single>false</single>" + answer("50", "a") + answer("50", "b")
CHOICE = "<single>true</single>" + answer("100", "yes") + answer("0", "no")


def test_moodle_markup_becomes_plain_text_and_what_is_lost_is_said():
    stem = (
        "<p>CO<sub>2</sub>&nbsp;&amp; 10<sup>3</sup></p><ul><li>one</li><li>two</li></ul><script>alert(1)</script>"
        '<p><img src="@@PLUGINFILE@@/chart.png" onerror="x()"></p><table><tr><td>a</td><td>b</td></tr></table>'
    )
    item = one(moodle, quiz(asked("multichoice", CHOICE, stem)))
    assert item.question["stem"]["en"] == "CO₂ & 10³\n\n- one\n- two\n\n[chart.png]\n\na | b"
    assert any("chart.png" in note for note in item.notes)
    assert any("script" in note for note in item.notes)


def test_moodle_knows_what_it_cannot_bring_by_name_and_line():
    text = quiz(
        '<question type="category"><category><text>$course$/top/China</text></category></question>',
        asked("multichoice", CHOICE, name="good"),
        asked("essay", "", name="long"),
        asked("cloze", "", name="gaps"),
        asked("ddimageortext", "", name="drag"),
        asked("multichoice", "<single>true</single>" + answer("50", "a") + answer("0", "b"), name="half"),
    )
    good, *bad = read(moodle, text)
    assert good.question["tags"] == ["china"]
    assert [(item.where, item.name) for item in bad] == [
        ("line 5", "long"), ("line 6", "gaps"), ("line 7", "drag"), ("line 8", "half"),
    ]  # fmt: skip
    for item, why in zip(bad, ("essay", "cloze", "'ddimageortext'", "no option is right"), strict=True):
        assert why in item.refused


def test_a_broken_question_leaves_the_others_readable():
    text = quiz(
        asked("multichoice", CHOICE, name="one"), "<question type='x'><name>", asked("truefalse", "", name="two")
    )
    notes: list[str] = []
    items = list(moodle.read(text.encode(), "en", notes))
    assert [(item.where, item.name) for item in items if item.question] == [("line 3", "one")]
    assert [item.where for item in items if item.refused] == ["line 4", "line 5"]
    assert "not well-formed" in notes[0]


def test_moodle_units_say_it_the_other_way_round():
    units = "".join(
        f"<unit><multiplier>{n}</multiplier><unit_name>{u}</unit_name></unit>"
        for n, u in ((1, "years"), (12, "months"))
    )
    inside = f'<answer fraction="100"><text>3</text><tolerance>0.25</tolerance></answer><units>{units}</units>'
    question = one(moodle, quiz(asked("numerical", inside))).question
    assert [(unit["text"]["en"], unit["factor"]) for unit in question["detail"]["units"]] == [
        ("years", "1"), ("months", "1/12"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (asked("multichoice", SEVERAL + answer("-50", "c")), "parts"),
        (asked("multichoice", SEVERAL + answer("0", "c")), "weights"),
        (asked("multichoiceset", answer("100", "a") + answer("100", "b") + answer("0", "c")), None),
    ],
)
def test_how_moodle_grades_several_answers_is_how_they_are_graded_here(text, kind):
    question = one(moodle, quiz(text)).question
    assert question["kind"] == "multiple"
    assert question["detail"].get("credit") == kind


# --- QTI ---------------------------------------------------------------------------------------------------------

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


def test_a_qti_3_item_is_read():
    question = one(qti, QTI3).question
    assert question["stem"]["en"] == "Look at this:\nWhich?"
    assert right_texts(question) == ["One"]
    assert [option["why"].get("en") for option in question["options"]] == ["Yes.", None]


def test_a_qti_2_item_says_the_same_in_other_names():
    question = one(qti, QTI2).question
    assert (question["kind"], right_texts(question)) == ("multiple", ["a", "b"])
    assert (question["detail"]["credit"], question["shuffle"]) == ("parts", False)


def test_what_qti_asks_that_is_not_asked_here_is_refused_by_name():
    drawn = QTI3.replace("qti-choice-interaction", "qti-hotspot-interaction")
    assert "hotspot-interaction" in one(qti, drawn).refused
    assert "declared nowhere" in one(qti, QTI3.replace('response-identifier="R"', 'response-identifier="X"')).refused
    unknown = one(qti, QTI3.replace("<qti-value>A", "<qti-value>Z")).refused
    assert "names 'Z'" in unknown


def zipped(files: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return made.getvalue()


MANIFEST = """<manifest><resources>
<resource identifier="r" type="imsqti_item_xmlv3p0" href="sub/one.xml"><file href="sub/one.xml"/></resource>
<resource identifier="s" type="imsqti_item_xmlv3p0" href="gone.xml"/></resources></manifest>"""


def test_a_package_is_read_by_its_manifest_and_missing_files_are_told():
    notes: list[str] = []
    data = zipped({"imsmanifest.xml": MANIFEST, "sub/one.xml": QTI3, "other.xml": QTI2})
    items = list(qti.read(data, "en", notes))
    assert [item.where for item in items] == ["sub/one.xml"]
    assert "gone.xml" in notes[0]


def test_a_package_without_a_manifest_is_looked_through():
    items = read(qti, zipped({"b.xml": QTI2, "a.xml": QTI3, "broken.xml": "<x>", "notes.txt": "hello"}))
    assert [(item.where, bool(item.question)) for item in items] == [
        ("a.xml", True), ("b.xml", True), ("broken.xml", False),
    ]  # fmt: skip


# --- files that mean harm ----------------------------------------------------------------------------------------

BILLION = '<!DOCTYPE q [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE q [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "text",
    [
        f"{BILLION}<quiz><question type='truefalse'><name><text>&b;</text></name></question></quiz>",
        f"{OUTSIDE}<quiz><question type='truefalse'><name><text>&x;</text></name></question></quiz>",
        "<quiz><question>" + "<a>" * 5000,
    ],
)
def test_xml_that_unfolds_reaches_outside_or_nests_without_end_is_refused(text):
    with pytest.raises(NotThisFormat):
        read(moodle, text)
    with pytest.raises(NotThisFormat):
        read(qti, text)


def test_a_package_that_leads_out_of_itself_or_unfolds_is_refused():
    notes: list[str] = []
    odd = {"../../etc/cron.d/x.xml": QTI3, "/abs.xml": QTI3, "C:/x.xml": QTI3, "ok.xml": QTI2}
    items = list(qti.read(zipped(odd), "en", notes))
    assert [item.where for item in items] == ["ok.xml"]
    assert sum("leads out of the package" in note for note in notes) == 3
    with pytest.raises(NotThisFormat, match="suspiciously tightly"):
        Package(zipped({"bomb.xml": b"0" * 7_000_000}))
    with pytest.raises(NotThisFormat, match="no ZIP"):
        Package(b"PK\x03\x04 and nothing else")


def test_a_file_that_is_damaged_inside_is_named():
    whole = zipped({"a.xml": random.Random(1).randbytes(5000).hex()})
    start = whole.index(b"a.xml") + len(b"a.xml")
    with pytest.raises(NotThisFormat, match=r"a\.xml cannot be unpacked"):
        Package(whole[:start] + b"\xff" * 50 + whole[start + 50 :]).read("a.xml")


def test_a_size_that_lies_is_found_out():
    data = zipped({"a.xml": random.Random(1).randbytes(9 * 2**20)})  # which does not pack
    package = Package(data)
    with pytest.raises(NotThisFormat, match="larger than"):
        package.read("a.xml")


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(data=st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace"))))
@settings(max_examples=30, deadline=None)
def test_no_bytes_bring_a_reader_down(name, data):
    try:
        for item in FORMATS[name].read(data, "en", []):
            assert bool(item.question) != bool(item.refused)
    except NotThisFormat:
        pass


@given(text=st.text(alphabet="{}=~#:\\%-> \nabT1.[]()A$/", max_size=120))
@settings(max_examples=150, deadline=None)
def test_every_jumble_of_gift_signs_is_read_or_refused(text):
    try:
        for item in gift.read(text.encode(), "en", []):
            assert bool(item.question) != bool(item.refused)
    except NotThisFormat:
        assert "{" not in text or not text.strip() or all(
            not line.strip() or line.strip().startswith(("//", "$")) for line in text.split("\n")
        )  # fmt: skip


@given(st.text(max_size=300))
def test_markup_that_is_cleaned_holds_none(text):
    assert "<script" not in of_html(f"<script>{text}</script><p>x</p>", []).lower()


# --- there and back ----------------------------------------------------------------------------------------------

words = st.text(
    alphabet=st.sampled_from("abcXYZ 019 中文微信 .,;!?()[]{}=~#:%\\->/*<&>\"'_|@$\n"), min_size=1, max_size=40
).map(lambda text: "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())).filter(
    lambda text: text and text.strip() == text
)  # fmt: skip
lines = words.map(lambda text: " ".join(text.split())).filter(bool)
whys = st.one_of(st.just(""), words)
EN = Told("en")


@st.composite
def choices(draw):
    texts = draw(st.lists(words, min_size=2, max_size=5, unique=True))
    how = draw(st.sampled_from(["single", "weights", "parts", "all"]))
    right = draw(st.integers(1, len(texts) - 1))
    if how in ("single", "weights"):
        half = share_of("50") if how == "weights" else share_of("0")
        shares = [share_of("100") if place == right else half for place in range(len(texts))]
        return EN.choice(draw(words), [Share(t, s, draw(whys)) for t, s in zip(texts, shares, strict=True)], [], multiple=False)  # fmt: skip  # noqa: E501
    each = share_of("100") / right
    shares = [each if place < right else -each for place in range(len(texts))]
    question = EN.choice(draw(words), [Share(t, s, draw(whys)) for t, s in zip(texts, shares, strict=True)], [], multiple=True)  # fmt: skip  # noqa: E501
    return question | ({"detail": {}} if how == "all" else {})


@st.composite
def truths(draw):
    return EN.truefalse(draw(words), draw(st.booleans()), (draw(whys), draw(whys)))


@st.composite
def typed(draw):
    wordings = draw(st.lists(lines.filter(lambda text: "*" not in text), min_size=1, max_size=3, unique=True))
    half = draw(st.booleans()) and len(wordings) > 1
    shares = [Share(w, share_of("50" if half and n == len(wordings) - 1 else "100"), draw(whys) if half and n == len(wordings) - 1 else "") for n, w in enumerate(wordings)]  # fmt: skip  # noqa: E501
    return EN.text(draw(words), shares)


@st.composite
def numbers(draw):
    value = draw(st.decimals(-1000, 1000, places=3))
    leeway = draw(st.sampled_from(["0", "0.5", "2"]))
    text = written(number(f"{value:f}"))
    return EN.numeric(draw(words), [(Share(text, share_of("100"), draw(whys)), leeway)])


@st.composite
def pairs(draw):
    prompts = draw(st.lists(lines.filter(lambda text: "->" not in text), min_size=2, max_size=4, unique=True))
    options = draw(
        st.lists(lines.filter(lambda text: "->" not in text), min_size=len(prompts), max_size=5, unique=True)
    )
    return EN.matching(draw(words), list(zip(prompts, options, strict=False)), options[len(prompts) :])


def shape(question: dict) -> dict:
    """What a question says and how it grades, whatever its ids are called."""
    detail = dict(question["detail"])
    names = {option["id"]: option["text"]["en"] for option in question["options"] if "text" in option}
    prompts = [(p["text"]["en"], names[p["match"]]) for p in detail.pop("prompts", [])]
    options = [{k: v for k, v in option.items() if k != "id"} for option in question["options"]]
    if prompts:
        options = sorted(names.values())
    told = {name: question[name] for name in ("kind", "stem", "explanation")}
    return told | {"options": options, "prompts": prompts, "detail": detail}


def back(module, question: dict) -> Found:
    """Write a question and read it again; ``whole``: nothing was said to be lost."""
    data, lost = module.write([question | {"slug": "q-1", "tags": ["periods"]}], "en", "Bank")
    [item] = module.read(data, "en", [])
    item.lost = [what for _slug, what in lost]
    return item


def sane(question: dict) -> dict | None:
    return checked(Found("here", question=question)).question


@pytest.mark.parametrize("module", [gift, moodle, qti, own])
@given(question=st.one_of(choices(), truths(), typed(), numbers(), pairs()), explanation=whys)
@settings(max_examples=80, deadline=None)
def test_what_goes_out_comes_back(module, question, explanation):
    question = question | {"explanation": EN(explanation)}
    if sane(question) is None:
        return
    item = back(module, question)
    assert item.refused == ""
    wanted, came = shape(question), shape(item.question)
    if item.lost:  # GIFT has no "all or nothing"
        assert item.lost == ["'all or nothing' becomes part credit"]
        wanted["detail"] = {"credit": "parts"}
    assert came == wanted
    assert item.name == "q-1"
    assert item.question["tags"] == ["periods"]


def test_our_own_format_keeps_everything_of_every_kind_in_every_language():
    questions = [DULL | question | {"points": 3, "must_pass": True, "shuffle": False} for question in ALL]
    data, lost = own.write(questions, "en", "Bank")
    assert lost == []
    for question, item in zip(questions, own.read(data, "en", []), strict=True):
        assert item.refused == ""
        assert _without_empty(item.question) == _without_empty({k: v for k, v in question.items() if k != "slug"})
        assert item.name == question["slug"]


def _without_empty(value):
    """Leave out what is the same as nothing; a message is a text unless it says otherwise."""
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if (k, v) != ("kind", "text")}
        return {k: _without_empty(v) for k, v in value.items() if v not in ({}, False, None, [])}
    return [_without_empty(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["gift", "moodle", "qti", "aiken"])
def test_what_a_format_cannot_carry_is_said_for_each_question(name):
    questions = [DULL | question for question in ALL]
    data, lost = FORMATS[name].write(questions, "en", "Bank")
    left_out = {slug for slug, what in lost if what.startswith("left out")}
    came = len(list(FORMATS[name].read(data, "en", [])))
    assert came + len(left_out) == len(ALL)
    assert {"chat", "scenario"} <= left_out


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3.14", "3.14"),
        ("3,5", "3.5"),
        ("1,200", None),
        ("-1e-3", "-0.001"),
        ("1e99", None),
        ("x", None),
        ("1/3", "1/3"),
    ],
)
def test_numbers_of_files_are_exact_or_none(text, value):
    found = number(text)
    assert (None if found is None else written(found)) == value


@given(st.integers(-(10**6), 10**6), st.integers(1, 400))
def test_a_number_is_written_as_it_is(above, below):
    value = number(f"{above}/{below}")
    assert number(written(value)) == value
