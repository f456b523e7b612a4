"""A conversation in which one chooses the reply and sees where it leads: walked, explained, scored.

A branch has ``start`` and ``scenes``, {id, messages, end, choices: [{text, is_thing, to, rating, why, cites}]}. A scene
without choices is an end, and ``end`` tells what came of it. A path is the list of the numbers of the choices made, in
order, counted from 0. The path is practice: it can be taken back and walked again, and counts for nothing.

Scoring: a reply that keeps the record is worth 2 points, one that puts it at risk 1, one that breaks the rule 0. A path
has the points of its replies, of 2 for each. Its verdict is good when all of them keep the record, bad when one
breaks the rule, warn otherwise: what is put right later is told by where it leads, but it was done.
"""

from collections.abc import Iterator, Mapping, Sequence

POINTS = {"keeps": 2, "risks": 1, "breaks": 0}
MOST_POINTS = max(POINTS.values())


class NoSuchPath(ValueError):
    """A path that the conversation does not have."""


def walk(block: Mapping, path: Sequence[int]) -> tuple[list[tuple[Mapping, Mapping]], Mapping]:
    """Return the (scene, choice made in it) along the path, and the scene that it leads to. Raises NoSuchPath."""
    scenes = {scene["id"]: scene for scene in block["scenes"]}
    here, walked = scenes[block["start"]], []
    for number in path:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(here["choices"]):
            raise NoSuchPath(f"there is no choice {number!r} in scene {here['id']}")
        choice = here["choices"][number]
        walked.append((here, choice))
        here = scenes[choice["to"]]
    return walked, here


def read_path(sent: str) -> list[int]:
    """Return the path in what a button sent: "0-2", or "start" for the beginning. Raises NoSuchPath."""
    if sent == "start":
        return []
    numbers = sent.split("-")
    if not all(number.isascii() and number.isdigit() and len(number) < 3 for number in numbers):
        raise NoSuchPath(f"{sent!r} is not a path")
    return [int(number) for number in numbers]


def sent_path(path: Sequence[int]) -> str:
    return "-".join(str(number) for number in path) or "start"


def score(ratings: Sequence[str]) -> dict:
    """Return {points, of, verdict} of the replies made, by the rule that the module tells."""
    points, of = sum(POINTS[rating] for rating in ratings), MOST_POINTS * len(ratings)
    verdict = "good" if points == of else "bad" if "breaks" in ratings else "warn"
    return {"points": points, "of": of, "verdict": verdict}


def walked(block: Mapping, path: Sequence[int]) -> dict:
    """Return what a page shows of a path: {walked, here, choices, ended, back, points, of, verdict}.

    ``walked`` holds {messages, choice} for each reply made; the replies that can be made now have only their words and
    the path that they lead to. Nothing of a scene that was not reached is in it. Raises NoSuchPath.
    """
    made, here = walk(block, path)
    return {
        "walked": [{"messages": scene["messages"], "choice": choice} for scene, choice in made],
        "here": {"messages": here["messages"], "end": here["end"]},
        "choices": [
            {"text": choice["text"], "is_thing": choice["is_thing"], "path": sent_path([*path, number])}
            for number, choice in enumerate(here["choices"])
        ],
        "ended": not here["choices"],
        "back": sent_path(path[:-1]) if path else None,
    } | score([choice["rating"] for _scene, choice in made])


def paths(block: Mapping) -> Iterator[list[int]]:
    """Yield every path from the beginning to an end."""
    ahead: list[list[int]] = [[]]
    while ahead:
        path = ahead.pop()
        choices = walk(block, path)[1]["choices"]
        if not choices:
            yield path
        ahead += [[*path, number] for number in reversed(range(len(choices)))]


def flaws(start: str, scenes: Sequence[Mapping]) -> Iterator[tuple[int, str, str]]:
    """Yield (number of the scene, what is wrong, what to do) where the paths do not all lead onward to an end."""
    numbers = {scene["id"]: number for number, scene in enumerate(scenes)}
    reached, entered, ahead = set(), set(), [(start, False)]
    while ahead:
        name, is_left = ahead.pop()
        if is_left:
            entered.discard(name)
        elif name in entered:
            yield numbers[name], f"the conversation comes back to scene '{name}'", "Let each choice lead onward."
        elif name not in reached:
            reached.add(name)
            entered.add(name)
            ahead.append((name, True))
            ahead += [(choice["to"], False) for choice in scenes[numbers[name]]["choices"] if choice["to"] in numbers]
    for name in numbers.keys() - reached:
        yield numbers[name], f"nothing leads to scene '{name}'", "Let a choice lead there, or take it out."
    ratings = {choice["rating"] for scene in scenes for choice in scene["choices"]}
    if "keeps" not in ratings:
        yield 0, "no reply keeps the record", "Rate the best one 'keeps'."
