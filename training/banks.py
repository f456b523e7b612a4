"""questions.yaml: the bank of a module's quiz, checked question by question and as a whole."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from quizzes import drawing
from quizzes.formats.fields import Fields, Languages
from quizzes.formats.own import parts, read_question
from quizzes.models import Question
from training.reading import CourseFolder

FEWEST_TAGS, MOST_TAGS, FEWEST_PER_TAG = 3, 6, 3
ALL_THAT_APPLY = "choose all that apply"


def read_bank(
    files: CourseFolder,
    file: str,
    *,
    draw: int,
    blueprint: Sequence[Mapping] = (),
    sources: Collection[str],
    languages: Languages,
) -> list[dict]:
    """Return the questions of the file, as quizzes.services.publish_bank takes them. Mistakes are reported.

    ``draw`` and ``blueprint``: what the module's quiz will ask of them.
    """
    report = files.report_on(file)
    listed = files.listed(file)
    questions = []
    for item, line in listed:
        fields = Fields(item, report, of="this question", line=line)
        question = read_question(fields, languages, sources)
        stem = question["stem"].get("en")
        if question["kind"] == Question.Kind.MULTIPLE and stem and ALL_THAT_APPLY not in stem.lower():
            what = "a multiple question does not say that several may be right"
            fields.wrong("stem", what, "Add 'Choose all that apply.'")
        if question["slug"] in files.question_ids:
            other = files.question_ids[question["slug"]]
            fields.wrong("id", f"question '{question['slug']}' is there twice", f"Rename one; the other is at {other}.")
        files.question_ids.setdefault(question["slug"], f"{file}:{fields.line('id')}")
        questions.append(question)
    if listed:
        _check_spread([question["tags"][0] for question in questions if question["tags"]], listed, files, file)
        if len(questions) < draw:
            remedy = "Write more, or lower 'questions' in course.yaml."
            files.fault(file, 1, f"the quiz draws {draw} questions and the bank has {len(questions)}", remedy)
        cards = {q["slug"]: drawing.Card(tuple(q["tags"]), q["difficulty"], q["must_pass"]) for q in questions}
        for flaw in drawing.flaws_in_blueprint(cards, drawing.cells_of(blueprint), draw):
            files.fault(file, 1, flaw.what, flaw.remedy)
    return questions


def read_blueprint(fields: Fields) -> list[dict]:
    """Return the ``blueprint`` of a course's or a module's quiz, as quizzes.services.publish_quiz takes it."""
    found = []
    for cell in parts(fields, "blueprint", "this line", optional=True):
        line = {"questions": cell.number("questions", least=1, most=100)}
        if cell.has("tag"):
            line["tag"] = cell.slug("tag")
        if cell.has("difficulty"):
            line["difficulty"] = cell.number("difficulty", least=1, most=3)
        if cell.has("must_pass"):
            line["must_pass"] = cell.flag("must_pass")
        cell.asked |= {"tag", "difficulty", "must_pass"}
        cell.done()
        found.append(line)
    return found


def _check_spread(tags: list[str], listed: list, files: CourseFolder, file: str) -> None:
    """Report first tags with too few questions, where they first stand, and too few or too many tags."""
    counted = Counter(tags)
    for tag, count in counted.items():
        if count < FEWEST_PER_TAG:
            line = next(item.lines["tags"] for item, _ in listed if _first_tag(item) == tag)
            remedy = f"Write at least {FEWEST_PER_TAG}, or give these another first tag."
            files.fault(file, line, f"tag '{tag}' comes first in only {count} questions", remedy)
    if not FEWEST_TAGS <= len(counted) <= MOST_TAGS:
        remedy = f"Spread them over {FEWEST_TAGS} to {MOST_TAGS}; the first tag of a question counts."
        files.fault(file, 1, f"the questions have {len(counted)} tags", remedy)


def _first_tag(item: object) -> object:
    tags = item.get("tags") if isinstance(item, dict) else None
    return tags[0] if isinstance(tags, list) and tags else None
