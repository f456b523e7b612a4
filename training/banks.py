"""questions.yaml: the bank of a module's quiz, checked question by question and as a whole."""

from collections import Counter
from collections.abc import Collection

from quizzes.models import Question
from quizzes.rules import Flaw, flaws_in_key
from training.fields import SLUG_REMEDY, Fields, Languages, List, is_slug
from training.reading import CourseFolder

FEWEST_TAGS, MOST_TAGS, FEWEST_PER_TAG = 3, 6, 3
ALL_THAT_APPLY = "choose all that apply"


def read_bank(
    files: CourseFolder, file: str, *, draw: int, sources: Collection[str], languages: Languages
) -> list[dict]:
    """Return the questions of the file, as quizzes.services.publish_bank takes them. Mistakes are reported."""
    report = files.report_on(file)
    listed = files.listed(file)
    questions = []
    for item, line in listed:
        fields = Fields(item, report, of="this question", line=line)
        question = _question(fields, sources, languages)
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
    return questions


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


def _question(fields: Fields, sources: Collection[str], languages: Languages) -> dict:
    question = {
        "slug": fields.slug("id"),
        "kind": fields.one_of("kind", Question.Kind.values),
        "tags": _tags(fields),
        "difficulty": fields.number("difficulty", least=1, most=3),
        "cites": fields.cites(sources),
        "stem": fields.texts("stem", languages),
        "options": _options(fields, languages),
        "explanation": fields.texts("explanation", languages),
    }
    stem = question["stem"].get("en")
    if question["kind"] == Question.Kind.MULTIPLE and stem and ALL_THAT_APPLY not in stem.lower():
        fields.wrong(
            "stem", "a multiple question does not say that several may be right", "Add 'Choose all that apply.'"
        )
    fields.done()
    return question


def _tags(fields: Fields) -> list[str]:
    found = fields.items("tags", least=1, most=6)
    for tag, line in zip(found, found.lines, strict=True):
        if not is_slug(tag):
            fields.report(line, f"{tag!r} is not a tag", SLUG_REMEDY)
    return [tag for tag in found if is_slug(tag)]


def _options(question: Fields, languages: Languages) -> list[dict]:
    found, options, places = question.items("options"), [], []
    for item, line in zip(found, found.lines, strict=True):
        fields = Fields(item, question.report, of="this option", line=line)
        option = {
            "id": fields.slug("id"),
            "right": fields.flag("right"),
            "text": fields.texts("text", languages),
            "why": fields.texts("why", languages),
        }
        fields.done()
        options.append(option)
        places.append(fields)
    if isinstance(question.given.get("options"), List):
        for flaw in flaws_in_key(str(question.given.get("kind")), options):
            question.report(_line(flaw, question, places), flaw.what, flaw.remedy)
    return options


def _line(flaw: Flaw, question: Fields, options: list[Fields]) -> int:
    """Return the line of the file that the flaw's path leads to."""
    match flaw.path:
        case ("options", number):
            return options[number].given.line
        case ("options", number, name):
            return options[number].line(name)
    return question.line(flaw.path[0])
