import pytest

from portal.standing.files import greeting


@pytest.mark.parametrize(
    ("hour", "said"),
    [
        (0, "night"),
        (1, "night"),
        (4, "night"),
        (5, "morning"),
        (11, "morning"),
        (12, "afternoon"),
        (17, "afternoon"),
        (18, "evening"),
        (22, "evening"),
        (23, "night"),
    ],
)
def test_nobody_is_wished_a_good_evening_at_one_in_the_morning(hour, said):
    assert greeting(hour) == said
