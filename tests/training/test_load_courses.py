import re
import shutil
import zipfile
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from quizzes.models import Bank, Question, Quiz
from tests.training.samples import CASE, LESSON
from training.loading import read_courses
from training.models import Course, Edition, Lesson, Module
from training.publishing import publish

COURSE = """\
slug: safe-talk
languages: [en]
title: {en: Safe talk}
summary: {en: How to talk safely.}
pass_percent: 80
renewal_months: 12
quiz: {questions: 6, tries_before_wait: 3, wait_minutes: 30}
modules: [01-first, 02-second]
"""
MODULE = """\
title: {en: First}
summary: {en: Why it matters.}
objectives:
  - {en: Know it.}
"""
SOURCES = """\
- id: sec-17a-4
  kind: rule
  jurisdiction: US
  short: {en: SEC Rule 17a-4}
  name: {en: The long name}
  number: 17 CFR 240.17a-4
  body: {en: SEC}
  link: https://example.com/17a-4
  checked: 2026-11-23
- id: case-big-2021
  kind: case
  jurisdiction: US
  short: {en: Big 2021}
  name: {en: In the matter of Big}
  number: "34-1"
  body: {en: SEC}
  link: https://example.com/big
  checked: 2026-11-23
- id: practice
  kind: guidance
  jurisdiction: INT
  short: {en: Good practice}
  name: {en: Good practice}
  number: None
  body: {en: Us}
  link: ""
  checked: 2026-11-23
"""
QUESTION = """\
- id: {id}
  kind: single
  tags: [{tag}]
  difficulty: 1
  cites: [sec-17a-4]
  stem: {{en: "What of {id}?"}}
  options:
    - id: a
      right: true
      text: {{en: "Yes"}}
      why: {{en: "Because."}}
    - id: b
      text: {{en: "No"}}
      why: {{en: "It is not."}}
  explanation: {{en: "So it is."}}
"""
LINES = QUESTION.count("\n")  # of one question
FRONT = "---\ntitle: The lesson\nminutes: 3\n---\n"


def bank(module: str) -> str:
    return "".join(QUESTION.format(id=f"{module}-{tag}-{n}", tag=tag) for tag in ("us", "cn", "uk") for n in range(3))


def course_files() -> dict[str, str]:
    """The files of a small course of two modules in which nothing is wrong."""
    files = {"course.yaml": COURSE, "sources.yaml": SOURCES}
    for module in ("01-first", "02-second"):
        files[f"{module}/module.yaml"] = MODULE
        files[f"{module}/questions.yaml"] = bank(module[3:])
        files[f"{module}/en/01-words.md"] = FRONT + LESSON
        files[f"{module}/en/02-deeds.md"] = FRONT + "Only text.\n"
    return files


def packed(files: dict[str, str] | None = None, *, top: str = "safe-talk/") -> bytes:
    """The course as a ZIP, by default in its folder."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (course_files() if files is None else files).items():
            archive.writestr(top + name, text)
    return made.getvalue()


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with the small course."""
    course = tmp_path / "courses" / "safe-talk"
    for name, text in course_files().items():
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text(text, encoding="utf-8")
    return tmp_path / "courses"


def load(folder: Path, **options) -> str:
    out = StringIO()
    call_command("load_courses", str(folder), stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def mistakes(folder: Path) -> list[str]:
    """What load_courses prints of a folder with mistakes, from the course's folder on."""
    err = StringIO()
    with pytest.raises(CommandError, match="nothing was published"):
        call_command("load_courses", str(folder), stdout=StringIO(), stderr=err)
    prefix = f"{folder}/safe-talk/"
    return [line.removeprefix(prefix) for line in err.getvalue().splitlines()]


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / "safe-talk" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- publishing --------------------------------------------------------------------------------------------------


def test_a_course_is_published_with_its_modules_lessons_and_quizzes(db, folder):
    assert load(folder) == "safe-talk: edition 1 published (2 modules, 4 lessons, 18 questions)\n"
    edition = Course.objects.get(slug="safe-talk").current
    assert (edition.number, edition.title, edition.pass_percent) == (1, {"en": "Safe talk"}, 80)
    assert [m.slug for m in edition.modules.all()] == ["01-first", "02-second"]
    lesson = Lesson.objects.get(module__slug="01-first", slug="01-words")
    assert (lesson.position, lesson.minutes, lesson.title) == (1, 3, {"en": "The lesson"})
    kinds = [block["kind"] for block in lesson.body["en"]]
    assert kinds == ["markdown", "rule", "check", "markdown", "chat", "branch", "steps", "case"]
    quiz = Module.objects.get(slug="01-first").quiz
    assert (quiz.slug, quiz.draw, quiz.questions.count()) == ("safe-talk_1_01-first", 6, 9)
    assert edition.sources["sec-17a-4"]["link"] == "https://example.com/17a-4"


def test_a_published_edition_is_in_the_ledger(db, folder):
    load(folder)
    entry = Entry.objects.get(verb="training.edition_published")
    assert entry.actor == "system:load_courses"
    body = ledger.body_of(entry)
    assert (body["course"], body["edition"], body["lessons"], body["questions"]) == ("safe-talk", 1, 4, 18)
    assert body["fingerprint"] == Edition.objects.get().fingerprint


def test_files_that_did_not_change_publish_nothing(db, folder):
    load(folder)
    entries = Entry.objects.count()
    assert load(folder) == "safe-talk: edition 1 unchanged (2 modules, 4 lessons, 18 questions)\n"
    assert (Edition.objects.count(), Quiz.objects.count(), Entry.objects.count()) == (1, 2, entries)


def test_a_changed_file_is_a_new_edition_and_the_old_one_stays_as_it_was(db, folder):
    load(folder)
    edit(folder, "01-first/en/02-deeds.md", "Only text.", "Oily text.")
    assert "edition 2 published" in load(folder)
    told = Lesson.objects.filter(module__slug="01-first", slug="02-deeds").order_by("module__edition__number")
    assert [lesson.body["en"][0]["html"] for lesson in told] == ["<p>Only text.</p>\n", "<p>Oily text.</p>\n"]


@pytest.mark.parametrize(
    "file",
    ["course.yaml", "sources.yaml", "01-first/module.yaml", "02-second/questions.yaml", "01-first/en/01-words.md"],
)
def test_a_single_byte_in_any_file_makes_an_edition(db, folder, file):
    load(folder)
    path = folder / "safe-talk" / file
    path.write_bytes(path.read_bytes() + b"\n")
    assert "edition 2 published" in load(folder)


def test_a_renamed_lesson_makes_an_edition(db, folder):
    load(folder)
    lessons = folder / "safe-talk" / "01-first" / "en"
    (lessons / "02-deeds.md").rename(lessons / "02-acts.md")
    assert "edition 2 published" in load(folder)


def test_only_a_changed_question_gets_a_new_version(db, folder):
    load(folder)
    edit(folder, "01-first/questions.yaml", "What of first-us-0?", "What now of first-us-0?")
    load(folder)
    assert Question.objects.filter(version=2).values_list("slug", flat=True).get() == "first-us-0"
    assert (Question.objects.count(), Bank.objects.count()) == (19, 2)
    newest = Quiz.objects.get(slug="safe-talk_2_01-first")
    assert newest.questions.filter(slug="first-us-0").get().version == 2


def test_going_back_to_older_files_is_a_new_edition_too(db, folder):
    load(folder)
    edit(folder, "course.yaml", "Safe talk", "Safer talk")
    load(folder)
    edit(folder, "course.yaml", "Safer talk", "Safe talk")
    assert "edition 3 published" in load(folder)


def test_a_course_that_fails_half_way_leaves_nothing_behind(db, folder):
    [course], _ = read_courses(folder, ["en"])
    course.modules.append(course.modules[0])
    with pytest.raises(IntegrityError):
        publish(course=course, by="system:test")
    assert not Course.objects.exists()
    assert not Entry.objects.exists()


def test_checking_publishes_nothing(db, folder):
    assert load(folder, check=True) == "safe-talk: no mistakes (2 modules, 4 lessons, 18 questions)\n"
    assert not Course.objects.exists()


def test_one_course_can_be_loaded_by_its_own_folder(db, folder):
    assert "safe-talk: edition 1 published" in load(folder / "safe-talk")


def test_a_mistake_in_one_course_keeps_all_others_back(db, folder):
    shutil.copytree(folder / "safe-talk", folder / "other")
    (folder / "other" / "course.yaml").write_text(COURSE.replace("safe-talk", "other"), encoding="utf-8")
    edit(folder, "course.yaml", "pass_percent: 80", "pass_percent: 800")
    mistakes(folder)
    assert not Course.objects.exists()


@pytest.mark.parametrize("what", ["nowhere", "empty"])
def test_a_folder_without_courses_is_an_error(db, tmp_path, what):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="is not a folder" if what == "nowhere" else "holds no course"):
        load(tmp_path / what)


def test_windows_line_ends_and_a_byte_order_mark_change_nothing_that_is_told(db, folder):
    load(folder)
    for path in folder.rglob("*.*"):
        if path.is_file():
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    load(folder)
    for lesson in Lesson.objects.filter(module__edition__number=1):
        twin = Lesson.objects.get(module__edition__number=2, module__slug=lesson.module.slug, slug=lesson.slug)
        assert (lesson.title, lesson.body) == (twin.title, twin.body)
    assert set(Question.objects.values_list("version", flat=True)) == {1}


def test_the_courses_that_ship_have_no_mistakes():
    call_command("load_courses", str(settings.COURSES_DIR), check=True, stdout=StringIO())


# --- mistakes ----------------------------------------------------------------------------------------------------


def test_every_mistake_is_printed_with_file_line_and_remedy(db, folder):
    edit(folder, "course.yaml", "renewal_months: 12", "renewal_months: soon")
    edit(folder, "02-second/en/02-deeds.md", "Only text.", "Only [@nobody].")
    assert mistakes(folder) == [
        "02-second/en/02-deeds.md:5: source 'nobody' is not known – Correct the id, or add it to sources.yaml.",
        "course.yaml:6: 'renewal_months' is not a whole number from 1 to 120 – Correct it.",
    ]
    assert not Course.objects.exists()


Q = "01-first/questions.yaml"
W = "01-first/en/01-words.md"


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "what"),
    [
        # course.yaml
        ("course.yaml", "slug: safe-talk", "slug: Safe Talk", 1, "'slug' is 'Safe Talk'"),
        ("course.yaml", "slug: safe-talk\n", "", 1, "course.yaml has no 'slug'"),
        ("course.yaml", "slug: safe-talk", f"slug: {'x' * 51}", 1, "the slug is longer than 50 characters"),
        ("course.yaml", "[en]", "[en, en]", 2, "language 'en' is there twice"),
        ("course.yaml", "80", "true", 5, "'pass_percent' is not a whole number"),
        ("course.yaml", "{en: Safe talk}", '{en: " "}', 3, "'title' in 'en' is empty"),
        ("course.yaml", "{en: Safe talk}", f"{{en: {'x' * 3001}}}", 3, "'title' in 'en' is longer than 3000"),
        ("course.yaml", "[en]", "[en, fr]", 2, "'fr' is not a language of this portal"),
        ("course.yaml", "{en: Safe talk}", "Safe talk", 3, "'title' is not told per language"),
        ("course.yaml", "{en: Safe talk}", "{en: Safe, sound}", 3, "'title' has the unknown language 'sound'"),
        ("course.yaml", "{en: Safe talk}", "{en: }", 3, "'title' has no text in 'en'"),
        ("course.yaml", "80", "101", 5, "'pass_percent' is not a whole number"),
        ("course.yaml", "80", "eighty", 5, "'pass_percent' is not a whole number"),
        ("course.yaml", "renewal_months", "renewal_month", 6, "course.yaml has no field 'renewal_month'"),
        ("course.yaml", "wait_minutes: 30", "wait: 30", 7, "'quiz' has no 'wait_minutes'"),
        ("course.yaml", "02-second]", "02-second, 03-third]", 8, "there is no folder '03-third'"),
        ("course.yaml", "02-second]", "02-second, 01-first]", 8, "module '01-first' is there twice"),
        ("course.yaml", "02-second]", "02-second, ../../etc]", 8, "'../../etc' is not a module folder"),
        ("course.yaml", "02-second]", "02-second, /etc]", 8, "'/etc' is not a module folder"),
        ("course.yaml", "02-second]", "02-second, .]", 8, "'.' is not a module folder"),
        ("course.yaml", "pass_percent: 80", "pass_percent: 80\npass_percent: 10", 6, "'pass_percent' is there twice"),
        ("course.yaml", "pass_percent: 80", "pass_percent: 80: 90", 5, "this is not YAML"),
        # sources.yaml
        ("sources.yaml", "- id: case-big-2021", "- id: sec-17a-4", 10, "source 'sec-17a-4' is there twice"),
        ("sources.yaml", "kind: case", "kind: law", 11, "'kind' is 'law'"),
        ("sources.yaml", "jurisdiction: INT", "jurisdiction: FR", 21, "'jurisdiction' is 'FR'"),
        ("sources.yaml", "https://example.com/big", "http://example.com", 17, "the link http://example.com is not"),
        ("sources.yaml", "  link: https://example.com/big\n", "", 10, "this source has no 'link'"),
        ("sources.yaml", "checked: 2026-11-23", "checked: last week", 9, "'checked' is not a date"),
        ("sources.yaml", "checked: 2026-11-23", "checked: 2026-13-23", 9, "'2026-13-23' is not a date"),
        # module.yaml
        ("01-first/module.yaml", "{en: Know it.}", "Know it.", 4, "this objective is not told per language"),
        ("01-first/module.yaml", "objectives:\n  - {en: Know it.}\n", "", 1, "module.yaml has no 'objectives'"),
        # lessons
        (W, "title: The lesson\n", "", 2, "the front matter has no 'title'"),
        (W, "minutes: 3", "minutes: three", 3, "'minutes' is not a whole number"),
        (W, "---\n", "", 1, "the lesson has no front matter"),
        (W, "title: The lesson", "title: The: lesson", 2, "this is not YAML"),
        (W, "minutes: 3\n---\n", "minutes: 3\n", 1, "the lesson has no front matter"),
        (W, "    why: Purely social.\n", "", 14, "this option has no 'why'"),
        (W, "Some text.", "<b>Some</b> text.", 5, "raw HTML: <b>"),
        (W, "Some text.", "[Some](http://example.com) text.", 5, "a link to http://example.com"),
        ("01-first/en/02-deeds.md", "Only text.\n", "\n", 5, "the lesson has no text"),
        # questions.yaml
        (Q, "id: first-us-1", "id: first-us-0", LINES + 1, "question 'first-us-0' is there twice"),
        (Q, "kind: single", "kind: essay", 2, "'kind' is 'essay'"),
        (Q, "kind: single", "kind: multiple", 6, "a multiple question does not say that several may be right"),
        (Q, "tags: [us]", "tags: []", 3, "'tags' has 0 items"),
        (Q, "tags: [us]", "tags: [US]", 3, "'US' is not a tag"),
        (Q, "tags: [us]", "tags: [other, us]", 3, "tag 'other' comes first in only 1 questions"),
        (Q, "tags: [us]", "tags: [other]", 3, "tag 'other' comes first in only 1 questions"),
        (Q, "tags: [us]", "tags: [cn]", LINES + 3, "tag 'us' comes first in only 2 questions"),
        (Q, "difficulty: 1", "difficulty: 4", 4, "'difficulty' is not a whole number from 1 to 3"),
        (Q, "cites: [sec-17a-4]", "cites: [sec-17a-4, sec-1]", 5, "source 'sec-1' is not known"),
        (Q, "      right: true\n", "", 7, "no option is right"),
        (Q, 'text: {en: "No"}', 'right: true\n      text: {en: "No"}', 12, "a single question has 2 right options"),
        (Q, '      why: {en: "It is not."}\n', "", 12, "this option has no 'why'"),
        (Q, "- id: b", "- id: a", 12, "option id 'a' is there twice"),
        (Q, '{en: "It is not."}', '{zh-hans: "不是"}', 14, "'why' has no text in 'en'"),
        (Q, '  explanation: {en: "So it is."}\n', "", 1, "this question has no 'explanation'"),
        (Q, "explanation:", "explained:", 15, "this question has no field 'explained'"),
        (Q, '"Because."', '"Because" of it', 11, "this is not YAML"),
        (Q, '"Because."', '"<i>Because</i>"', 11, "'why' in 'en' has raw HTML: <i>"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_file_and_line(db, folder, file, old, new, line, what):
    edit(folder, file, old, new)
    found = mistakes(folder)
    assert [text for text in found if text.startswith(f"{file}:{line}: {what}")], found
    assert all(" – " in text for text in found)
    assert not Course.objects.exists()


def test_a_bank_too_small_for_the_draw_is_named_in_every_module(db, folder):
    edit(folder, "course.yaml", "questions: 6", "questions: 10")
    what = "the quiz draws 10 questions and the bank has 9 – Write more, or lower 'questions' in course.yaml."
    assert mistakes(folder) == [f"{module}/questions.yaml:1: {what}" for module in ("01-first", "02-second")]


def test_a_folder_that_the_course_does_not_list_is_named(db, folder):
    edit(folder, "course.yaml", "[01-first, 02-second]", "[01-first]")
    [found] = mistakes(folder)
    assert found.startswith("02-second/module.yaml:1: this module is not in course.yaml")


def test_a_question_id_is_unique_in_the_whole_course(db, folder):
    edit(folder, "02-second/questions.yaml", "id: second-us-1", "id: first-us-1")
    [found] = mistakes(folder)
    assert found.startswith(f"02-second/questions.yaml:{LINES + 1}: question 'first-us-1' is there twice")
    assert found.endswith(f"the other is at 01-first/questions.yaml:{LINES + 1}.")


def test_too_few_and_too_many_tags_are_named(db, folder):
    path = folder / "safe-talk" / Q
    path.write_text(path.read_text(encoding="utf-8").replace("[uk]", "[us]"), encoding="utf-8")
    [found] = mistakes(folder)
    assert found.startswith(f"{Q}:1: the questions have 2 tags – Spread them over 3 to 6")


@pytest.mark.parametrize("file", ["course.yaml", "sources.yaml"])
def test_a_file_that_cannot_be_read_is_named_once_and_not_for_all_that_needs_it(db, folder, file):
    (folder / "safe-talk" / file).write_text("a: b: c\n", encoding="utf-8")
    [found] = mistakes(folder)
    assert found.startswith(f"{file}:1: this is not YAML")


@pytest.mark.parametrize("file", ["sources.yaml", "01-first/module.yaml", Q])
def test_a_missing_file_is_named(db, folder, file):
    (folder / "safe-talk" / file).unlink()
    assert mistakes(folder) == [f"{file}:1: this file is missing – Write it."]


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"- id: a\n  stem: \xff\n", 2, "this is not UTF-8 text"),
        (b"x" * (2**20 + 1), 1, "this file is larger than 1048576 bytes"),
        (b"a: &x [1]\nb: [*x, *x]\n", 2, "an alias (*name) is used"),
        (b"[" * 100_000, 1, "this is nested too deeply"),
        (b"- " * 100_000, 1, "this is nested too deeply"),
        (b"a: \x07\n", 1, "character U+0007 is not allowed"),
        (b"a: !!python/object/apply:os.system [ls]\n", 1, "this file is not a list"),
        (b"id: a\n", 1, "this file is not a list"),
        (b"", 1, "there is nothing here"),
        (b"# only a remark\n", 1, "there is nothing here"),
        (b'- "never closed\n- b\n', 1, "this is not YAML"),
    ],
)
def test_a_hostile_or_broken_file_is_a_mistake_like_any_other(db, folder, content, line, what):
    (folder / "safe-talk" / Q).write_bytes(content)
    assert [text for text in mistakes(folder) if text.startswith(f"{Q}:{line}: {what}")]


def test_links_to_files_and_folders_elsewhere_are_not_followed(db, folder, tmp_path):
    course = folder / "safe-talk"
    (course / "02-second").rename(tmp_path / "away")
    (course / "02-second").symlink_to(tmp_path / "away")
    (course / "01-first/questions.yaml").rename(tmp_path / "bank.yaml")
    (course / "01-first/questions.yaml").symlink_to(tmp_path / "bank.yaml")
    assert [text.split(" – ")[0] for text in mistakes(folder)] == [
        "01-first/questions.yaml:1: this file is missing",
        "course.yaml:8: there is no folder '02-second'",
    ]


@pytest.mark.parametrize("name", ["notes.txt", "03-next.txt", "lesson.md", "03_next.md", "03-Next.md"])
def test_a_file_that_would_be_passed_over_is_named(db, folder, name):
    (folder / "safe-talk/01-first/en" / name).write_text("text", encoding="utf-8")
    [found] = mistakes(folder)
    assert found.startswith(f"01-first/en/{name}:1: this is not named like a lesson")


def test_what_a_computer_leaves_behind_is_passed_over(db, folder):
    (folder / "safe-talk/01-first/en/.DS_Store").write_bytes(b"\x00")
    (folder / ".git").mkdir()
    assert "edition 1 published" in load(folder)


def test_a_module_without_lessons_is_named(db, folder):
    for path in (folder / "safe-talk/01-first/en").iterdir():
        path.unlink()
    assert mistakes(folder) == ["01-first/module.yaml:1: the module has no lessons – Write 01-first/en/01-….md."]


def test_two_courses_of_one_name_are_named(db, folder):
    shutil.copytree(folder / "safe-talk", folder / "twin")
    [found] = mistakes(folder)
    assert "twin/course.yaml:1: a second course is called 'safe-talk'" in found


# --- a second language -------------------------------------------------------------------------------------------


@pytest.fixture
def bilingual(folder) -> Path:
    """The same course with zh-hans everywhere."""
    for path in folder.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8").replace("[en]", "[en, zh-hans]")
        text = re.sub(r'\{en: ("[^"]*"|[^}]*)\}', r"{en: \1, zh-hans: \1}", text)
        path.write_text(text, encoding="utf-8")
    for path in folder.rglob("en"):
        shutil.copytree(path, path.parent / "zh-hans")
    return folder


def test_a_course_in_two_languages_holds_both(db, bilingual):
    load(bilingual)
    assert Edition.objects.get().title == {"en": "Safe talk", "zh-hans": "Safe talk"}
    assert set(Lesson.objects.first().body) == set(Question.objects.first().stem) == {"en", "zh-hans"}


def test_a_text_that_is_not_translated_is_named(db, bilingual):
    edit(bilingual, Q, ', zh-hans: "Because."', "")
    assert mistakes(bilingual) == [f"{Q}:11: 'why' has no text in 'zh-hans' – Add zh-hans: \"…\"."]


def test_a_lesson_that_is_not_translated_is_named_and_one_without_an_original_too(db, bilingual):
    (bilingual / "safe-talk/01-first/zh-hans/01-words.md").unlink()
    (bilingual / "safe-talk/02-second/en/02-deeds.md").unlink()
    assert mistakes(bilingual) == [
        "01-first/zh-hans/01-words.md:1: this file is missing – Write it.",
        "02-second/en/02-deeds.md:1: this file is missing – Write it.",
    ]


def test_a_missing_language_folder_is_named(db, bilingual):
    shutil.rmtree(bilingual / "safe-talk/01-first/zh-hans")
    assert mistakes(bilingual)[0].startswith("01-first/zh-hans:1: this folder is missing")


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("minutes: 3", "minutes: 4", 2, "'minutes' is 4, and 3 in en"),
        ("::: check lunch", "::: check dinner", 11, "block 'dinner' is not the one in en"),
        ("mark: personal", "mark: both", 23, "block 'mr-chen' is not the one in en"),
        ("Some text.\n", "Some text.\n\nAnd more.\n", 0, ""),
        ("rating: breaks", "rating: risks", 42, "block 'order-at-ten' is not the one in en"),
        (CASE, "", 1, "the lesson has 5 blocks, and 6 in en"),
    ],
)
def test_a_translation_asks_what_the_original_asks(db, bilingual, old, new, line, what):
    edit(bilingual, "01-first/zh-hans/01-words.md", old, new)
    if not what:
        assert "edition 1 published" in load(bilingual)
    else:
        [found] = mistakes(bilingual)
        assert found.startswith(f"01-first/zh-hans/01-words.md:{line}: {what}")


def test_a_translation_may_be_prepared_before_the_course_offers_it(db, folder):
    edit(folder, "01-first/module.yaml", "{en: First}", "{en: First, zh-hans: 第一}")
    (folder / "safe-talk/01-first/zh-hans").mkdir()
    load(folder)
    assert Module.objects.get(slug="01-first").title == {"en": "First"}
