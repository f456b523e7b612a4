"""GIFT and Aiken: what real files get wrong, what is refused and why."""

import pytest

from quizzes.formats import aiken, gift
from tests.quizzes.reading import one, read, right_texts

# --- GIFT ----------------------------------------------------------------------------------------------------------


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


# --- Aiken ---------------------------------------------------------------------------------------------------------


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
