from datetime import date, timedelta

import pytest

from portal.demo import people, story


@pytest.mark.parametrize("days", range(28))
def test_on_whatever_day_it_is_made_nobody_studies_before_being_assigned(days):
    """Weekends move what people do; a firm made on a Tuesday once had somebody begin three minutes too early."""
    today = date(2026, 11, 20) + timedelta(days=days)
    too_early = []
    for plan in story.plans(people.everybody(today, 240), today).values():
        assigned = [on for on, _due in plan.by_hand] or [today - timedelta(days=story.RULE_DAYS)]
        for study, on in zip(plan.studies, assigned, strict=False):
            first_owed = max(on, plan.person.joined_on)
            too_early += [(plan.person.number, on, day) for day in study.days if day <= first_owed]
    assert too_early == []
