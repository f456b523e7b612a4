"""Every source of the course that ships can be found by its reader, and the archive cites the same addresses."""

from pathlib import Path

import pytest
import yaml
from django.conf import settings

from tests.training.test_load_courses import edit, folder, mistakes  # noqa: F401 - folder is a fixture
from training.loading import is_front_page, read_courses

LANGUAGES = [code for code, _name in settings.LANGUAGES]


@pytest.fixture(scope="module")
def sources() -> dict[str, dict]:
    [course], faults = read_courses(Path(settings.COURSES_DIR), LANGUAGES)
    assert faults == []
    return course.sources


def test_a_link_to_a_front_page_says_where_the_text_is_found(sources):
    front = {name: source for name, source in sources.items() if is_front_page(source["link"])}
    assert [name for name, source in front.items() if set(source["where"]) != set(LANGUAGES)] == []


def test_retention_schedules_cite_the_courses_own_addresses(sources):
    schedules = yaml.safe_load((Path(settings.BASE_DIR) / "archive/retention.yaml").read_text("utf-8"))
    rows = schedules["schedules"] if isinstance(schedules, dict) else schedules
    known = [row for row in rows if row["cites"] in sources]
    assert len(known) >= 8
    assert [row["id"] for row in known if row["link"] != sources[row["cites"]]["link"]] == []


def test_a_front_page_without_where_is_a_mistake(db, folder):  # noqa: F811
    edit(folder, "sources.yaml", "https://example.com/17a-4", "https://example.com/")
    [mistake] = mistakes(folder)
    assert "the link leads to a front page" in mistake
    edit(folder, "sources.yaml", "https://example.com/\n", 'https://example.com/\n  where: {en: "Search for 17a-4."}\n')
    courses, faults = read_courses(folder, LANGUAGES)
    assert faults == []
    assert courses[0].sources["sec-17a-4"]["where"] == {"en": "Search for 17a-4."}


def test_front_pages_are_told_from_texts():
    assert is_front_page("https://www.sec.gov/")
    assert is_front_page("https://www.sec.gov")
    assert not is_front_page("https://www.ecfr.gov/current/title-17")
    assert not is_front_page("")
