"""questions.yaml with every kind of question, and blueprints; the examples are those of docs/course-files.md."""

import re
from pathlib import Path

import pytest
import yaml

from quizzes.kinds import KINDS
from quizzes.models import Question, Quiz
from tests.training.test_load_courses import COURSE, LINES, MODULE, bank, folder, load
from training.loading import read_courses

__all__ = ["folder"]

AUTHORING = Path(__file__).resolve().parents[2] / "docs" / "course-files.md"
EXAMPLES = "".join(re.findall(r"```yaml\n(- id: kinds-.*?)```", AUTHORING.read_text("utf-8"), re.DOTALL))
FIRST = "safe-talk/01-first/questions.yaml"


def write(folder: Path, file: str, text: str) -> None:
    (folder / "safe-talk" / file).write_text(text, encoding="utf-8")


def faults(folder: Path) -> list[tuple[str, int, str]]:
    return [(fault.file, fault.line, fault.what) for fault in read_courses(folder, ["en", "zh-hans"])[1]]


@pytest.fixture
def kinds(folder) -> Path:
    """The small course, with the examples of the manual behind the questions of its first module."""
    write(folder, "01-first/questions.yaml", bank("first") + EXAMPLES.replace("tags: [periods]", "tags: [us]"))
    return folder


def test_the_examples_of_the_manual_are_of_every_kind_and_are_published(db, kinds):
    write(kinds, "01-first/questions.yaml", (kinds / FIRST).read_text().replace("tags: [channels]", "tags: [cn]"))
    load(kinds)
    shown = {question.kind for question in Question.objects.filter(slug__startswith="kinds-")}
    assert shown == set(KINDS) - {"single", "multiple", "truefalse"}
    numeric = Question.objects.get(kind="numeric")
    assert numeric.options[0]["tolerance"] == "0.25"
    assert [unit["factor"] for unit in numeric.detail["units"]] == ["1", "1/12"]
    assert Question.objects.get(kind="text").options[1]["weight"] == "1/4"


def test_what_a_question_may_have_besides_is_read(db, kinds):
    text = bank("first").replace(
        "  difficulty: 1\n", "  difficulty: 1\n  points: 3\n  must_pass: true\n  shuffle: false\n", 1
    )
    write(kinds, "01-first/questions.yaml", text)
    load(kinds)
    first, other = Question.objects.filter(bank__slug="safe-talk_01-first").order_by("pk")[:2]
    assert (first.points, first.must_pass, first.shuffle) == (3, True, False)
    assert (other.points, other.must_pass, other.shuffle) == (1, False, True)


@pytest.mark.parametrize(
    ("old", "new", "line_of", "what"),
    [
        ("match: three", "match: four", "match: four", "there is no option 'four'"),
        ("value: 3,", "value: about three,", "about three", "the value is 'about three'"),
        ("tolerance: 0.25", "tolerance: [1]", "tolerance: [1]", "'tolerance' is no number"),
        ("factor: 1/12", "factor: twelve", "factor: twelve", "the factor is 'twelve'"),
        ("weight: 1/4", "weight: 4", "weight: 4", "the weight is '4'"),
        ('accepts: {en: ["WeChat"]}', "accepts: [WeChat]", "accepts: [WeChat]", "'accepts' is not told per language"),
        ("mark: business", "mark: secret", "mark: secret", "'mark' is 'secret'"),
        ("to: moved", "to: elsewhere", "to: elsewhere", "there is no scene 'elsewhere'"),
        ("start: call", "start: nowhere", "start: nowhere", "the story begins in no scene"),
        ("weight: 1, why", "weight: 0, why", "  scenes:", "no end has the weight 1"),
        ("kind: ordering", "kind: ordering\n  credit: half", "credit: half", "no credit rule 'half'"),
        ('"No rule here is content with that."', '""', '{id: one, text', "is empty"),
        (', why: {en: "No rule here is content with that."}', "", "{id: one, text", "this option has no 'why'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_question_of_any_kind_is_named_by_its_line(db, kinds, old, new, line_of, what):
    text = (kinds / FIRST).read_text().replace("tags: [channels]", "tags: [cn]")
    assert old in text
    text = text.replace(old, new, 1)
    write(kinds, "01-first/questions.yaml", text)
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if line_of in line]
    assert [(file, line) for file, line, said in faults(kinds) if what in said] == [(FIRST, lines[0])]


def test_a_course_names_the_blueprint_of_its_quizzes_and_a_module_its_own(db, folder):
    course = yaml.safe_load(COURSE) | {"modules": ["01-first", "02-second"]}
    course["quiz"]["blueprint"] = [{"questions": 2, "tag": "us"}, {"questions": 1, "difficulty": 1}]
    write(folder, "course.yaml", yaml.safe_dump(course))
    write(folder, "02-second/module.yaml", MODULE + "blueprint:\n  - {questions: 3, tag: cn}\n")
    load(folder)
    blueprints = dict(Quiz.objects.values_list("slug", "blueprint"))
    assert blueprints == {
        "safe-talk_1_01-first": [{"questions": 2, "tag": "us"}, {"questions": 1, "difficulty": 1}],
        "safe-talk_1_02-second": [{"questions": 3, "tag": "cn"}],
    }


def test_a_blueprint_that_a_bank_cannot_fill_is_named_where_the_bank_is(db, folder):
    write(folder, "02-second/module.yaml", MODULE + "blueprint:\n  - {questions: 2, difficulty: 3}\n")
    [(file, line, what)] = faults(folder)
    assert (file, line) == ("safe-talk/02-second/questions.yaml", 1)
    assert "2 questions of a sort of which there are 0" in what


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("{tag: us}", "this line has no 'questions'"),
        ("{questions: 0}", "'questions' is not a whole number from 1 to 100"),
        ("{questions: 1, difficulty: 4}", "'difficulty' is not a whole number from 1 to 3"),
        ("{questions: 1, level: 2}", "this line has no field 'level'"),
        ("{questions: 7}", "the blueprint asks for 7 questions and the quiz draws 6"),
    ],
)
def test_a_line_of_a_blueprint_that_is_wrong_is_named(db, folder, cell, what):
    write(folder, "01-first/module.yaml", MODULE + f"blueprint:\n  - {cell}\n")
    assert what in " ".join(said for _file, _line, said in faults(folder))


def test_a_question_that_goes_on_as_it_was_keeps_its_row(db, folder):
    load(folder)
    before = set(Question.objects.values_list("pk", flat=True))
    text = bank("first").replace("Because.", "Because it is so.", 1)
    assert text.count("\n") == LINES * 9
    write(folder, "01-first/questions.yaml", text)
    load(folder)
    assert Question.objects.exclude(pk__in=before).get().version == 2
