"""Each kind: what it shows, how it reads a form, what an answer earns."""

import copy
import json
import random
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import kinds
from quizzes.kinds import KINDS, Forged, kind_of, numeric
from quizzes.kinds.text import fits
from quizzes.models import Question
from tests.quizzes.samples import ALL, BY_KIND, RIGHT, WRONG, both

each_kind = pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample["kind"])


def names_of(sample: dict, seed: str = "s") -> dict[str, str]:
    """What the page calls everything: "t-" and the id, which is no secret in a test."""
    return {name: f"t-{name}" for name in kind_of(sample).order(sample, random.Random(seed))}


def read(sample: dict, fields: dict, before=None):
    tokens = {token: name for name, token in names_of(sample).items()}

    def token(value: str) -> str:
        return f"t-{value}" if f"t-{value}" in tokens else value

    renamed = {token(field): [token(value) for value in values] for field, values in fields.items()}
    return kind_of(sample).read(sample, tokens, renamed, before)


def credit(sample: dict, fields: dict) -> Fraction:
    return kind_of(sample).credit(sample, read(sample, fields))


def changed(kind: str, **detail) -> dict:
    sample = copy.deepcopy(BY_KIND[kind])
    sample["detail"] |= detail
    return sample


def flaws(sample: dict) -> str:
    return " | ".join(flaw.what for flaw in kind_of(sample).flaws(sample))


# --- what holds for all ------------------------------------------------------------------------------------------


def test_every_kind_that_is_stored_is_known():
    assert set(KINDS) == set(Question.Kind.values)
    assert {sample["kind"] for sample in ALL} == set(KINDS)


@each_kind
def test_a_sample_has_no_flaw_and_right_and_wrong_answers_earn_all_and_nothing(sample):
    assert flaws(sample) == ""
    assert credit(sample, RIGHT[sample["kind"]]) == 1
    assert credit(sample, WRONG[sample["kind"]]) == 0
    assert kind_of(sample).credit(sample, None) == 0


@each_kind
def test_a_right_answer_is_complete_and_none_is_not(sample):
    kind = kind_of(sample)
    assert kind.is_complete(sample, read(sample, RIGHT[sample["kind"]]))
    assert not kind.is_complete(sample, None)


@each_kind
def test_an_empty_form_is_no_answer(sample):
    assert read(sample, {}) is None
    assert read(sample, {"": [""]} if sample["kind"] in ("numeric", "text", "scenario", "single") else {}) is None


@each_kind
def test_an_answer_is_plain_json(sample):
    answer = read(sample, RIGHT[sample["kind"]])
    assert json.loads(json.dumps(answer)) == answer


@each_kind
@pytest.mark.parametrize(
    "forged", [{"": ["t-nothing"]}, {"t-nothing": ["x"]}, {"unit": ["t-nothing"]}, {"other": [""]}], ids=str
)
def test_what_the_page_did_not_offer_is_refused(sample, forged):
    if sample["kind"] in ("text", "numeric") and "" in forged:
        return  # whatever is typed may be typed
    with pytest.raises(Forged):
        read(sample, forged)


@each_kind
def test_two_values_where_one_belongs_are_refused(sample):
    field, values = next(iter(RIGHT[sample["kind"]].items()))
    twice = {field: [values[0], values[0]]}
    with pytest.raises(Forged):
        read(sample, twice)


@each_kind
def test_what_is_shown_does_not_depend_on_what_is_right(sample):
    """Another key, the same page: so nothing on it can tell."""
    other = copy.deepcopy(sample)
    for one in other["options"]:
        one["right"], one["weight"], one["why"] = not one.get("right"), "-1", both("other")
        one.pop("value", None)
        one["accepts"] = {"en": ["other"], "zh-hans": ["另"]}
    match other["kind"]:
        case "matching":
            for prompt in other["detail"]["prompts"]:
                prompt |= {"match": "none", "why": both("other")}
        case "ordering":
            other["options"].reverse()
        case "chat":
            for message in other["detail"]["messages"]:
                message["mark"] = message["mark"] and "both"
        case "scenario":
            for scene in other["detail"]["scenes"]:
                scene |= {"weight": "1/3"}
                for choice in scene.get("choices", ()):
                    choice |= {"to": "hidden", "why": both("other")}
    shown = [
        kind_of(one).shown(one, names_of(one), None, lambda texts: texts["en"]) | {"order": list(names_of(one))}
        for one in (sample, other)
    ]
    assert shown[0] == shown[1]


@each_kind
def test_nothing_secret_is_shown_and_everything_is_explained(sample):
    names, answer = names_of(sample), read(sample, WRONG[sample["kind"]])

    def english(texts: dict) -> str:
        return texts["en"]

    shown = json.dumps(kind_of(sample).shown(sample, names, answer, english))
    assert "SECRET" not in shown
    assert not [word for word in ("weight", "match", "tolerance", "accepts", '"right"', '"mark"') if word in shown]
    explained = json.dumps(kind_of(sample).explained(sample, list(names), answer, english))
    assert "SECRET" in explained


@each_kind
def test_a_record_tells_what_was_answered_and_what_is_right_in_the_language_asked_for(sample):
    names = list(names_of(sample))
    for language in ("en", "zh-hans"):
        lines = kind_of(sample).told(
            sample, names, read(sample, WRONG[sample["kind"]]), lambda texts, lang=language: texts[lang]
        )
        assert all(set(line) == {"shown", "answered", "right"} for line in lines)
        assert any(line["answered"] for line in lines)
        assert any(line["right"] for line in lines)
        text = "".join(line["shown"] + line["right"] for line in lines)
        assert ("中文" in text or "年" in text or "微信" in text) == (language == "zh-hans")


@given(st.sampled_from([sample for sample in ALL if sample["kind"] != "truefalse"]), st.text(max_size=6))
def test_the_same_seed_shows_the_same_order(sample, seed):
    assert names_of(sample, seed) == names_of(copy.deepcopy(sample), seed)


def test_where_the_author_keeps_the_order_it_is_kept_but_for_what_the_order_would_tell():
    fixed = {kind: BY_KIND[kind] | {"shuffle": False} for kind in BY_KIND}
    assert {tuple(names_of(fixed["single"], seed)) for seed in "abcdef"} == {("right", "wrong-1", "wrong-2")}
    assert len({tuple(names_of(fixed["ordering"], seed)) for seed in "abcdef"}) > 1
    orders = {tuple(names_of(fixed["matching"], seed)) for seed in "abcdefgh"}
    assert {order[:2] for order in orders} == {("p-us", "p-cn")}
    assert len({order[2:] for order in orders}) > 1


@pytest.mark.parametrize("kind", ["single", "multiple", "matching", "ordering"])
def test_every_order_comes_about_as_often_as_any_other(kind):
    """What is right stands nowhere more often than elsewhere."""
    sample, first = (
        BY_KIND[kind],
        {"single": "right", "multiple": "wrong-1", "matching": "us", "ordering": "first"}[kind],
    )
    places = [list(names_of(sample, str(seed))).index(first) for seed in range(900)]
    counts = [places.count(place) for place in set(places)]
    assert min(counts) > 0.7 * max(counts)


# --- part credit -------------------------------------------------------------------------------------------------


@given(st.sets(st.sampled_from(["right-1", "right-2", "wrong-1"])))
def test_all_that_apply_is_all_or_nothing_unless_said_otherwise(chosen):
    assert credit(BY_KIND["multiple"], {"": sorted(chosen)}) == (chosen == {"right-1", "right-2"})


@given(st.integers(1, 8), st.integers(0, 8), st.data())
def test_in_parts_each_wrong_choice_takes_back_a_right_one(rights, wrongs, data):
    options = [{"id": f"r{n}", "right": True} for n in range(rights)] + [{"id": f"w{n}"} for n in range(wrongs)]
    sample = {"kind": "multiple", "options": options, "detail": {"credit": "parts"}}
    chosen = data.draw(st.sets(st.sampled_from([option["id"] for option in options])))
    hits = sum(name.startswith("r") for name in chosen)
    earned = kind_of(sample).credit(sample, sorted(chosen))
    assert earned == max(Fraction(0), Fraction(hits - (len(chosen) - hits), rights))
    assert (earned == 1) == (chosen == {f"r{n}" for n in range(rights)})


def test_weights_add_up_exactly_thirds_too():
    options = [{"id": f"r{n}", "right": True, "weight": "1/3"} for n in range(3)] + [{"id": "w", "weight": "-1/2"}]
    sample = {"kind": "multiple", "options": options, "detail": {"credit": "weights"}}
    kind = kind_of(sample)
    assert flaws(sample) == ""
    assert kind.credit(sample, ["r0", "r1", "r2"]) == 1
    assert kind.credit(sample, ["r0", "r1", "r2", "w"]) == Fraction(1, 2)
    assert kind.credit(sample, ["r0", "w"]) == 0


def test_a_single_choice_may_be_half_right():
    sample = {
        "kind": "single",
        "options": [{"id": "a", "right": True}, {"id": "b", "weight": "1/2"}, {"id": "c", "weight": "-1"}],
        "detail": {"credit": "weights"},
    }
    assert [kind_of(sample).credit(sample, [name]) for name in "abc"] == [1, Fraction(1, 2), 0]


@given(st.integers(3, 6).flatmap(lambda n: st.permutations(range(n))))
def test_an_order_earns_its_right_pairs_less_its_wrong_ones(order):
    ids = [f"i{n}" for n in range(len(order))]
    sample = {"kind": "ordering", "options": [{"id": name} for name in ids], "detail": {}}
    answer = {name: place + 1 for name, place in zip(ids, order, strict=True)}
    pairs = [(a, b) for a in range(len(order)) for b in range(a)]
    good = sum(order[a] > order[b] for a, b in pairs)
    earned = kind_of(sample).credit(sample, answer)
    assert earned == max(Fraction(0), Fraction(2 * good - len(pairs), len(pairs)))
    assert (earned == 1) == (list(order) == sorted(order))


def test_a_guessed_order_earns_little_and_the_wrong_way_round_nothing():
    ids = ["first", "second", "third", "fourth"]
    earned = [
        kind_of(BY_KIND["ordering"]).credit(BY_KIND["ordering"], dict(zip(ids, order, strict=True)))
        for order in permutations((1, 2, 3, 4))
    ]
    assert sum(earned) / len(earned) < Fraction(1, 4)
    assert earned[-1] == 0


def test_the_same_place_twice_is_neither_right_nor_wrong_and_not_complete():
    answer = {"first": 1, "second": 1, "third": 3, "fourth": 4}
    kind = kind_of(BY_KIND["ordering"])
    assert kind.credit(BY_KIND["ordering"], answer) == Fraction(5, 6)
    assert not kind.is_complete(BY_KIND["ordering"], answer)


@pytest.mark.parametrize("kind", ["matching", "chat"])
def test_half_of_the_parts_earn_half_unless_it_is_all_or_nothing(kind):
    half = dict(list(RIGHT[kind].items())[:1])
    assert credit(BY_KIND[kind], half) == Fraction(1, 2)
    assert credit(changed(kind, credit="all"), half) == 0
    assert credit(changed(kind, credit="all"), RIGHT[kind]) == 1
    assert not kind_of(BY_KIND[kind]).is_complete(BY_KIND[kind], read(BY_KIND[kind], half))


# --- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("3", 3),
        (" 3.50 ", Fraction(7, 2)),
        ("1,200.5", Fraction(2401, 2)),
        ("１２", 12),
        ("−4", -4),
        ("+4", 4),
        (".5", Fraction(1, 2)),
        ("3.", 3),
        ("3,5", None),
        ("1,20", None),
        ("three", None),
        ("1e3", None),
        ("", None),
        ("--1", None),
        ("1 2", None),
        ("0x10", None),
        ("٣", None),
    ],
)
def test_a_number_is_read_as_people_write_it_and_never_guessed(typed, number):
    assert numeric.number_in(typed) == number


@given(st.decimals(-(10**6), 10**6, places=4, allow_nan=False))
def test_a_decimal_is_read_exactly(number):
    assert numeric.number_in(f"{number:f}") == Fraction(str(number))


@given(
    value=st.integers(-1000, 1000),
    leeway=st.fractions(0, 50, max_denominator=20),
    off=st.fractions(-60, 60, max_denominator=20),
)
def test_a_number_within_its_tolerance_is_right_bounds_included(value, leeway, off):
    sample = {
        "kind": "numeric",
        "options": [{"id": "a", "right": True, "value": str(value), "tolerance": str(leeway)}],
        "detail": {"units": [{"id": "u", "factor": "1"}]},
    }
    typed = value + off
    answer = {"text": f"{float(typed)!r}", "unit": "u"}
    exact = numeric.number_in(answer["text"])
    if exact is None:
        return  # 1e-05: nobody types that
    assert (kind_of(sample).credit(sample, answer) == 1) == (abs(exact - value) <= leeway)


@pytest.mark.parametrize(
    ("typed", "unit", "earned"),
    [
        ("3", "years", 1),
        ("3.25", "years", 1),
        ("3.26", "years", 0),
        ("36", "months", 1),
        ("39", "months", 1),
        ("40", "months", 0),
        ("36", "years", 0),
        ("3", "", 0),
        ("three", "years", 0),
    ],
)
def test_a_number_counts_in_the_unit_that_was_chosen(typed, unit, earned):
    fields = {"": [typed], "unit": [unit]} if unit else {"": [typed]}
    assert credit(BY_KIND["numeric"], fields) == earned


def test_a_tolerance_may_be_a_percentage():
    sample = {
        "kind": "numeric",
        "options": [{"id": "a", "right": True, "value": "-200", "tolerance": "5%"}],
        "detail": {},
    }
    assert flaws(sample) == ""
    assert [credit(sample, {"": [typed]}) for typed in ("-190", "-210", "-189.9")] == [1, 1, 0]


# --- words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wording", "typed", "is_right"),
    [
        ("WeCom", " wecom. ", True),
        ("WeCom", "ＷｅＣｏｍ", True),
        ("WeCom", "We Com", False),
        ("企业微信", "企业 微信。", True),
        ("WeChat存档", "WeChat 存档", True),
        ("enterprise *", "Enterprise WeChat", True),
        ("*archive*", "the Archive room", True),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("2\\*3", "2*3", True),
        ("2\\*3", "2x3", False),
    ],
)
def test_a_wording_fits_what_people_type(wording, typed, is_right):
    assert fits(wording, typed) is is_right


def test_case_counts_where_the_author_says_so():
    sample = changed("text", case=True)
    assert [credit(sample, {"": [typed]}) for typed in ("WeCom", "wecom")] == [1, 0]


def test_every_language_counts_whatever_the_page_speaks():
    assert [credit(BY_KIND["text"], {"": [typed]}) for typed in ("wecom", "企业微信", "微信")] == [1, 1, Fraction(1, 2)]


@given(st.text(alphabet="ab*", max_size=12), st.text(alphabet="ab", max_size=12))
def test_a_star_stands_for_anything(wording, typed):
    import fnmatch

    assert fits(wording, typed) == fnmatch.fnmatchcase(typed, wording)


def test_a_wording_of_many_stars_is_read_in_no_time():
    assert fits("*a" * 60 + "b", "a" * 200) is False


# --- a path ------------------------------------------------------------------------------------------------------


def test_a_path_is_walked_choice_by_choice_and_earns_what_its_end_is_worth():
    sample = BY_KIND["scenario"]
    kind, path = kind_of(sample), read(sample, {"": ["reply"]})
    assert (path, kind.is_complete(sample, path), kind.credit(sample, path)) == (["reply"], False, 0)
    path = read(sample, {"": ["report"]}, path)
    assert (path, kind.is_complete(sample, path), kind.credit(sample, path)) == (
        ["reply", "report"],
        True,
        Fraction(1, 2),
    )


def test_a_choice_sent_twice_counts_once_and_none_can_be_taken_back():
    sample, path = BY_KIND["scenario"], ["reply"]
    assert read(sample, {"": ["reply"]}, path) == path
    assert read(sample, {}, path) == path
    for other in ("move", "nothing"):
        with pytest.raises(Forged):
            read(sample, {"": [other]}, path)


def test_nobody_jumps_ahead_in_a_path_and_sees_no_scene_not_reached():
    sample = BY_KIND["scenario"]
    with pytest.raises(Forged):
        read(sample, {"": ["report"]})
    shown = json.dumps(kind_of(sample).shown(sample, names_of(sample), None, lambda texts: texts["en"]))
    assert "t-report" not in shown
    assert not [text for text in ("private chat", "captured", "comes out", "Tell Compliance") if text in shown]


# --- what cannot be asked ----------------------------------------------------------------------------------------


def spoilt(kind: str, change) -> dict:
    sample = copy.deepcopy(BY_KIND[kind])
    change(sample)
    return sample


@pytest.mark.parametrize(
    ("kind", "change", "what"),
    [
        ("single", lambda q: q["options"][0].pop("right"), "no option is right"),
        ("single", lambda q: q["options"][1].update(right=True), "a single question has 2 right options"),
        ("truefalse", lambda q: q["options"].append({"id": "maybe"}), "a truefalse question has 3 options"),
        ("single", lambda q: q.update(options=q["options"][:1]), "a question has 1 options"),
        ("multiple", lambda q: q["options"].extend({"id": f"x{n}"} for n in range(9)), "a question has 12 options"),
        ("multiple", lambda q: q["options"][1].update(id="right-1"), "option id 'right-1' is there twice"),
        ("multiple", lambda q: q["detail"].update(credit="some"), "no credit rule 'some'"),
        ("multiple", lambda q: q["detail"].update(credit="weights"), "the right options weigh 2 together"),
        ("matching", lambda q: q["detail"]["prompts"][0].update(match="eu"), "there is no option 'eu'"),
        ("matching", lambda q: q["detail"]["prompts"].pop(), "prompts: 1"),
        ("ordering", lambda q: q.update(options=q["options"][:2]), "things to put in order: 2"),
        ("numeric", lambda q: q["options"][0].update(value="about 3"), "the value is 'about 3'"),
        ("numeric", lambda q: q["options"][0].update(tolerance="-1"), "the tolerance is '-1'"),
        ("numeric", lambda q: q["options"][0].update(right=False), "no value is right"),
        ("numeric", lambda q: q["detail"]["units"][0].update(factor="0"), "the factor is '0'"),
        ("numeric", lambda q: q["detail"]["units"][0].update(factor="2"), "not exactly one unit has the factor 1"),
        ("text", lambda q: q["options"][0].update(accepts={"en": []}), "wordings: 0"),
        ("text", lambda q: q["options"][0].update(accepts={"en": ["*"]}), "a right wording fits everything"),
        ("text", lambda q: q["options"][1].update(weight="2"), "the weight is '2'"),
        ("chat", lambda q: q["detail"]["messages"][0].update(mark="secret"), "the mark is 'secret'"),
        ("chat", lambda q: q["detail"].update(messages=[{"id": "a", "mark": None}]), "no message is to be marked"),
        ("scenario", lambda q: q["detail"].update(start="nowhere"), "the story begins in no scene"),
        ("scenario", lambda q: q["detail"]["scenes"][0]["choices"][0].update(to="gone"), "there is no scene 'gone'"),
        ("scenario", lambda q: q["detail"]["scenes"][1]["choices"][0].update(to="call"), "comes back to scene 'call'"),
        ("scenario", lambda q: q["detail"]["scenes"][2].pop("weight"), "and it is no end"),
        ("scenario", lambda q: q["detail"]["scenes"][2].update(weight="1/2"), "no end has the weight 1"),
        (
            "scenario",
            lambda q: q["detail"]["scenes"].append({"id": "alone", "text": both("x"), "weight": "0"}),
            "nothing leads to scene 'alone'",
        ),
    ],
)
def test_a_question_that_cannot_be_answered_or_graded_is_named(kind, change, what):
    assert what in flaws(spoilt(kind, change))


def test_the_formulas_are_written_down_for_every_kind():
    assert [name for name in KINDS if f"    {name}" not in kinds.__doc__ and name != "truefalse"] == []
    for kind in KINDS.values():
        assert all(rule in kinds.__doc__ for rule in kind.credit_rules)
