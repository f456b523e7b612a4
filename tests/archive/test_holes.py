from hypothesis import given
from hypothesis import strategies as st

from archive.holes import Span, gaps


def test_gaps_are_the_maximal_runs_between_present_numbers():
    assert gaps([1001, 1002, 1005, 1003, 1009]) == [(1004, 1004), (1006, 1008)]
    assert gaps([7]) == gaps([]) == []


@given(st.lists(st.lists(st.integers(1, 40), max_size=8), max_size=8))
def test_adding_piece_by_piece_finds_the_same_holes_as_all_at_once(pieces):
    span = Span()
    for piece in pieces:
        span.add(piece)
    everything = [number for piece in pieces for number in piece]
    assert span.holes == gaps(everything)
    assert (span.first, span.last) == (min(everything, default=None), max(everything, default=None))


@given(st.sets(st.integers(1, 60), min_size=1), st.sets(st.integers(1, 60), min_size=1))
def test_only_holes_within_reach_of_a_batch_need_to_be_known(present, batch):
    whole = Span()
    whole.add(present)
    whole.add(batch)
    span = Span()
    span.add(present)
    out_of_reach = [hole for hole in span.holes if hole[1] < min(batch) or hole[0] > max(batch)]
    span.holes = [hole for hole in span.holes if hole not in out_of_reach]
    span.add(batch)
    assert sorted(span.holes + out_of_reach) == whole.holes
