"""Course folders, read and checked. Nothing here touches the database: see publishing.py."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from quizzes.formats.fields import Fault, Fields, Languages, Report, read_yaml, unreported
from training import review
from training.banks import read_bank, read_blueprint
from training.blocks import shape
from training.parsing import parse
from training.reading import CourseFolder

NUMBERED = re.compile(r"[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*")
SOURCE_KINDS = ("rule", "guidance", "case")
JURISDICTIONS = ("US", "CN", "HK", "UK", "EU", "SG", "INT")


@dataclass
class LessonText:
    slug: str
    minutes: int
    title: dict[str, str]
    body: dict[str, list[dict]]
    kept: dict = field(default_factory=dict)  # owner, reviewed, review_by; days as ISO text
    cites: list[str] = field(default_factory=list)


@dataclass
class ModuleText:
    slug: str
    title: dict[str, str]
    summary: dict[str, str]
    objectives: list[dict[str, str]]
    lessons: list[LessonText] = field(default_factory=list)
    questions: list[dict] = field(default_factory=list)  # as quizzes.services.publish_bank takes them
    blueprint: list[dict] = field(default_factory=list)  # of its quiz, as quizzes.services.publish_quiz takes it


@dataclass
class CourseText:
    """A course as its files tell it. Texts are {language: text}."""

    slug: str
    languages: list[str]
    title: dict[str, str]
    summary: dict[str, str]
    pass_percent: int
    renewal_months: int
    quiz: dict[str, int | None]  # draw, tries_before_wait, wait_minutes, time_limit_minutes
    blueprint: list[dict] = field(default_factory=list)  # of the quizzes of modules that have none of their own
    sources: dict[str, dict] = field(default_factory=dict)
    modules: list[ModuleText] = field(default_factory=list)
    review: dict = field(default_factory=dict)  # of lessons that do not tell their own: owner, reviewed, review_by
    fingerprint: str = ""  # SHA-256 over names and bytes of all its files


def read_courses(folder: Path, known_languages: Collection[str]) -> tuple[list[CourseText], list[Fault]]:
    """Read every course in the folder, or the one that the folder itself is.

    Returns the courses and every mistake in them, by file and line. With a mistake the courses are not to be used.
    """
    if (folder / "course.yaml").is_file():
        roots = {"": folder}
    else:
        roots = {f"{p.name}/": p for p in sorted(folder.iterdir()) if p.is_dir() and p.name[0] not in "._"}
    faults: list[Fault] = []
    courses: dict[str, CourseText] = {}
    for prefix, root in roots.items():
        files = CourseFolder(root, prefix, faults)
        course = _course(files, known_languages)
        if course.slug in courses:
            files.fault("course.yaml", 1, f"a second course is called '{course.slug}'", "Give it another slug.")
        courses[course.slug] = course
    return list(courses.values()), sorted(set(faults))


def _course(files: CourseFolder, known_languages: Collection[str]) -> CourseText:
    fields = files.fields("course.yaml")
    needed = _languages(fields, known_languages)
    languages = Languages(needed, known_languages)
    course = CourseText(
        slug=fields.slug("slug"),
        languages=needed,
        title=fields.texts("title", languages),
        summary=fields.texts("summary", languages),
        pass_percent=fields.number("pass_percent", least=1, most=100),
        renewal_months=fields.number("renewal_months", least=1, most=120),
        quiz={},
    )
    course.quiz, course.blueprint = _quiz_terms(fields)
    course.review = review.of_course(fields, languages) if fields.has("review") else {}
    if len(course.slug) > 50:
        fields.wrong("slug", "the slug is longer than 50 characters", "Shorten it.")
    names = _module_names(fields, files) if fields.is_readable else []
    fields.done()
    course.sources = _sources(files, languages)
    if course.sources:  # without them every citation would be reported as well
        course.modules = [_module(files, name, course, languages) for name in names]
    course.fingerprint = files.fingerprint()
    return course


def _languages(fields: Fields, known: Collection[str]) -> list[str]:
    found = fields.items("languages", least=1)
    for name, line in zip(found, found.lines, strict=True):
        if name not in known:
            fields.report(line, f"'{name}' is not a language of this portal", f"Use {', '.join(known)}.")
        elif found.count(name) > 1:
            fields.report(line, f"language '{name}' is there twice", "Leave one.")
    return [name for name in found if name in known] or [next(iter(known))]


def _quiz_terms(course: Fields) -> tuple[dict[str, int | None], list[dict]]:
    given = course.take("quiz")
    report = course.report if given is not None else unreported
    quiz = Fields(given, report, of="'quiz'", line=course.line("quiz"))
    terms = {
        "draw": quiz.number("questions", least=1, most=100),
        "tries_before_wait": quiz.number("tries_before_wait", least=1, most=100),
        "wait_minutes": quiz.number("wait_minutes", least=0, most=7 * 24 * 60),
        "time_limit_minutes": quiz.number("time_limit_minutes", least=1, most=600, optional=True),
    }
    blueprint = read_blueprint(quiz)
    quiz.done()
    return terms, blueprint


def _module_names(fields: Fields, files: CourseFolder) -> list[str]:
    """Return the module folders that can be read. A name is checked before a path is made of it."""
    found, names = fields.items("modules", least=1, most=99), []
    for name, line in zip(found, found.lines, strict=True):
        if not isinstance(name, str) or not NUMBERED.fullmatch(name) or len(name) > 80:
            fields.report(line, f"{name!r} is not a module folder", "Write a name like 01-regulatory-overview.")
        elif name in names:
            fields.report(line, f"module '{name}' is there twice", "Leave one.")
        elif not files.has_folder(name):
            fields.report(line, f"there is no folder '{name}'", "Make it beside course.yaml, or correct the name.")
        else:
            names.append(name)
    for path in sorted(files.root.glob("*/module.yaml")):
        if path.parent.name not in found:
            file = f"{path.parent.name}/module.yaml"
            files.fault(file, 1, "this module is not in course.yaml", "List it under 'modules', or take it out.")
    return names


def _sources(files: CourseFolder, languages: Languages) -> dict[str, dict]:
    report, sources = files.report_on("sources.yaml"), {}
    for item, line in files.listed("sources.yaml"):
        fields = Fields(item, report, of="this source", line=line)
        name = fields.slug("id")
        if name in sources:
            fields.wrong("id", f"source '{name}' is there twice", "Rename one, or leave one.")
        sources[name] = {
            "kind": fields.one_of("kind", SOURCE_KINDS),
            "jurisdiction": fields.one_of("jurisdiction", JURISDICTIONS),
            "short": fields.texts("short", languages),
            "name": fields.texts("name", languages),
            "number": fields.text("number"),
            "body": fields.texts("body", languages),
            "link": fields.link("link"),
            "checked": fields.day("checked").isoformat(),
        }
        if fields.has("where"):
            sources[name]["where"] = fields.texts("where", languages)
        elif is_front_page(sources[name]["link"]):
            remedy = "Give the address of the text itself, or say under 'where' how a reader finds it."
            fields.wrong("link", "the link leads to a front page", remedy)
        fields.done()
    return sources


def is_front_page(link: str) -> bool:
    """Return whether a source's link leads to the front page of a site and not to the text itself."""
    return bool(link) and urlsplit(link).path in ("", "/")


def told(sources: Mapping[str, Mapping], language: str) -> dict[str, dict]:
    """Return the sources in one language, as blocks and pages use them: {id: {id, kind, short, name, …}}."""
    return {
        name: {"id": name}
        | {key: value.get(language, "") if isinstance(value, dict) else value for key, value in source.items()}
        for name, source in sources.items()
    }


def _module(files: CourseFolder, name: str, course: CourseText, languages: Languages) -> ModuleText:
    fields = files.fields(f"{name}/module.yaml")
    module = ModuleText(
        slug=name,
        title=fields.texts("title", languages),
        summary=fields.texts("summary", languages),
        objectives=_objectives(fields, languages),
        blueprint=read_blueprint(fields) if fields.has("blueprint") else course.blueprint,
    )
    fields.asked.add("blueprint")
    fields.done()
    module.lessons = [_lesson(files, name, file, course) for file in _lesson_files(files, name, languages)]
    module.questions = read_bank(
        files,
        f"{name}/questions.yaml",
        draw=course.quiz["draw"],
        blueprint=module.blueprint,
        sources=course.sources,
        languages=languages,
    )
    return module


def _objectives(fields: Fields, languages: Languages) -> list[dict[str, str]]:
    found = fields.items("objectives", least=1, most=12)
    pairs = zip(found, found.lines, strict=True)
    return [languages.texts(item, "this objective", line, fields.report) for item, line in pairs]


def _lesson_files(files: CourseFolder, module: str, languages: Languages) -> list[str]:
    """Return the names of the lesson files, in order, of all languages together."""
    names = set()
    for language in languages.needed:
        if not files.has_folder(f"{module}/{language}"):
            files.fault(f"{module}/{language}", 1, "this folder is missing", "Put the lessons in this language there.")
            continue
        for path in (files.root / module / language).iterdir():
            if path.name.startswith("."):
                continue
            if path.suffix != ".md" or not NUMBERED.fullmatch(path.stem) or len(path.stem) > 80:
                file = f"{module}/{language}/{path.name}"
                files.fault(
                    file, 1, "this is not named like a lesson", "Name it like 01-what-counts.md, or take it out."
                )
            else:
                names.add(path.name)
    if not names:
        files.fault(f"{module}/module.yaml", 1, "the module has no lessons", f"Write {module}/en/01-….md.")
    return sorted(names)


def _lesson(files: CourseFolder, module: str, file: str, course: CourseText) -> LessonText:
    """Read a lesson in every language. What is answered in it must be the same in each."""
    lesson = LessonText(slug=file.removesuffix(".md"), minutes=0, title={}, body={})
    first: list[tuple] | None = None
    for language in course.languages:
        path = f"{module}/{language}/{file}"
        text = files.text(path)
        if text is None:
            continue
        report = files.report_on(path)
        minutes, title, own, body, first_line = _front_matter(text, report)
        blocks = parse(body, sources=told(course.sources, language), report=report, first_line=first_line)
        if not blocks:
            report(first_line, "the lesson has no text", "Write it below the front matter.")
        lesson.title[language] = title
        lesson.body[language] = [block for _, block in blocks]
        if first is None:
            first, lesson.minutes = [shape(block) for _, block in blocks if block["kind"] != "markdown"], minutes
            lesson.kept, lesson.cites = review.of_lesson(own, course.review, language), review.cited(text)
        elif minutes != lesson.minutes:
            report(2, f"'minutes' is {minutes}, and {lesson.minutes} in {course.languages[0]}", "Make them the same.")
        else:
            _compare(blocks, first, course.languages[0], report)
    return lesson


def _compare(blocks: list[tuple[int, dict]], first: list[tuple], language: str, report: Report) -> None:
    """Report where a translation's blocks are not those of the first language."""
    named = [(line, block) for line, block in blocks if block["kind"] != "markdown"]
    for (line, block), wanted in zip(named, first, strict=False):
        if shape(block) != wanted:
            remedy = f"Make kind, name, order, marks and right answers those of {language}, where '{wanted[1]}' stands."
            report(line, f"block '{block['name']}' is not the one in {language}", remedy)
            return
    if len(named) != len(first):
        report(1, f"the lesson has {len(named)} blocks, and {len(first)} in {language}", "Translate each of them.")


def _front_matter(text: str, report: Report) -> tuple[int, str, dict, str, int]:
    """Return (minutes, title, what it tells of its own review, body, the line on which the body begins)."""
    lines = text.split("\n")
    closing = next((number for number, line in enumerate(lines[1:], start=2) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or closing is None:
        report(1, "the lesson has no front matter", "Begin it with '---', title, minutes and '---', a line each.")
        return 1, "", {}, text, 1
    given = read_yaml("\n".join(lines[1 : closing - 1]), report, first_line=2)
    fields = Fields(given, report, of="the front matter", line=1)
    title, minutes = fields.text("title"), fields.number("minutes", least=1, most=30)
    own = review.read(fields)
    fields.done()
    return minutes, title, own, "\n".join(lines[closing:]), closing + 1
