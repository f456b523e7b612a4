"""What an import brings to light comes in pieces: bounded, resumable at each, and never twice."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive import holes as spans
from archive import services
from archive.models import FilledHole, Finding, Hole, Import, Message, Source, Unmatched
from archive.services import consent_missing, feeds, holes, piecemeal, plans, records, running, storing
from archive.sources.feed import open_feed
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, line
from tests.archive.left import everything, undone
from tests.archive.weeks import a_troubled_week

pytestmark = pytest.mark.django_db
NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]  # an example takes a second


@pytest.fixture(autouse=True)
def two_people(make_employee) -> None:
    make_employee(wecom_userid="li.na")
    make_employee(wecom_userid="zhangwei")


class Killed(BaseException):
    """Like a signal: nothing may catch it."""


def dying_at(patch: pytest.MonkeyPatch, dies_at: set[int]) -> None:
    """Let these steps of an import die, counted over all of them: rows are written and nothing is committed."""
    calls = itertools.count(1)

    def dying(function):
        def wrapped(*args, **kwargs):
            result = function(*args, **kwargs)
            if next(calls) in dies_at:
                raise Killed
            return result

        return wrapped

    for module, name in (
        (storing, "_reach"),
        (piecemeal, "carry_out"),
        (records, "recompute_some"),
        (consent_missing, "judge_some"),
    ):
        patch.setattr(module, name, dying(getattr(module, name)))


def small_pieces(patch: pytest.MonkeyPatch, lines: int = 9, piece: int = 4) -> None:
    patch.setattr(running, "BATCH_LINES", lines)
    patch.setattr(piecemeal, "PIECE", piece)
    patch.setattr(piecemeal, "BATCHES", 2)
    patch.setattr(consent_missing, "PEOPLE", 1)


def steps_of(run_import, feed, patch: pytest.MonkeyPatch) -> int:
    """How many steps an import of the feed takes."""
    done = []
    advance = running.advance
    patch.setattr(running, "advance", lambda **more: (done.append(1), advance(**more))[1])
    undone(lambda: run_import(feed))
    return len(done)


def test_an_import_that_dies_in_any_of_its_steps_ends_with_everything_that_an_undisturbed_one_leaves(
    run_import, write_feed, monkeypatch
):
    feed = write_feed(a_troubled_week(16))
    small_pieces(monkeypatch, lines=30, piece=12)
    with monkeypatch.context() as patch:
        steps = steps_of(run_import, feed, patch)
    expected = _left(run_import, feed, set())
    assert steps > 12
    assert {"hole", "conflict", "unknown_kind", "unreadable", "text_repaired", "unmatched_identity", "off_channel"} <= {
        told[0] for told in expected["findings and their facts"]
    }
    for dies_at in range(1, steps):
        assert _left(run_import, feed, {dies_at}) == expected, dies_at


def _left(run_import, feed, dies_at: set[int]) -> dict:
    """What is left of an import that died there, as often as it did, and was begun again each time."""
    left: dict = {}

    def act() -> None:
        with pytest.MonkeyPatch.context() as patch:
            dying_at(patch, dies_at)
            while True:
                try:
                    run_import(feed)
                    break
                except Killed:
                    continue
        assert Import.objects.count() == 1
        assert ledger.verify()[1] is None
        left.update(everything())

    undone(act)
    return left


@given(st.sets(st.integers(1, 60), max_size=4), st.integers(3, 40), st.integers(2, 60))
@settings(
    max_examples=8,
    deadline=None,
    phases=NO_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_wherever_it_is_cut_off_and_however_it_is_divided_the_rows_are_the_same(
    run_import, write_feed, dies_at, lines, piece
):
    """Of all but the batches themselves, which are divided as the moment has it."""
    feed = write_feed(a_troubled_week(16))
    expected = _left(run_import, feed, set())
    with pytest.MonkeyPatch.context() as patch:
        small_pieces(patch, lines, piece)
        found = _left(run_import, feed, dies_at)
    assert {name: rows for name, rows in _undivided(found).items() if rows != _undivided(expected)[name]} == {}


def _undivided(found: dict) -> dict:
    return {name: rows for name, rows in found.items() if not name.startswith("Batch")}


def test_pieces_are_bounded_however_much_comes_to_light(run_import, write_feed, monkeypatch):
    sizes, carry_out = [], plans.carry_out

    def counting(some, **more):
        sizes.append(sum(len(plan.openings) + len(plan.closings) for plan in some))
        carry_out(some, **more)

    monkeypatch.setattr(piecemeal, "carry_out", counting)
    monkeypatch.setattr(piecemeal, "PIECE", 50)
    odd = [line(2 * n + 1) for n in range(180)]
    twins = [{**one, "msg": {**one["msg"], "text": {"content": "no"}}} for one in odd[:120]]
    run_import(write_feed([*odd, *twins]))
    assert (Finding.objects.filter(kind="hole").count(), Finding.objects.filter(kind="conflict").count()) == (179, 120)
    assert sum(sizes) == Finding.objects.count()
    assert max(sizes) <= 60
    run_import(write_feed([line(2 * n) for n in range(1, 180)], "rest.jsonl"))
    assert not Finding.objects.open().filter(kind="hole").exists()
    assert max(sizes) <= 60


def test_a_piece_that_is_done_again_opens_nothing_twice(run_import, write_feed, monkeypatch):
    small_pieces(monkeypatch)
    run_import(write_feed(a_troubled_week(16)))
    before, entries = everything(), Entry.objects.count()
    run = Import.objects.select_related("source").get()
    Hole.objects.update(is_told=False)
    Unmatched.objects.update(is_told=False)
    run.judging = {}
    while not piecemeal.is_judged(run):
        piecemeal.judge_piece(run, by="system:test", now=timezone.now())
    assert (everything(), Entry.objects.count()) == (before, entries)


def test_the_lease_is_renewed_with_every_piece(write_feed, monkeypatch):
    small_pieces(monkeypatch)
    path = write_feed(a_troubled_week(16))
    source, renewed, states = services.get_source("wecom"), [], []
    with path.open("rb") as stream:
        size, digest = path.stat().st_size, running.digest_of(stream)
        run = running.begin(source=source, label="x", digest=digest, size=size, holder="me", by="system:test")
        feed = open_feed(stream, size, running.how(source, "x"))
        ended = False
        while not ended:
            Source.objects.update(held_until=timezone.now() - timedelta(minutes=1))
            ended = running.advance(run_id=run.pk, feed=feed, holder="me", by="system:test")
            renewed.append(Source.objects.get().held_until > timezone.now())
            states.append(Import.objects.get().state)
    assert all(renewed)
    assert states.count("judging") > 10
    Import.objects.update(state="judging", ended_at=None)
    Source.objects.update(held_by="other")
    with pytest.raises(feeds.LeaseLost):
        running.advance(run_id=run.pk, feed=feed, holder="me", by="system:test")


# --- holes


@given(st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=12), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_holes_are_the_absent_numbers_in_whatever_batches_the_present_come(batches):
    def act() -> None:
        source = services.get_source("numbers")
        for numbers in batches:
            holes.make_present(source, numbers)
            source.save()
        everybody = [number for numbers in batches for number in numbers]
        assert list(Hole.objects.values_list("first", "last")) == spans.gaps(everybody)
        assert (source.first_seq, source.last_seq) == (min(everybody), max(everybody))

    undone(act)


def test_numbers_cost_the_same_however_many_holes_lie_around_them(db, count_queries):
    source = services.get_source("numbers")
    holes.make_present(source, range(1, 4001, 2))
    source.save()
    touched = holes._holes_with(source, [2, 1001, 2000, 3998])
    assert [(one.first, one.last) for one in sorted(touched, key=lambda one: one.first)] == [
        (2, 2),
        (2000, 2000),
        (3998, 3998),
    ]
    few = count_queries(lambda: holes.make_present(source, [2]))
    assert count_queries(lambda: holes.make_present(source, [4, 3000])) == few


def test_a_hole_without_a_finding_leaves_nothing_to_close(run_import, write_feed):
    source = services.get_source("numbers")
    holes.make_present(source, [1, 9])
    holes.make_present(source, [4])
    assert not FilledHole.objects.exists()
    source.save()
    assert holes.untold(source, 10).after is None
    holes.make_present(source, [2])
    assert list(FilledHole.objects.values_list("first", "last")) == [(2, 3)]


def test_very_many_open_holes_of_a_source_that_skips_are_closed_some_at_a_time(
    run_import, write_feed, make_employee, monkeypatch
):
    run_import(write_feed([line(2 * n + 1) for n in range(30)]))
    monkeypatch.setattr(feeds, "CLOSED_AT_ONCE", 10)
    monkeypatch.setattr(piecemeal, "PIECE", 7)
    officer, source = make_employee(roles=("Compliance",)), Source.objects.get()
    services.change_source(source=source, by=officer, is_contiguous=False)
    assert Finding.objects.open().filter(kind="hole").count() == 19
    services.refresh_findings()
    assert not Finding.objects.open().filter(kind="hole").exists()
    run_import(write_feed([line(101)], "more.jsonl"))
    assert not Finding.objects.open().filter(kind="hole").exists()
    assert Hole.objects.get(first=60).before_at is not None  # it is shown where it may lie, all the same
    services.change_source(source=Source.objects.get(), by=officer, is_contiguous=True)
    run_import(write_feed([line(103)], "again.jsonl"))
    assert set(Finding.objects.open().filter(kind="hole").values_list("facts__first", flat=True)) == {60, 102}


# --- handles and kinds


def test_a_handle_that_comes_back_before_it_was_looked_at_is_told_once(run_import, write_feed):
    run_import(write_feed([line(1, sender="new.one")]))
    Unmatched.objects.update(is_told=False)  # as a row that went and came again
    run_import(write_feed([line(2, sender="new.one", sent=line(1)["msg"]["msgtime"] - 86_400_000)], "more.jsonl"))
    assert Finding.objects.filter(kind="unmatched_identity").count() == 1
    assert Unmatched.objects.get().is_told


def test_a_summary_names_no_more_than_it_can(run_import, write_feed, monkeypatch):
    monkeypatch.setattr(running, "NAMED", 3)
    counts = run_import(
        write_feed(
            [line(n, sender=f"s{n}", to=(CLIENT,)) for n in range(1, 6)]
            + [line(n, msgtype=f"k{n}") for n in range(6, 11)]
        )
    )
    assert (counts["unmatched"], counts["more_unmatched"]) == (["s1", "s2", "s3"], 2)
    assert counts["unknown_kinds"] == ["k10", "k6", "k7"]
    assert Finding.objects.filter(kind="unknown_kind").count() == 5
    assert Message.objects.count() == 10
