"""Whatever comes, in whatever order, by whatever source: nothing is lost, nothing is twice, the rows are the same."""

import random
from collections import defaultdict
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive import holes, services
from archive.models import Conflict, Delivery, Finding, Hole, Import, Message, Source
from archive.services import piecemeal, running
from archive.sources import wecom
from portal.ledger import services as ledger
from tests.archive.conftest import as_bytes, at, line
from tests.archive.left import rows, undone
from tests.archive.weeks import a_busy_week

pytestmark = pytest.mark.django_db
SOURCES = ("one", "two")
FAST = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],  # an example takes a second: no shrinking
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@pytest.fixture(autouse=True)
def two_people_and_two_sources(make_employee) -> None:
    make_employee(wecom_userid="li.na", email="li.na@example.com")
    make_employee(wecom_userid="zhangwei", email="zhangwei@example.com")
    for name in SOURCES:  # whichever delivers first, it is these two, in this order
        services.get_source(name)
    services.get_source("table", terms=services.Terms(kind="csv"))


# --- dedupe, conflicts and several sources


def said(msgid: int, seq: int, words: str, pulled: int) -> dict:
    """A line of a small world: few ids, few numbers, few contents, so that all of them meet."""
    return line(seq, words, msgid=f"m{msgid}", sent=at(12, 10) + msgid * 1000, pulled=pulled)


LINES = st.lists(
    st.tuples(
        st.sampled_from(SOURCES),
        st.builds(
            said,
            st.integers(1, 4),
            st.integers(1, 7),
            st.sampled_from(["hello", "no", "加我个人微信聊"]),
            st.integers(1, 90),
        ),
    ),
    min_size=1,
    max_size=24,
)


@given(LINES, st.lists(st.integers(1, 8), min_size=1, max_size=6), st.integers(1, 9))
@settings(max_examples=15, **FAST)
def test_nothing_that_came_is_lost_and_nothing_is_twice(run_import, write_feed, told, cuts, batch):
    def act() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(running, "BATCH_LINES", batch)
            patch.setattr(piecemeal, "PIECE", batch)
            files = in_files(told, cuts)
            for n, (source, some) in enumerate(files):
                counts = run_import(write_feed(some, f"{n}.jsonl"), source=source)
                assert counts["lines"] == len(some)
            assert_all_is_kept(told)
            before = how_much()
            for n, (source, some) in enumerate(reversed(files)):
                assert run_import(write_feed(some, f"again {n}.jsonl"), source=source)["stored"] == 0
            assert how_much() == before
        assert ledger.verify()[1] is None

    undone(act)


def in_files(told: list[tuple[str, dict]], cuts: list[int]) -> list[tuple[str, list[dict]]]:
    """Divide the lines into files as they come, each of one source, of so many lines at most, over and over."""
    files: list[tuple[str, list[dict]]] = []
    for source, one in told:
        if not files or files[-1][0] != source or len(files[-1][1]) >= cuts[len(files) % len(cuts)]:
            files.append((source, []))
        files[-1][1].append(one)
    return files


def assert_all_is_kept(told: list[tuple[str, dict]]) -> None:
    """Each content that a source delivered is a message, a copy of one, or a conflict, once; each number is present."""
    came, numbers = defaultdict(set), defaultdict(set)
    for source, one in told:
        came[source].add((one["msg"]["msgid"], fingerprint(one)))
        numbers[source].add(one["seq"])
    for source in Source.objects.filter(name__in=SOURCES):
        kept = [(msgid, bytes(raw)) for msgid, raw in Message.objects.filter(source=source).values_list(*_KEPT)]
        copies = Delivery.objects.filter(source=source).values_list("message__msgid", "fingerprint")
        kept += [(msgid, bytes(raw)) for msgid, raw in copies]
        against = {(m, bytes(raw)) for m, raw in Conflict.objects.filter(source=source).values_list(*_KEPT)}
        assert len(kept) == len(set(kept))
        assert set(kept) | against == came[source.name]
        assert list(source.holes.values_list("first", "last")) == holes.gaps(numbers[source.name])
    ids = list(Message.objects.values_list("channel", "msgid"))
    assert len(ids) == len(set(ids))
    assert Finding.objects.filter(kind="conflict").count() == Conflict.objects.count()
    assert Finding.objects.open().filter(kind="hole").count() == Hole.objects.count()
    keys = list(Finding.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys))
    assert {one.state for one in Import.objects.all()} == {"done"}


_KEPT = ("msgid", "fingerprint")


def fingerprint(one: dict) -> bytes:
    [read] = wecom.read(BytesIO(as_bytes(one)))
    return read.fingerprint


def how_much() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in (Message, Delivery, Conflict, Finding, Hole)}


# --- order


def as_table(feed: list) -> list[str]:
    """Rows of a table that tells of the same messages, as a second archive exports them."""
    return [
        f"{one['msg']['msgid']},{one['msg']['msgtime']},{one['msg']['from']},{one['msg']['tolist'][0]}"
        for one in feed
        if isinstance(one, dict) and one["msg"]["msgtype"] == "text"
    ]


HEAD = "message_id,sent_at,sender,recipients"


@given(st.randoms(use_true_random=False), st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(2, 30))
@settings(max_examples=6, **FAST)
def test_lines_of_three_sources_in_any_order_in_any_files_give_the_same_rows_records_and_findings(
    run_import, write_feed, tmp_path, chance, cuts, batch
):
    feed = a_busy_week(size=30)
    table = as_table(feed)[::2] + [f"t{n},{at(13, 9, n)},li.na,zhangwei" for n in range(3)]
    parts = {"one": feed, "two": [one for one in feed if isinstance(one, dict)][5:], "table": table}

    def act(files: list[tuple[str, list]]) -> None:
        for n, (source, some) in enumerate(files):
            if source == "table":
                path = tmp_path / f"{n}.csv"
                path.write_text("\n".join([HEAD, *some, ""]), encoding="utf-8")
            else:
                path = write_feed(some, f"{n}.jsonl")
            run_import(path, source=source)

    expected = settled(lambda: act(list(parts.items())))
    files = []
    for source, some in parts.items():
        mixed = chance.sample(some, len(some))
        edges = [0, *sorted(cut % len(mixed) for cut in cuts), len(mixed)]
        files += [(source, mixed[a:b]) for a, b in pairwise(edges) if b > a]
    chance.shuffle(files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "BATCH_LINES", batch)
        patch.setattr(piecemeal, "PIECE", batch)
        found = settled(lambda: act(files))
    assert {name: _differing(left, expected[name]) for name, left in found.items() if left != expected[name]} == {}


def _differing(found: list, expected: list) -> tuple[list, list]:
    """What is in the one and not in the other."""
    return [one for one in found if one not in expected], [one for one in expected if one not in found]


def settled(act) -> dict:
    """What is left when everything that waits has been looked at."""
    found: dict = {}

    def whole() -> None:
        act()
        services.refresh_findings()
        found.update(rows())

    undone(whole)
    # One about a month names the message that was the month's first when it was opened.
    found["Finding"] = sorted((kind, msgid if kind in BY_MESSAGE else "") for kind, msgid in found["Finding"])
    return found


BY_MESSAGE = ("off_channel", "deletion_request")


def test_the_week_has_what_the_property_is_about():
    feed = a_busy_week(size=30)
    random.Random(1).shuffle(feed)
    kinds = {one["msg"]["msgtype"] for one in feed if isinstance(one, dict)}
    assert {"text", "revoke", "disagree"} <= kinds


# --- killed on the way


class Killed(BaseException):
    """The process is gone."""


def dying(patch: pytest.MonkeyPatch, kills: list[tuple[int, bool]]) -> None:
    """Let the import die after so many steps, again and again: before the step is committed, or right after."""
    advance, left = running.advance, iter(kills)
    wait = next(left, None)

    def die(*_more, **_fields) -> None:
        raise Killed

    def step(**told) -> bool:
        nonlocal wait
        if wait is None:
            return advance(**told)
        steps, is_before = wait
        if steps:
            wait = steps - 1, is_before
            return advance(**told)
        wait = next(left, None)
        if is_before:
            with pytest.MonkeyPatch.context() as at_the_end:
                at_the_end.setattr(Import, "save", die)
                return advance(**told)
        advance(**told)
        raise Killed

    patch.setattr(running, "advance", step)


def until_it_ends(act) -> int:
    """Begin again as often as it is killed. Return how often it was."""
    killed = 0
    while True:
        try:
            act()
        except Killed:
            killed += 1
        else:
            return killed


def of_each_file() -> dict[str, tuple]:
    """The counts of each file's first import. Who died right after its last step reads it again: all is known."""
    found: dict[str, tuple] = {}
    for label, state, *counts in Import.objects.order_by("pk").values_list("label", "state", *Import.COUNTS):
        told = dict(zip(Import.COUNTS, counts, strict=True))
        assert label not in found or told["stored"] == 0
        found.setdefault(label, (state, *counts))
    return found


@given(
    st.randoms(use_true_random=False),
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=5),
    st.integers(2, 30),
)
@settings(max_examples=8, **FAST)
def test_killed_at_any_step_of_any_file_it_ends_with_the_rows_and_counts_of_one_that_was_not(
    run_import, write_feed, chance, kills, batch
):
    feed = a_busy_week(size=25)
    whole = [one for one in feed if isinstance(one, dict)]
    twins = [{**one, "seq": one["seq"] + 500} for one in whole[:6]]  # two numbers on one id
    parts = [
        ("one", feed[:18]),
        ("two", whole[3:]),
        ("one", feed[10:] + twins),
    ]
    mixed = [(source, chance.sample(some, len(some))) for source, some in parts]

    def act(how) -> None:
        for n, (source, some) in enumerate(mixed):
            path = write_feed(some, f"{n}.jsonl")
            how(lambda path=path, source=source: run_import(path, source=source))
        counts.append(of_each_file())

    counts: list = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "BATCH_LINES", batch)
        patch.setattr(piecemeal, "PIECE", batch)
        expected = settled(lambda: act(lambda read: read()))
        dying(patch, kills)
        died: list[int] = []
        found = settled(lambda: act(lambda read: died.append(until_it_ends(read))))
    assert sum(died) >= 1
    assert {name: _differing(left, expected[name]) for name, left in found.items() if left != expected[name]} == {}
    assert counts[0] == counts[1]
