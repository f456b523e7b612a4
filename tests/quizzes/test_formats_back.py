"""What goes out as a question file comes back as it was; what a format cannot carry is said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes.formats import FORMATS, gift, moodle, own, qti
from quizzes.formats.base import Item as Found
from quizzes.formats.base import Share, Told, checked, number, share_of, written
from tests.quizzes.reading import DULL
from tests.quizzes.samples import ALL

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
