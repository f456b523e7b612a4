"""A path through a story: each choice leads to the next scene, and none can be taken back.

``detail`` holds ``start`` and ``scenes``: {id, text, choices: [{id, text, why, to}]}, or, where the story ends,
{id, text, weight, why}. An answer lists the ids of the choices made, in order. A page shows the scenes that were
reached and no other.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from django.utils.translation import gettext as _

from quizzes.kinds.base import (
    EVERYTHING,
    NOTHING,
    Answer,
    Content,
    Forged,
    Kind,
    Sent,
    Tell,
    by_id,
    clipped,
    flaws_in_count,
    flaws_in_ids,
    flaws_in_weights,
    fraction,
    is_shuffled,
    one,
    only,
    shuffled,
)
from quizzes.rules import Flaw

FEWEST_SCENES, MOST_SCENES, FEWEST_CHOICES, MOST_CHOICES = 3, 30, 2, 6


class Scenario(Kind):
    name = look = "scenario"

    def flaws(self, content: Content) -> Iterator[Flaw]:
        scenes = content["detail"].get("scenes", [])
        yield from self.flaws_in_rule(content)
        yield from flaws_in_count(("scenes",), _("scenes"), len(scenes), FEWEST_SCENES, MOST_SCENES)
        known: set = set()
        yield from flaws_in_ids(("scenes",), scenes, known)
        for number, scene in enumerate(scenes):
            yield from _flaws_in_scene(number, scene, {scene.get("id") for scene in scenes}, known)
        if content["detail"].get("start") not in {scene.get("id") for scene in scenes}:
            yield Flaw(("start",), _("the story begins in no scene"), _("Write the id of the first scene."))
        else:
            yield from _flaws_in_paths(content)

    def order(self, content: Content, chance: random.Random) -> list[str]:
        """Return the choices of every scene, scene after scene."""
        found = []
        for scene in content["detail"]["scenes"]:
            ids = [choice["id"] for choice in scene.get("choices", ())]
            found += shuffled(ids, chance) if is_shuffled(content) else ids
        return found

    def read(self, content: Content, tokens: Mapping[str, str], sent: Sent, before: Answer) -> Answer:
        """Go one choice further. One that was made already changes nothing: it was sent twice."""
        token, path = one(only(sent, ("",)), ""), list(before or [])
        if not token:
            return path or None
        if token not in tokens:
            raise Forged("a choice that the page did not offer")
        choice = tokens[token]
        if choice in path:
            return path
        _walked, here = _walk(content, path)
        if choice not in {offered["id"] for offered in here.get("choices", ())}:
            raise Forged("a choice of another scene")
        return [*path, choice]

    def is_complete(self, content: Content, answer: Answer) -> bool:
        return answer is not None and not _walk(content, answer)[1].get("choices")

    def credit(self, content: Content, answer: Answer) -> Fraction:
        if not self.is_complete(content, answer):
            return NOTHING
        return clipped(fraction(_walk(content, answer)[1]["weight"]))

    def shown(self, content: Content, names: Mapping[str, str], answer: Answer, tell: Tell) -> dict:
        walked, here = _walk(content, answer or [])
        order = list(names)
        offered = sorted(here.get("choices", ()), key=lambda choice: order.index(choice["id"]))
        return {
            "walked": [{"text": tell(scene["text"]), "chosen": tell(choice["text"])} for scene, choice in walked],
            "scene": tell(here["text"]),
            "choices": [{"token": names[choice["id"]], "text": tell(choice["text"])} for choice in offered],
        }

    def explained(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> dict:
        walked, here = _walk(content, answer or [])
        best = _best(content)
        return {
            "walked": [
                {
                    "text": tell(scene["text"]),
                    "choices": [
                        {
                            "text": tell(choice["text"]),
                            "why": tell(choice["why"]),
                            "chosen": choice is made,
                            "right": best[choice["to"]] == best[scene["id"]],
                        }
                        for choice in sorted(scene["choices"], key=lambda choice: order.index(choice["id"]))
                    ],
                }
                for scene, made in walked
            ],
            "scene": tell(here["text"]),
            "is_ended": not here.get("choices"),
            "why": tell(here["why"]) if here.get("why") else "",
        }

    def told(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> list[dict]:
        walked, here = _walk(content, answer or [])
        best, lines = _best(content), []
        for scene, made in walked:
            offered = sorted(scene["choices"], key=lambda choice: order.index(choice["id"]))
            good = [tell(choice["text"]) for choice in offered if best[choice["to"]] == best[scene["id"]]]
            lines.append({"shown": tell(scene["text"]), "answered": tell(made["text"]), "right": " / ".join(good)})
            lines += [{"shown": f"– {tell(choice['text'])}", "answered": "", "right": ""} for choice in offered]
        return [*lines, {"shown": tell(here["text"]), "answered": "", "right": ""}]

    def parts(self, content: Content, answer: Answer) -> list[str]:
        walked, _here = _walk(content, answer or [])
        return [f"{scene['id']}>{made['id']}" for scene, made in walked]

    def parts_told(self, content: Content, tell: Tell) -> list[dict]:
        best = _best(content)
        return [
            {
                "key": f"{scene['id']}>{choice['id']}",
                "text": tell(choice["text"]),
                "right": best[choice["to"]] == best[scene["id"]],
            }
            for scene in content["detail"]["scenes"]
            for choice in scene.get("choices", ())
        ]


def _walk(content: Content, path: Sequence[str]) -> tuple[list[tuple[Mapping, Mapping]], Mapping]:
    """Return the (scene, choice made in it) of a path, and the scene that it leads to."""
    scenes = by_id(content["detail"]["scenes"])
    here, walked = scenes[content["detail"]["start"]], []
    for made in path:
        choice = by_id(here["choices"])[made]
        walked.append((here, choice))
        here = scenes[choice["to"]]
    return walked, here


def _best(content: Content) -> dict[str, Fraction]:
    """Return, for each scene, the weight of the best end that can still be reached from it."""
    scenes = by_id(content["detail"]["scenes"])
    best: dict[str, Fraction] = {}

    def of(name: str) -> Fraction:
        if name not in best:
            choices = scenes[name].get("choices")
            best[name] = max(of(c["to"]) for c in choices) if choices else clipped(fraction(scenes[name]["weight"]))
        return best[name]

    for name in scenes:
        of(name)
    return best


def _flaws_in_scene(number: int, scene: Mapping, scenes: set, known: set) -> Iterator[Flaw]:
    choices = scene.get("choices") or []
    if not choices:
        if scene.get("weight") is None:
            remedy = _("Give it 'choices', or, if the story ends here, 'weight': 1 for the best end, 0 for a bad one.")
            yield Flaw(("scenes", number), _("nothing can be chosen here, and it is no end"), remedy)
        for flaw in flaws_in_weights([scene]):
            yield Flaw(("scenes", number, "weight"), flaw.what, flaw.remedy)
        return
    path = ("scenes", number, "choices")
    yield from flaws_in_count(path, _("choices"), len(choices), FEWEST_CHOICES, MOST_CHOICES)
    yield from flaws_in_ids(path, choices, known)
    for place, choice in enumerate(choices):
        if choice.get("to") not in scenes:
            yield Flaw(
                (*path, place, "to"),
                _("there is no scene %(to)r") % {"to": choice.get("to")},
                _("Write the id of a scene."),
            )


def _flaws_in_paths(content: Content) -> Iterator[Flaw]:
    """Yield scenes that lead back to themselves, scenes that nothing leads to, and a story without a best end."""
    scenes = {scene.get("id"): scene for scene in content["detail"]["scenes"]}
    numbers = {name: number for number, name in enumerate(scenes)}
    state: dict[str, str] = {}
    ahead = [(content["detail"]["start"], False)]
    while ahead:
        name, is_left = ahead.pop()
        if is_left:
            state[name] = "left"
        elif state.get(name) == "entered":
            what = _("the story comes back to scene %(name)r") % {"name": name}
            yield Flaw(("scenes", numbers[name]), what, _("Let each choice lead onward."))
        elif name not in state and name in scenes:
            state[name] = "entered"
            ahead.append((name, True))
            ahead += [(choice.get("to"), False) for choice in scenes[name].get("choices") or ()]
    for name in scenes.keys() - state.keys():
        yield Flaw(
            ("scenes", numbers[name]),
            _("nothing leads to scene %(name)r") % {"name": name},
            _("Let a choice lead there."),
        )
    ends = [fraction(scene.get("weight")) for scene in scenes.values() if not scene.get("choices")]
    if EVERYTHING not in ends:
        yield Flaw(("scenes",), _("no end has the weight 1"), _("Give it to the best one."))
