"""How long a message is kept: by which schedule, until which day, and what the schedules' file may say."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from hypothesis import given
from hypothesis import strategies as st

from archive import checks, retention
from archive.retention import BadSchedules, Schedule, Schedules
from archive.services.schedules import last_noted, note_schedules
from portal.ledger.models import Entry

SHIPPED = retention.parse(retention.PATH.read_bytes())
DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))
PLACES = st.sets(st.sampled_from(["CN", "HK", "US", "UK", "EU"]), min_size=1)


def schedule(years: int, jurisdiction: str = "US", **fields) -> Schedule:
    text = {"en": "A rule", "zh": "规则"}
    dull = {"id": f"{jurisdiction}-{years}", "rule": text, "what": text, "link": "https://example.com/"}
    return Schedule(jurisdiction=jurisdiction, years=years, checked=date(2026, 11, 23), **{**dull, **fields})


@pytest.mark.parametrize(
    ("sent_on", "years", "until"),
    [
        (date(2023, 3, 10), 3, date(2026, 3, 10)),
        (date(2023, 12, 31), 7, date(2030, 12, 31)),
        (date(2024, 2, 29), 4, date(2028, 2, 29)),  # leap day to leap day
        (date(2024, 2, 29), 3, date(2027, 3, 1)),  # no such day: the day after, never the day before
        (date(2024, 2, 28), 3, date(2027, 2, 28)),
        (date(2080, 2, 29), 20, date(2100, 3, 1)),  # 2100 is no leap year
        (date(2004, 2, 29), 20, date(2024, 2, 29)),
    ],
)
def test_years_are_counted_by_the_calendar(sent_on, years, until):
    assert schedule(years).kept_until(sent_on) == until


@pytest.mark.parametrize(
    ("sent_on", "ends", "until"),
    [
        (date(2021, 1, 1), (12, 31), date(2026, 12, 31)),
        (date(2021, 12, 31), (12, 31), date(2026, 12, 31)),
        (date(2021, 3, 31), (3, 31), date(2026, 3, 31)),
        (date(2021, 4, 1), (3, 31), date(2027, 3, 31)),
        (date(2024, 2, 29), (2, 28), date(2030, 2, 28)),  # the 29th belongs to the year that then begins
    ],
)
def test_a_period_may_begin_when_the_fiscal_year_ends(sent_on, ends, until):
    assert schedule(5, counts_from="fiscal_year", fiscal_year_ends=ends).kept_until(sent_on) == until


@pytest.mark.parametrize(
    ("places", "rule", "until"),
    [
        ({"HK"}, "hk-keeping-of-records", date(2030, 5, 4)),  # seven years, not the two of order messages
        ({"UK"}, "uk-sysc-10a-1-15", date(2028, 5, 4)),
        ({"US"}, "us-sec-204-2-e", date(2028, 12, 31)),  # five years from the end of the fiscal year
        ({"US", "UK"}, "us-sec-204-2-e", date(2028, 12, 31)),
        ({"US", "HK", "EU"}, "hk-keeping-of-records", date(2030, 5, 4)),
        ({"CN", "HK", "US", "UK", "EU"}, "cn-securities-law-137", date(2043, 5, 4)),
    ],
)
def test_the_longest_schedule_of_all_who_took_part_wins(places, rule, until):
    verdict = SHIPPED.verdict(date(2023, 5, 4), places)
    assert (verdict.schedule.id, verdict.until) == (rule, until)


@pytest.mark.parametrize(
    ("sent_on", "places", "why"),
    [
        (date(2003, 5, 4), [], "no_employee"),
        (date(2003, 5, 4), ["SG"], "no_schedule"),
        (date(2003, 5, 4), ["US", "SG"], "no_schedule"),  # nobody knows how long Singapore would have it kept
        (date(2003, 5, 4), ["US", None], "no_schedule"),  # an employee without an office
        (None, ["US"], "no_date"),
        (date(1970, 1, 1), ["US"], "no_date"),  # a clock that was never set
        (date(1999, 12, 31), ["US"], "no_date"),
        (date(2100, 1, 1), ["US"], "no_date"),
    ],
)
def test_what_no_schedule_speaks_for_is_kept_for_ever(sent_on, places, why):
    verdict = SHIPPED.verdict(sent_on, places)
    assert (verdict.until, verdict.schedule, verdict.why) == (None, None, why)
    assert not verdict.is_over(date(2999, 1, 1))


def test_a_message_may_go_the_day_after_its_last_day():
    verdict = SHIPPED.verdict(date(2021, 5, 4), {"UK"})
    assert [verdict.is_over(date(2026, 5, day)) for day in (3, 4, 5)] == [False, False, True]


@given(DAYS, PLACES, PLACES)
def test_one_more_person_never_shortens_the_period(day, some, others):
    assert SHIPPED.verdict(day, some | others).until >= SHIPPED.verdict(day, some).until


@given(DAYS, st.integers(1, 40), st.integers(1, 800))
def test_a_later_message_is_never_kept_less_long(day, years, later):
    for counts_from in ("sent", "fiscal_year"):
        one = schedule(years, counts_from=counts_from)
        assert one.kept_until(day) <= one.kept_until(day + timedelta(days=later))


@given(DAYS, st.integers(1, 40))
def test_a_period_is_never_a_day_short(day, years):
    until = schedule(years).kept_until(day)
    assert (until.year, until >= date(day.year + years, day.month, min(day.day, 28))) == (day.year + years, True)
    assert until - day >= timedelta(days=365 * years)


@given(DAYS, PLACES)
def test_the_last_day_that_can_be_over_is_just_that(as_of, places):
    last = SHIPPED.last_day_over(as_of, places)

    def is_over(day: date) -> bool:
        return any(SHIPPED.verdict(day, {place}).is_over(as_of) for place in places)

    if last is None:
        assert not is_over(date(2000, 1, 1))
    else:
        assert is_over(last)
        assert not is_over(last + timedelta(days=1))


def test_no_day_is_over_where_nobody_works_under_a_schedule():
    assert SHIPPED.last_day_over(date(2026, 1, 1), {"SG"}) is None
    assert SHIPPED.last_day_over(date(2026, 1, 1), set()) is None


def test_every_office_but_singapore_has_a_schedule_with_a_citation_in_both_languages():
    from portal.people.models import Office

    assert set(Office.Jurisdiction.values) - {one.jurisdiction for one in SHIPPED.every} == {"SG"}
    assert set(retention.JURISDICTIONS) == set(Office.Jurisdiction.values)
    for one in SHIPPED.every:
        assert one.link.startswith("https://"), one.id
        assert one.cites, one.id
        assert not one.rule["en"].isascii() or one.rule["zh"] != one.rule["en"], one.id


def test_what_is_cited_stands_in_the_course_s_list_of_sources(settings):
    listed = yaml.safe_load((settings.COURSES_DIR / "wechat-archiving" / "sources.yaml").read_text(encoding="utf-8"))
    links = {one["id"]: one["link"] for one in listed}
    for one in SHIPPED.every:
        assert links.get(one.cites, one.link) == one.link, one.id
    assert {one.cites for one in SHIPPED.every} - links.keys() == {"cn-futures-law"}


# --- the firm's own file -----------------------------------------------------------------------------------------

GOOD = """
version: "firm 3"
fiscal_year_ends: "03-31"
schedules:
  - id: sg-own
    jurisdiction: SG
    years: 6
    rule: {en: Firm policy 12, zh: 公司制度第12号}
    what: {en: Client chats, zh: 客户聊天}
    link: https://example.com/policy
    checked: 2026-11-01
"""


@pytest.fixture
def own_file(settings, tmp_path):
    def write(text: str):
        path = tmp_path / "retention.yaml"
        path.write_text(text, encoding="utf-8")
        settings.ARCHIVE_RETENTION_FILE = path
        return path

    return write


def test_the_firms_own_file_stands_instead_of_the_one_that_ships(own_file):
    own_file(GOOD)
    found = retention.current()
    assert (found.version, [one.id for one in found.every]) == ("firm 3", ["sg-own"])
    assert found.verdict(date(2020, 5, 4), {"SG"}).until == date(2026, 5, 4)
    assert found.verdict(date(2020, 5, 4), {"US"}).why == "no_schedule"


def test_a_change_of_the_file_counts_at_once(own_file):
    own_file(GOOD)
    before = retention.current()
    own_file(GOOD.replace("years: 6", "years: 10"))
    assert retention.current().digest != before.digest
    assert retention.current().every[0].years == 10


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("years: 6", "years: six"), "schedule sg-own: years: a whole number from 1 to 100"),
        (("years: 6", "years: 0"), "schedule sg-own: years: a whole number from 1 to 100"),
        (("years: 6", "years: 6.5"), "schedule sg-own: years: a whole number from 1 to 100"),
        (("years: 6", "years: true"), "schedule sg-own: years: a whole number from 1 to 100"),
        (("    years: 6\n", ""), "schedule sg-own: years is missing"),
        (("jurisdiction: SG", "jurisdiction: XX"), "jurisdiction: one of CN, HK, US, UK, EU, SG"),
        (("jurisdiction: SG", "jurisdiction: [SG]"), "jurisdiction: one of CN"),
        (("id: sg-own", "id: 7"), "id: a text of at most 60 characters"),
        (("{en: Client chats, zh: 客户聊天}", "Client chats"), "what: a text in both languages"),
        (("zh: 客户聊天", "zh: ''"), "what: a text in both languages"),
        (("https://example.com/policy", "javascript:alert(1)"), "link: where the rule stands"),
        (("2026-11-01", "lately"), "checked: the day on which somebody read the rule"),
        (("    checked", "    counts_from: birth\n    checked"), "counts_from: sent or fiscal_year"),
        (("    checked", "    cites: 7\n    checked"), "cites: a text"),
        (("    checked", "    month: 7\n    checked"), "schedule sg-own: month: no such setting"),
        (('version: "firm 3"', "version: 3"), "version: a text of at most 20 characters"),
        (('version: "firm 3"', f'version: "{"3" * 21}"'), "version: a text of at most 20 characters"),
        (('"03-31"', '"31-03"'), "fiscal_year_ends: month and day in quotes"),
        (('"03-31"', '"02-29"'), "fiscal_year_ends: month and day in quotes"),
        (("fiscal_year_ends", "fiscal_year"), "fiscal_year: no such setting"),
        (("schedules:", "schedules: 5 #"), "is not YAML in UTF-8"),
        ((GOOD, "- 7"), "should hold version, fiscal_year_ends and schedules"),
        ((GOOD, 'version: "1"'), "schedules: at least one is needed"),
        ((GOOD, 'version: "1"\nschedules: [7]'), "schedule 1: should be a list of names and values"),
        ((GOOD, GOOD + GOOD[GOOD.index("  - id") :]), "schedule sg-own: this id is there twice"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_remedy(own_file, change, problem):
    path = own_file(GOOD.replace(*change))
    with pytest.raises(BadSchedules) as refused:
        retention.current()
    assert any(problem in one for one in refused.value.problems), refused.value.problems
    errors = [str(one) for one in checks.retention_schedules_can_be_used(None)]
    assert any(str(path) in one and problem in one and "archive.E002" in one for one in errors)


def test_every_problem_is_told_at_once(own_file):
    own_file(GOOD.replace("years: 6", "years: 0").replace("SG", "XX").replace('"firm 3"', "3"))
    with pytest.raises(BadSchedules) as refused:
        retention.current()
    assert len(refused.value.problems) == 3


def test_a_file_that_is_not_there_is_an_error_before_the_site_runs(settings):
    settings.ARCHIVE_RETENTION_FILE = Path("/nowhere/retention.yaml")
    with pytest.raises(SystemCheckError, match=r"/nowhere/retention\.yaml: cannot be read: No such"):
        call_command("check")


def test_what_ships_passes_the_check():
    call_command("check")


@pytest.mark.django_db
def test_a_change_of_the_schedules_is_noted_once_in_the_ledger(own_file):
    assert note_schedules(by="system:test").version == SHIPPED.version
    note_schedules(by="system:test")
    own_file(GOOD)
    note_schedules(by="system:test")
    note_schedules(by="system:test")
    entries = Entry.objects.filter(verb="archive.retention_changed")
    assert entries.count() == 2
    told = last_noted()
    assert told["before"] == {"version": SHIPPED.version, "digest": SHIPPED.digest}
    assert (told["version"], told["schedules"][0]["years"], told["schedules"][0]["id"]) == ("firm 3", 6, "sg-own")


@pytest.mark.django_db
def test_other_periods_under_the_same_version_are_noted_too(own_file):
    own_file(GOOD)
    note_schedules(by="system:test")
    own_file(GOOD.replace("years: 6", "years: 5"))
    note_schedules(by="system:test")
    assert Entry.objects.filter(verb="archive.retention_changed").count() == 2


@pytest.mark.django_db
def test_a_wrong_file_stops_no_other_work_of_the_hour(own_file, caplog):
    from archive import services

    own_file("- 7")
    services.refresh_findings()
    assert "the retention schedules cannot be used" in caplog.text
    assert not Entry.objects.filter(verb="archive.retention_changed").exists()


def test_of_equal_ends_the_first_in_the_file_is_named():
    both = Schedules.of("1", "", [schedule(5, "UK"), schedule(5, "EU")])
    assert both.verdict(date(2020, 1, 1), {"EU", "UK"}).schedule.id == "UK-5"


@pytest.mark.parametrize("key", ["", "short", "x" * 44])
def test_a_key_that_is_none_is_an_error_that_does_not_repeat_it(settings, key):
    settings.ARCHIVE_TEXT_KEYS = [*settings.ARCHIVE_TEXT_KEYS, key]
    with pytest.raises(SystemCheckError, match="ARCHIVE_TEXT_KEYS: number 2 is no key") as stopped:
        call_command("check")
    assert not key or key not in str(stopped.value)
