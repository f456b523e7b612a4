from datetime import date

import pytest

from archive.rules import HIGH, MEDIUM, OpenFinding, next_change_on

TODAY = date(2026, 11, 23)


def finding(severity: int, due_on: date) -> OpenFinding:
    return OpenFinding("off_channel", severity, False, due_on)


@pytest.mark.parametrize(
    ("findings", "day"),
    [
        ([], date(2026, 12, 1)),
        ([finding(HIGH, date(2026, 11, 23))], date(2026, 11, 24)),
        ([finding(HIGH, date(2026, 11, 27)), finding(HIGH, date(2026, 11, 25))], date(2026, 11, 26)),
        ([finding(HIGH, date(2026, 11, 20))], date(2026, 12, 1)),  # overdue already
        ([finding(MEDIUM, date(2026, 11, 25))], date(2026, 12, 1)),
    ],
)
def test_a_state_may_change_when_a_high_finding_gets_overdue_or_a_month_begins(findings, day):
    assert next_change_on(findings, TODAY) == day


def test_december_is_followed_by_january():
    assert next_change_on([], date(2026, 12, 31)) == date(2027, 1, 1)
