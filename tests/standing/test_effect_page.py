"""What is counted for the effect of training, and the page that tells it."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from archive import calendars
from archive.metrics import Metrics
from archive.models import Finding, Record
from portal.ledger import services as ledger
from portal.standing import effect, effect_data, effect_page
from portal.standing.effect import Comparison, Estimate, Rate, Ratio
from tests import studying
from training.models import Assignment, Completion, Course

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 15)
ADDRESS = "/firm/effect/"
MARCH, APRIL, MAY, JUNE, JULY, AUGUST = (date(2026, month, 1) for month in range(3, 9))
numbers = count(1)


@pytest.fixture
def course(db) -> Course:
    return studying.tiny_course().course


def month(employee, first: date, *, sent: int = 10, **fields) -> Record:
    dull = {name: 0 for name in ("received", "captured", "client_captured", "client_sent", "unknown_contacts")}
    dull |= {"active_days": 1, "metrics": Metrics().as_dict(), "policy_version": "1", "entry_seq": 1}
    dull |= {"is_final": True, "covered_to": calendars.last_day(first)}
    return Record.objects.create(employee=employee, month=first, sent=sent, **{**dull, **fields})


def months(employee, *firsts: date, **fields) -> None:
    for first in firsts:
        month(employee, first, **fields)


def found(employee, on: date, kind: str = "off_channel", state: str = "confirmed") -> Finding:
    closed = datetime(2026, 9, 1, tzinfo=UTC) if state in ("dismissed", "closed") else None
    return Finding.objects.create(
        kind=kind,
        key=f"test:{next(numbers)}",
        severity=3,
        employee=employee,
        about_on=on,
        opened_at=datetime(2026, 9, 1, tzinfo=UTC),
        due_on=date(2026, 9, 9),
        state=state,
        closed_at=closed,
        policy_version="1",
    )


def completed(employee, course: Course, *moments: datetime) -> None:
    """Completions of one person, in the cycles 1, 2 …"""
    for cycle, moment in enumerate(moments, start=1):
        fields = {"employee": employee, "cycle": cycle, "assigned_on": moment.date(), "due_on": moment.date()}
        fields |= {"ended_on": moment.date(), "ended_why": "completed"}
        assignment = Assignment.objects.create(course=course, **fields)
        Completion.objects.create(
            assignment=assignment,
            employee=employee,
            edition=course.current,
            completed_at=moment,
            expires_on=moment.date() + timedelta(365),
            percent=90,
            study_seconds=60,
        )


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def counted() -> dict[tuple[int, bool, int], tuple[int, int, int, int]]:
    """(cohort, has both, month) -> people, person-months, sent, findings."""
    cells = effect_data.counts(TODAY).of()
    return {(c.cohort, c.has_both, c.month): (c.people, c.person_months, c.sent, c.findings) for c in cells}


# --- what is counted ----------------------------------------------------------------------------------------------


def test_people_are_counted_by_month_and_month_of_completion(course, make_employee):
    trained, other = make_employee(), make_employee()
    months(trained, JUNE, JULY, AUGUST, sent=7)
    months(other, JUNE, AUGUST, sent=5)
    completed(trained, course, noon(JULY))
    found(trained, date(2026, 6, 1))
    found(trained, date(2026, 6, 30), kind="consent_missing")
    found(other, date(2026, 8, 31))
    assert counted() == {
        (2, True, 1): (1, 1, 7, 2),
        (2, True, 2): (0, 1, 7, 0),
        (2, True, 3): (0, 1, 7, 0),
        (4, False, 1): (1, 1, 5, 0),
        (4, False, 3): (0, 1, 5, 1),
    }
    assert effect_data.counts(TODAY).months == (JUNE, JULY, AUGUST)
    assert [c.findings for c in effect_data.counts(TODAY).of("consent_missing")] == [1, 0, 0, 0, 0]


def test_a_month_of_completion_is_one_of_the_firms_zone(course, make_employee):
    """The last evening of June in UTC is the first morning of July in Shanghai."""
    employee = make_employee()
    months(employee, JUNE, JULY, AUGUST)
    completed(employee, course, datetime(2026, 6, 30, 16, tzinfo=UTC))
    assert {cohort for cohort, _both, _month in counted()} == {2}


def test_the_first_completion_counts_and_that_of_no_other_course(course, make_employee):
    employee, elsewhere = make_employee(), make_employee()
    for one in (employee, elsewhere):
        months(one, MAY, JUNE, JULY, AUGUST)
    completed(employee, course, noon(JUNE), noon(AUGUST))
    other = Course.objects.create(slug="other")
    other.editions.create(**{f.name: getattr(course.current, f.name) for f in course.current._meta.fields[2:]})
    completed(elsewhere, other, noon(JUNE))
    assert {cohort for cohort, _both, _month in counted()} == {2, 5}


def test_who_was_trained_before_the_first_month_is_in_no_group(course, make_employee):
    early, other = make_employee(), make_employee()
    months(early, JULY, AUGUST)
    months(other, JULY, AUGUST)
    completed(early, course, noon(JUNE))
    assert {cohort for cohort, _both, _month in counted()} == {3}


def test_who_is_trained_after_the_last_month_was_not_trained_in_them(course, make_employee):
    late = make_employee()
    months(late, JULY, AUGUST)
    completed(late, course, noon(date(2026, 9, 3)))
    assert set(counted()) == {(3, False, 1), (3, False, 2)}


def test_months_on_one_side_only_or_beyond_the_reach_are_not_both(course, make_employee):
    """April to August: completed in May or July, one month on either side is looked at."""

    def has_both(completed_in: date, *firsts: date) -> bool:
        employee = make_employee()
        months(employee, *firsts)
        completed(employee, course, noon(completed_in))
        ledger.append(verb="test.happened", actor="system:test", subject="system:test", body={})
        cells = effect_data.counts(TODAY).of()
        people = sum(cell.people for cell in cells if cell.has_both)
        Completion.objects.filter(employee=employee).delete()
        Record.objects.filter(employee=employee).delete()
        return people == 1

    months(make_employee(), APRIL, AUGUST)
    assert has_both(MAY, APRIL, JUNE)
    assert not has_both(MAY, MAY, JUNE, AUGUST)
    assert not has_both(MAY, APRIL, AUGUST)
    assert has_both(JULY, JUNE, AUGUST)
    assert not has_both(JULY, MAY, AUGUST)


def test_only_final_months_covered_to_their_last_day_count(course, make_employee):
    one, two, three = make_employee(), make_employee(), make_employee()
    months(one, JULY, AUGUST)
    month(two, JULY, covered_to=date(2026, 7, 30))
    month(three, JULY, is_final=False)
    for employee in (two, three):
        found(employee, date(2026, 7, 3))
    assert counted() == {(3, False, 1): (1, 1, 10, 0), (3, False, 2): (0, 1, 10, 0)}


@pytest.mark.parametrize(
    ("kind", "state", "counts"),
    [
        *((kind, "new", 1) for kind in effect_data.KINDS),
        ("off_channel", "closed", 1),
        ("off_channel", "dismissed", 0),
        ("self_report", "new", 0),
        ("barred_talk", "new", 0),
        ("silent_seat", "new", 0),
    ],
)
def test_which_findings_count(kind, state, counts, course, make_employee):
    employee = make_employee()
    month(employee, JULY)
    found(employee, date(2026, 7, 31), kind=kind, state=state)
    found(employee, date(2026, 8, 1), kind="off_channel")  # a month without a record
    assert [cell.findings for cell in effect_data.counts(TODAY).of()] == [counts]


def test_without_a_course_or_a_month_there_is_nothing_to_count(db):
    assert effect_data.counts(TODAY) is None
    studying.tiny_course()
    assert effect_data.counts(TODAY).cells == ()


def test_months_longer_ago_than_two_years_are_left_out(course, make_employee):
    employee = make_employee()
    months(employee, date(2024, 8, 1), date(2024, 9, 1), AUGUST)
    assert effect_data.counts(TODAY).months[0] == date(2024, 9, 1)
    assert len(effect_data.counts(TODAY).months) == effect_data.MONTHS


def test_what_was_counted_is_kept_until_the_ledger_says_more(course, make_employee):
    employee = make_employee()
    month(employee, JULY)
    before = effect_data.counts(TODAY)
    found(employee, date(2026, 7, 3))
    assert effect_data.counts(TODAY) == before
    ledger.append(verb="test.happened", actor="system:test", subject="system:test", body={})
    assert effect_data.counts(TODAY) != before


# --- the page -----------------------------------------------------------------------------------------------------


@pytest.fixture
def firm(course, make_employee, time_machine) -> dict:
    """25 people trained in July, 25 who were not; ten findings a month, two about the trained once they were."""
    time_machine.move_to(datetime(2026, 9, 15, 4, tzinfo=UTC), tick=False)
    trained, others = ([make_employee() for _ in range(25)] for _ in range(2))
    for one in trained + others:
        months(one, JUNE, JULY, AUGUST, sent=40)
    for one in trained:
        completed(one, course, noon(JULY))
    for one in trained[:10] + others[:10]:
        found(one, date(2026, 6, 5))
    for one in trained[:5] + others[:10]:
        found(one, date(2026, 8, 5))
    return {"trained": trained, "others": others, "compliance": make_employee(roles=("Compliance",))}


def page(client, query: str = "") -> BeautifulSoup:
    response = client.get(ADDRESS + query)
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser")


def rows(table) -> list[list[str]]:
    return [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")]


def test_the_page_tells_rates_ratios_and_intervals(firm, sign_in):
    messages, person_months = page(sign_in(firm["compliance"])).select("section.effect")
    rates, ratios = messages.select("table")
    assert rows(rates) == [
        ["Trained people, before", "25", "10", "1,000", "10.00", "4.80 to 18.39"],
        ["Trained people, after", "25", "5", "1,000", "5.00", "1.62 to 11.67"],
        ["People not yet trained, before", "25", "10", "1,000", "10.00", "4.80 to 18.39"],
        ["People not yet trained, after", "25", "10", "1,000", "10.00", "4.80 to 18.39"],
    ]
    assert rows(ratios)[0] == ["Trained people: after ÷ before", "0.50", "0.13 to 1.61"]
    assert [row[1] for row in rows(ratios)] == ["0.50", "1.00", "0.50"]
    assert rows(person_months.select("table")[0])[0][3:] == ["25", "40.00", "19.18 to 73.56"]
    assert "changed alike, as far as these figures can tell" in messages.get_text(" ", strip=True)


def test_the_chart_has_a_name_and_every_rate_of_the_table(firm, sign_in):
    for part in page(sign_in(firm["compliance"])).select("section.effect"):
        [chart] = part.select("svg[role=img]")
        assert chart.select_one(f"#{chart['aria-labelledby']}").get_text(strip=True)
        assert [text.get_text() for text in chart.select("text.value")] == [row[4] for row in rows(part.table)]
        for line, point in zip(chart.select("line.mark"), chart.select("circle, rect"), strict=True):
            at = int(point.get("cx") or int(point["x"]) + 5)
            assert 0 <= int(line["x1"]) < at < int(line["x2"]) <= effect_page.WIDTH


def test_small_groups_are_told_as_such(firm, sign_in):
    some = page(sign_in(firm["compliance"]), "?kind=deletion_request")
    text = some.select_one("section.effect").get_text(" ", strip=True)
    assert "Fewer than 5 findings, so no figure" in text
    assert "There is too little to say whether training had an effect." in text
    assert some.select("svg.rates") == []
    Record.objects.filter(employee__in=firm["trained"][:6]).delete()
    ledger.append(verb="test.happened", actor="system:test", subject="system:test", body={})
    few = page(sign_in(firm["compliance"])).select_one("section.effect")
    assert [row[1] for row in rows(few.table)][:2] == ["Fewer than 20 people, so no figure"] * 2
    assert len(few.select("svg.rates line.mark")) == 2


def test_the_kind_lives_in_the_address_and_an_unknown_one_means_all(firm, sign_in):
    client = sign_in(firm["compliance"])
    chosen = page(client, "?kind=off_channel").select("option[selected]")
    assert [option["value"] for option in chosen] == ["off_channel"]
    assert page(client, "?kind=self_report").select("option[selected]") == []


def test_the_page_says_what_it_cannot_show_in_both_languages(firm, sign_in):
    client = sign_in(firm["compliance"])
    assert len(page(client).find("h2", string="What these figures cannot show").find_next("ul").find_all("li")) >= 4
    client.post(reverse("people:language"), {"language": "zh-hans"})
    text = page(client).get_text(" ", strip=True)
    assert "这些数字不能说明什么" in text
    assert "95%区间" in text
    assert "4.80至18.39" in text


def test_before_any_month_the_page_says_so(make_employee, sign_in):
    text = page(sign_in(make_employee(roles=("Auditor",)))).get_text(" ", strip=True)
    assert "No month has been captured in full yet" in text


def test_the_firms_page_leads_to_it(make_employee, sign_in):
    answer = sign_in(make_employee(roles=("Compliance",))).get(reverse("standing:firm"))
    assert BeautifulSoup(answer.text, "html.parser").select(f"a[href='{ADDRESS}']")


def test_who_sees_the_firm_but_not_every_record_does_not_see_it(make_employee, sign_in):
    from django.contrib.auth.models import Permission

    employee = make_employee()
    employee.user_permissions.add(Permission.objects.get(codename="view_firm"))
    assert sign_in(employee).get(ADDRESS).status_code == 403


def test_the_page_costs_the_same_for_many_people_and_months(firm, sign_in, count_queries, make_employee):
    from django.core.cache import cache

    def cost() -> int:
        cache.clear()
        return count_queries(lambda: client.get(ADDRESS))

    client = sign_in(firm["compliance"])
    client.get(ADDRESS)
    few = cost()
    for _ in range(20):
        months(make_employee(), MARCH, APRIL, MAY, JUNE, JULY, AUGUST)
    assert cost() == few
    assert count_queries(lambda: client.get(ADDRESS)) == few - 2


# --- words and drawing --------------------------------------------------------------------------------------------


def told(own: Estimate | None, compared: Estimate | None) -> list[str]:
    rate, hidden = Rate(0, 0, 0, None, effect.NOBODY), effect.TOO_FEW_FINDINGS
    ratios = [Ratio(one, "" if one else hidden) for one in (own, compared)]
    return effect_page.verdict(Comparison(rate, rate, ratios[0], rate, rate, Ratio(None, hidden), ratios[1], 0, 0))


BELOW, AROUND, ABOVE, OPEN = (Estimate(1, *ends) for ends in ((0.2, 0.9), (0.5, 1.5), (1.1, 3.0), (1.2, None)))


@pytest.mark.parametrize(
    ("own", "compared", "begins"),
    [
        (None, None, "There is too little"),
        (BELOW, None, "After training there were fewer"),
        (AROUND, None, "Before and after training are alike"),
        (ABOVE, None, "After training there were more"),
        (OPEN, None, "After training there were more"),
        (ABOVE, BELOW, "Findings fell further among trained"),
        (BELOW, AROUND, "Trained people and people not yet trained changed alike"),
        (BELOW, ABOVE, "Findings fell less, or rose more"),
    ],
)
def test_the_sentence_says_no_more_than_the_interval(own, compared, begins):
    with translation.override("en"):
        sentences = told(own, compared)
    assert sentences[0].startswith(begins)
    assert len(sentences) == (2 if own and not compared else 1)


@given(st.floats(1e-4, 1e7))
def test_the_axis_has_a_few_round_steps_and_holds_everything(highest):
    steps = effect_page.ticks(highest)
    assert 3 <= len(steps) <= 6
    assert steps[0] == 0
    assert steps[-2] < highest <= steps[-1] * (1 + 1e-9)
