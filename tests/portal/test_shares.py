from hypothesis import given
from hypothesis import strategies as st

from portal.shares import percent

PAIRS = st.integers(1, 10**6).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


def test_shares_are_rounded_half_up_and_nothing_has_none():
    assert [percent(*pair) for pair in ((172, 240), (7, 8), (1, 200), (57, 79))] == [72, 88, 1, 72]
    assert percent(0, 0) is None


@given(PAIRS)
def test_all_and_none_are_said_of_all_and_none_alone(pair):
    part, whole = pair
    assert (percent(part, whole) == 100) is (part == whole)
    assert (percent(part, whole) == 0) is (part == 0)
    assert abs(percent(part, whole) - 100 * part / whole) <= 1
