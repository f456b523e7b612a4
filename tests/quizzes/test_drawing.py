from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import drawing
from quizzes.drawing import Card, Cell


def bank(**sizes: int) -> dict[str, Card]:
    return {f"{tag}-{i}": Card((tag,)) for tag, size in sizes.items() for i in range(size)}


banks = st.dictionaries(st.sampled_from("abcdef"), st.integers(3, 6), min_size=1).map(lambda sizes: bank(**sizes))


@given(questions=banks, seed=st.text(max_size=8), data=st.data())
def test_a_draw_asks_about_every_tag_as_evenly_as_the_bank_allows(questions, seed, data):
    count = data.draw(st.integers(1, len(questions)))
    drawn = drawing.draw(questions, count=count, seed=seed)
    sizes, per_tag = Counter(card.tags for card in questions.values()), Counter(questions[slug].tags for slug in drawn)
    most = max(per_tag.values())
    assert len(set(drawn)) == count
    assert all(per_tag[tag] >= min(size, most - 1) for tag, size in sizes.items())


@given(questions=banks, seed=st.text(max_size=8))
def test_the_same_seed_draws_the_same_questions_whatever_order_they_are_stored_in(questions, seed):
    backwards = dict(reversed(questions.items()))
    assert drawing.draw(questions, count=3, seed=seed) == drawing.draw(backwards, count=3, seed=seed)


def test_different_seeds_draw_different_papers():
    questions = bank(a=6, b=6)
    assert len({tuple(drawing.draw(questions, count=4, seed=str(n))) for n in range(20)}) > 10


def test_the_second_attempt_shows_no_question_of_the_first_while_the_bank_lasts():
    questions = bank(a=4, b=4, c=4, d=4)
    for seed in "uvwxyz":
        first = drawing.draw(questions, count=8, seed=seed)
        second = drawing.draw(questions, count=8, seed=seed + "2", seen=first)
        assert not set(first) & set(second)


def test_a_bank_of_fifteen_gives_a_second_attempt_all_seven_that_are_left():
    questions = bank(a=3, b=3, c=3, d=3, e=3)
    first = drawing.draw(questions, count=8, seed="one")
    second = drawing.draw(questions, count=8, seed="two", seen=first)
    assert len(set(first) & set(second)) == 1


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), seed=st.text(max_size=4), tries=st.integers(2, 4),
    data=st.data(),
)  # fmt: skip
def test_no_question_comes_again_while_the_bank_lasts_however_unlike_its_tags_are(sizes, seed, tries, data):
    bank = {f"{tag}-{n}": Card((f"t{tag}",)) for tag, size in enumerate(sizes) for n in range(size)}
    count = data.draw(st.integers(1, len(bank)))
    seen: list[str] = []
    for number in range(tries):
        drawn = drawing.draw(bank, count=count, seed=f"{seed}{number}", seen=seen)
        assert len(set(drawn) & set(seen)) == max(0, count - (len(bank) - len(set(seen))))
        seen += drawn


def test_when_everything_was_seen_the_longest_ago_comes_again_first():
    questions = bank(a=4)
    assert set(drawing.draw(questions, count=2, seed="s", seen=["a-0", "a-1", "a-2", "a-3", "a-0"])) == {"a-1", "a-2"}


def test_a_draw_of_more_than_the_bank_holds_is_refused():
    with pytest.raises(ValueError, match="3 questions wanted, 2 there"):
        drawing.draw(bank(a=2), count=3, seed="s")


# --- by blueprint ------------------------------------------------------------------------------------------------

cards = st.builds(
    Card,
    tags=st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(tuple),
    difficulty=st.integers(1, 3),
    must_pass=st.booleans(),
)
small_banks = st.lists(cards, min_size=1, max_size=7).map(lambda made: {f"q{n}": card for n, card in enumerate(made)})
cells = st.builds(
    Cell,
    questions=st.integers(1, 2),
    tag=st.none() | st.sampled_from("abc"),
    difficulty=st.none() | st.integers(1, 3),
    must_pass=st.none() | st.booleans(),
)
blueprints = st.lists(cells, min_size=1, max_size=3)


def fill(slugs, questions: dict[str, Card], blueprint: list[Cell]) -> bool:
    """Whether these questions can all have a place of their own: tried out, one after the other."""
    places = [cell for cell in blueprint for _ in range(cell.questions)]

    def placed(left: list[str], free: list[Cell]) -> bool:
        if not left:
            return True
        return any(
            placed(left[1:], free[:n] + free[n + 1 :]) for n, cell in enumerate(free) if cell.takes(questions[left[0]])
        )

    return placed(list(slugs), places)


@given(questions=small_banks, blueprint=blueprints, seed=st.text(max_size=4), data=st.data())
def test_a_blueprint_gets_all_that_the_bank_has_for_it(questions, blueprint, seed, data):
    count = data.draw(st.integers(1, len(questions)))
    asked = min(count, sum(cell.questions for cell in blueprint))
    drawn = drawing.draw(questions, count=count, seed=seed, blueprint=blueprint)
    assert len(drawn) == len(set(drawn)) == count
    if asked == count:
        return  # where the blueprint asks for more than is drawn it was not published
    possible = max(
        n for n in range(asked + 1) if any(fill(c, questions, blueprint) for c in combinations(questions, n))
    )
    assert any(fill(chosen, questions, blueprint) for chosen in combinations(drawn, possible))


@given(questions=small_banks, blueprint=blueprints, seed=st.text(max_size=4), data=st.data())
def test_by_blueprint_no_more_comes_again_than_has_to(questions, blueprint, seed, data):
    asked = sum(cell.questions for cell in blueprint)
    if list(drawing.flaws_in_blueprint(questions, blueprint, asked)):
        return
    seen = data.draw(st.lists(st.sampled_from(sorted(questions)), unique=True))
    drawn = drawing.draw(questions, count=asked, seed=seed, seen=seen, blueprint=blueprint)
    again = len(set(drawn) & set(seen))
    fewest = min(
        len(set(chosen) & set(seen)) for chosen in combinations(questions, asked) if fill(chosen, questions, blueprint)
    )
    assert again == fewest


def test_a_line_of_a_blueprint_may_ask_for_a_tag_and_a_difficulty():
    questions = {f"{tag}{level}-{n}": Card((tag,), level) for tag in "ab" for level in (1, 2, 3) for n in range(3)}
    blueprint = [Cell(2, tag="a", difficulty=3), Cell(1, difficulty=1)]
    drawn = drawing.draw(questions, count=5, seed="s", blueprint=blueprint)
    assert sum(slug.startswith("a3") for slug in drawn) >= 2
    assert sum("1-" in slug for slug in drawn) >= 1


def test_a_question_moves_on_to_another_line_to_let_the_only_other_one_in():
    questions = {"both": Card(("a", "b")), "only-a": Card(("a",))}
    for seed in "uvwxyz":
        blueprint = [Cell(1, tag="a"), Cell(1, tag="b")]
        assert set(drawing.draw(questions, count=2, seed=seed, blueprint=blueprint)) == {"both", "only-a"}


@pytest.mark.parametrize(
    ("blueprint", "what"),
    [
        ([Cell(3, tag="a")], "3 questions of a sort of which there are 2"),
        ([Cell(2, tag="a"), Cell(2, tag="b")], "asks for 4 questions and the quiz draws 3"),
        ([Cell(2, tag="a"), Cell(1, tag="b")], "only 2 can be told apart"),
    ],
)
def test_a_blueprint_that_cannot_be_filled_is_said_to_be(blueprint, what):
    questions = {"x": Card(("a", "b")), "y": Card(("a",)), "z": Card(("c",))}
    assert any(what in flaw.what for flaw in drawing.flaws_in_blueprint(questions, blueprint, 3))


def test_a_blueprint_that_can_be_filled_has_no_flaw():
    questions = bank(a=3, b=3)
    assert list(drawing.flaws_in_blueprint(questions, [Cell(2, tag="a"), Cell(1, tag="b")], 4)) == []
