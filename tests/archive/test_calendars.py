from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from archive import calendars, policy

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("day", "jurisdiction", "works"),
    [
        ("2026-10-01", "CN", False),  # National Day
        ("2026-10-07", "CN", False),
        ("2026-10-08", "CN", True),
        ("2026-10-10", "CN", True),  # a Saturday made up for the holiday
        ("2026-10-11", "CN", False),
        ("2026-10-10", "HK", False),  # no firm there works on Saturdays
        ("2026-10-01", "HK", False),
        ("2026-10-19", "HK", False),  # day after Chung Yeung
        ("2026-10-12", "US", False),  # Columbus Day
        ("2026-10-12", "UK", True),
        ("2026-12-28", "UK", False),  # Boxing Day, moved
        ("2026-11-09", "SG", False),  # Deepavali, moved
        ("2026-05-01", "EU", False),
    ],
)
def test_every_jurisdiction_has_its_working_days(day, jurisdiction, works):
    assert calendars.is_working_day(date.fromisoformat(day), jurisdiction) is works


def test_working_days_are_counted_over_a_holiday():
    assert calendars.after_working_days(date(2026, 9, 30), 1, "CN") == date(2026, 10, 8)
    assert len(calendars.working_days(date(2026, 10, 1), date(2026, 10, 16), "CN")) == 8


def test_a_month_is_final_from_the_sixth_day_after_it():
    assert not calendars.is_final(date(2026, 10, 1), date(2026, 11, 5))
    assert calendars.is_final(date(2026, 10, 1), date(2026, 11, 6))


def test_months_begin_at_midnight_in_the_firms_zone():
    begins, ends = calendars.month_bounds(date(2026, 12, 1), SHANGHAI)
    assert begins == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert ends == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert calendars.months_before(date(2026, 2, 1), 3) == [date(2026, 1, 1), date(2025, 12, 1), date(2025, 11, 1)]


def test_each_kind_of_finding_has_its_terms():
    from archive.models import Finding

    assert set(policy.current().findings) == set(Finding.Kind.values)
