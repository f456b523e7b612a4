"""Moodle XML and QTI: what real files get wrong, what is refused and why."""

import pytest

from quizzes.formats import moodle, qti
from tests.quizzes.reading import QTI2, QTI3, one, read, right_texts, zipped

# --- Moodle XML ----------------------------------------------------------------------------------------------------


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


# --- QTI -----------------------------------------------------------------------------------------------------------


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
