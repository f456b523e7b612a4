"""What a course asks of its readers: words, minutes, and how much there is to do. Counted from what a page shows.

Minutes are those of somebody who reads everything once, the explanations after an answer too, at a steady pace, and
does every exercise once: 238 English words or 360 Chinese characters a minute, near the middle of what adults are
measured at, and for each thing to press the seconds below. Of a branch the longest path is counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from training import branches
from training.loading import CourseText, LessonText, ModuleText

HAN = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9'’.,:-]*")
TAG = re.compile(r"<[^>]+>")
WORDS_A_MINUTE, CHARACTERS_A_MINUTE = 238, 360
SECONDS = {"mark": 4, "reply": 6, "step": 2, "check": 6, "question": 10}


@dataclass
class Figures:
    """Of a lesson, a module or a course in one language. ``words``: of Chinese text its characters count instead."""

    words: int = 0
    characters: int = 0
    action_seconds: int = 0
    kinds: Counter = field(default_factory=Counter)

    @property
    def minutes(self) -> float:
        """Minutes of reading and doing, with a fraction."""
        return self.words / WORDS_A_MINUTE + self.characters / CHARACTERS_A_MINUTE + self.action_seconds / 60

    @property
    def scenarios(self) -> int:
        return self.kinds["chat"] + self.kinds["branch"]

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.words + other.words,
            self.characters + other.characters,
            self.action_seconds + other.action_seconds,
            self.kinds + other.kinds,
        )


def total(figures: Iterable[Figures]) -> Figures:
    return sum(figures, start=Figures())


def of_lesson(lesson: LessonText, language: str) -> Figures:
    found = total(_of_text([lesson.title[language], *_texts(block)]) for block in lesson.body[language][:1])
    found += total(_of_text(_texts(block)) for block in lesson.body[language][1:])
    for block in lesson.body[language]:
        found.action_seconds += _seconds(block)
        found.kinds[block["kind"]] += 1
    return found


def of_module(module: ModuleText, language: str) -> Figures:
    return total(of_lesson(lesson, language) for lesson in module.lessons)


def of_quiz(course: CourseText, module: ModuleText, language: str) -> Figures:
    """Return what one quiz of the module takes: as many questions as it draws, each as long as they are on average."""
    whole = _of_text(text for question in module.questions for text in _asked(question, language))
    draw, count = course.quiz["draw"], len(module.questions) or 1
    return Figures(whole.words * draw // count, whole.characters * draw // count, draw * SECONDS["question"])


def _of_text(texts: Iterable[str]) -> Figures:
    words = characters = 0
    for text in texts:
        plain = TAG.sub(" ", text)
        characters += len(HAN.findall(plain))
        words += len(WORD.findall(plain))
    return Figures(words, characters)


def _texts(block: Mapping) -> Iterator[str]:
    """Yield every text of a block that somebody who does it reads."""
    match block["kind"]:
        case "markdown":
            yield block["html"]
        case "rule":
            yield from (block["source"]["short"], block["source"]["name"], block["html"])
        case "check":
            yield block["question"]
            for option in block["options"]:
                yield from (option["text"], option["why"])
        case "chat":
            yield from (block["title"], block["intro"])
            for message in block["messages"]:
                yield from (message["text"], message["why"])
        case "branch":
            yield from (block["title"], block["intro"], *max(_told_paths(block), key=lambda told: len("".join(told))))
        case "steps":
            yield from (block["title"], block["phone"])
            for step in block["steps"]:
                yield from (step["do"], step["why"], *(part["text"] for part in step["screen"]))
        case "case":
            yield from (block["source"]["short"], block["happened"], block["cost"], block["lesson"])
            for event in block["timeline"]:
                yield from (event["when"], event["what"])


def _told_paths(block: Mapping) -> Iterator[list[str]]:
    for path in branches.paths(block):
        made, here = branches.walk(block, path)
        told = [message["text"] for message in here["messages"]] + [here["end"]]
        for scene, choice in made:
            told += [message["text"] for message in scene["messages"]]
            told += [offered["text"] for offered in scene["choices"]] + [choice["why"]]
        yield told


def _seconds(block: Mapping) -> int:
    match block["kind"]:
        case "check":
            return SECONDS["check"]
        case "chat":
            return SECONDS["mark"] * sum(message["mark"] is not None for message in block["messages"])
        case "branch":
            return SECONDS["reply"] * max(map(len, branches.paths(block)))
        case "steps":
            return SECONDS["step"] * len(block["steps"])
    return 0


def _asked(question: Mapping, language: str) -> Iterator[str]:
    """Yield what a paper shows of a question: no explanation."""
    yield question["stem"].get(language, "")
    for option in question.get("options", ()):
        yield option.get("text", {}).get(language, "")
