"""`make preview`: one folder as it would be read, with its mistakes in place, and again when a file changes."""

import os
import re

import pytest
from bs4 import BeautifulSoup
from django.core.management import CommandError, call_command
from django.test import Client

from tests.training.samples import CHECK
from tests.training.test_load_courses import FRONT, edit, folder  # noqa: F401 - a fixture
from training import preview_site

LESSON = "01-first/en/01-words.md"


@pytest.fixture
def site(settings, folder) -> Client:  # noqa: F811
    """The little site as the command makes it. The test has no database."""
    settings.ROOT_URLCONF = preview_site.__name__
    settings.MIDDLEWARE = preview_site.MIDDLEWARE
    settings.PREVIEW_FOLDER = str(folder / "safe-talk")
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    preview_site.draft_of.cache_clear()
    return Client()


def test_the_course_its_lessons_and_its_questions_are_there(site):
    page = BeautifulSoup(site.get("/").text, "html.parser")
    assert page.h1.get_text() == "Safe talk"
    links = [link["href"] for link in page.select("main section a")]
    assert links[:3] == ["01-first/01-words/", "01-first/02-deeds/", "01-first/questions/"]
    for link in links:
        assert site.get(f"/{link}").status_code == 200
    assert site.get("/01-first/09-none/").status_code == 404
    assert site.get("/09-none/questions/").status_code == 404


def test_what_is_tried_is_answered(site):
    tried = site.post("/01-first/01-words/", {"block": "lunch", "choice": "1"})
    assert "An order is business." in tried.text


def test_mistakes_stand_where_they_are_with_their_line(site, folder):  # noqa: F811
    edit(folder, LESSON, CHECK, CHECK.replace("right: true", "right: maybe"))
    page = site.get("/01-first/01-words/").text
    number = (folder / "safe-talk" / LESSON).read_text().split("\n").index("    right: maybe") + 1
    assert f"{LESSON}:{number}" in page
    assert "right: maybe" in page
    page = BeautifulSoup(site.get("/").text, "html.parser")
    assert [tag.get_text() for tag in page.select("section .tag.bad")] == ["2 mistakes"]


@pytest.mark.parametrize("broken", ["slug: [", "", "slug: x", "\0"])
def test_a_course_that_cannot_be_read_at_all_still_has_a_page(site, folder, broken):  # noqa: F811
    (folder / "safe-talk/course.yaml").write_text(broken)
    assert "course.yaml:" in site.get("/").text


def test_the_page_asks_again_when_a_file_changes_and_runs_nothing_inline(site, folder):  # noqa: F811
    before = site.get("/01-first/02-deeds/")
    page = BeautifulSoup(before.text, "html.parser")
    assert site.get("/changed/").text == page.main["data-made-of"]
    assert all(script.get("src") and not script.string for script in page.find_all("script"))
    assert not re.search(r"\son\w+=|<style|style=", before.text)
    edit(folder, "01-first/en/02-deeds.md", "Only text.", "Only other text.")
    os.utime(folder / "safe-talk/01-first/en/02-deeds.md", ns=(1, 1))
    assert site.get("/changed/").text != page.main["data-made-of"]
    assert "Only other text." in site.get("/01-first/02-deeds/").text


def test_it_speaks_both_languages(site):
    assert 'lang="zh-hans"' in site.get("/?lang=zh-hans").text
    assert '<html lang="zh-hans">' in site.get("/").text  # it is remembered
    assert '<html lang="en">' in site.get("/?lang=en").text


def test_only_a_courses_folder_is_shown(tmp_path):
    with pytest.raises(CommandError, match=r"no course\.yaml"):
        call_command("preview_course", str(tmp_path))
