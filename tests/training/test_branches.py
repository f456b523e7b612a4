import pytest

from tests.training.samples import BRANCH, block, read
from training import branches


def test_every_path_leads_to_an_end():
    branch = block(BRANCH)
    assert list(branches.paths(branch)) == [[0], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("path", "points", "of", "verdict"),
    [([], 0, 0, "good"), ([0], 2, 2, "good"), ([1], 0, 2, "bad"), ([1, 0], 2, 4, "bad")],
)
def test_a_path_is_scored_by_its_replies(path, points, of, verdict):
    shown = branches.walked(block(BRANCH), path)
    assert (shown["points"], shown["of"], shown["verdict"]) == (points, of, verdict)


def test_a_reply_that_risks_the_record_earns_half():
    assert branches.score(["keeps", "risks"]) == {"points": 3, "of": 4, "verdict": "warn"}


def test_what_was_not_reached_is_not_told():
    shown = str(branches.walked(block(BRANCH), [1]))
    assert "Compliance has the chat" not in shown
    assert "It cannot be undone" not in shown


@pytest.mark.parametrize("path", [[2], [0, 0], [-1], [True], ["0"]])
def test_a_path_that_the_conversation_does_not_have_is_refused(path):
    with pytest.raises(branches.NoSuchPath):
        branches.walk(block(BRANCH), path)


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("start: asked", "start: begin", 4, "the conversation begins in no scene 'begin'"),
        ("to: lost", "to: gone", 25, "there is no scene 'gone'"),
        ("to: lost", "to: mended", 40, "nothing leads to scene 'lost'"),
        ("to: lost", "to: asked", 6, "the conversation comes back to scene 'asked'"),
        ("id: lost", "id: mended", 38, "scene 'mended' is there twice"),
        ("rating: keeps", "rating: fine", 13, "'rating' is 'fine'"),
        ("        why: That accepts an order outside the archive.\n", "", 16, "this choice has no 'why'"),
        ("  - id: lost\n    end: The order is found in an audit.", "  - id: lost", 40, "this scene has no 'end'"),
        ("    choices:\n      - reply: Pl", "    end: x\n    choices:\n      - reply: Pl", 10, "this scene has"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_branch_is_named_by_its_line(old, new, line, what):
    assert (line, what) in [(at, said[: len(what)]) for at, said in read(BRANCH.replace(old, new, 1))[1]]


def test_a_branch_without_a_good_way_out_is_reported():
    assert "no reply keeps the record" in [what for _line, what in read(BRANCH.replace("keeps", "risks"))[1]]
