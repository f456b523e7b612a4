from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.training.samples import BRANCH, CASE, CHAT, CHECK, STEPS, block
from training import figures
from training.loading import CourseText, LessonText, read_courses


@pytest.fixture(scope="module")
def shipped() -> CourseText:
    [course], faults = read_courses(settings.COURSES_DIR, [code for code, _ in settings.LANGUAGES])
    assert faults == []
    return course


def of(*blocks: dict) -> figures.Figures:
    lesson = LessonText(slug="01-x", minutes=3, title={"en": "Two words"}, body={"en": list(blocks)})
    return figures.of_lesson(lesson, "en")


def test_words_and_characters_are_counted_apart_and_tags_not_at_all():
    found = of({"kind": "markdown", "html": "<p>Keep <strong>the chat</strong>. 留痕，留痕。</p>"})
    assert (found.words, found.characters) == (2 + 3, 4)


def test_what_is_told_after_an_answer_is_read_too():
    asked = "Which of these must be kept? Lunch at noon? The order went through."
    told = "Purely social. An order is business."
    assert of(block(CHECK)).words == 2 + len(f"{asked} {told}".split())


def test_of_a_branch_the_longest_path_counts():
    found = of(block(BRANCH))
    assert found.action_seconds == 2 * figures.SECONDS["reply"]
    longer = of(block(BRANCH.replace("Compliance has the chat by eleven.", "Compliance has it. " + "Word " * 90)))
    assert longer.words > found.words + 80


def test_everything_that_is_to_be_done_takes_its_time():
    found = of(block(CHAT), block(STEPS), block(CASE))
    assert found.action_seconds == 2 * figures.SECONDS["mark"] + 3 * figures.SECONDS["step"]
    assert (found.scenarios, found.kinds["steps"], found.kinds["case"]) == (1, 1, 1)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_course_that_ships_respects_the_time_of_its_readers(shipped, language):
    lessons = [figures.of_lesson(lesson, language) for module in shipped.modules for lesson in module.lessons]
    assert 45 <= figures.total(lessons).minutes <= 70
    assert all(2.3 <= lesson.minutes <= 5 for lesson in lessons)


def test_the_minutes_that_a_lesson_promises_are_those_that_it_takes(shipped):
    promised = [lesson for module in shipped.modules for lesson in module.lessons]
    assert 45 <= sum(lesson.minutes for lesson in promised) <= 70
    for lesson in promised:
        taken = [figures.of_lesson(lesson, language).minutes for language in shipped.languages]
        assert abs(lesson.minutes - sum(taken) / len(taken)) < 0.75, (lesson.slug, taken)


def test_the_course_that_ships_has_enough_to_do(shipped):
    found = figures.total(figures.of_module(module, "en") for module in shipped.modules)
    assert found.scenarios >= 18
    assert found.kinds["branch"] >= 6
    assert found.kinds["steps"] >= 6
    assert found.kinds["case"] >= 8
    assert all(figures.of_module(module, "en").scenarios >= 2 for module in shipped.modules)
    assert all(len(module.questions) >= 15 for module in shipped.modules)


def test_the_figures_are_printed_for_each_language_and_module(shipped):
    out = StringIO()
    call_command("course_figures", "--lessons", stdout=out)
    printed = out.getvalue()
    for words in ("wechat-archiving, en", "wechat-archiving, zh-hans", "03-when-the-chat-turns (3)", "quiz min"):
        assert words in printed
    assert printed.count("\nall ") == 2
