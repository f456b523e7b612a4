"""Match: to each prompt belongs one of the options. An answer maps prompts to options, by id.

``detail["prompts"]`` holds {id, text, match, why}; ``match`` is the id of an option. An option may belong to several
prompts or to none; then its own ``why`` says so.
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
    flaws_in_count,
    flaws_in_ids,
    is_shuffled,
    one,
    only,
    shuffled,
)
from quizzes.rules import Flaw

FEWEST, MOST_PROMPTS, MOST_OPTIONS = 2, 8, 10


class Matching(Kind):
    name = look = "matching"
    credit_rules = ("parts", "all")

    def flaws(self, content: Content) -> Iterator[Flaw]:
        prompts, options = content["detail"].get("prompts", []), content["options"]
        yield from self.flaws_in_rule(content)
        yield from flaws_in_count(("prompts",), _("prompts"), len(prompts), FEWEST, MOST_PROMPTS)
        yield from flaws_in_count(("options",), _("options"), len(options), FEWEST, MOST_OPTIONS)
        known: set = set()
        yield from flaws_in_ids(("options",), options, known)
        ids = set(known)
        yield from flaws_in_ids(("prompts",), prompts, known)
        for number, prompt in enumerate(prompts):
            if prompt.get("match") not in ids:
                remedy = _("Write the id of one of the options.")
                yield Flaw(
                    ("prompts", number, "match"),
                    _("there is no option %(match)r") % {"match": prompt.get("match")},
                    remedy,
                )

    def order(self, content: Content, chance: random.Random) -> list[str]:
        """Options are shuffled always: beside the prompts in the same order they would be the answer."""
        prompts = [prompt["id"] for prompt in content["detail"]["prompts"]]
        prompts = shuffled(prompts, chance) if is_shuffled(content) else prompts
        return prompts + shuffled([option["id"] for option in content["options"]], chance)

    def read(self, content: Content, tokens: Mapping[str, str], sent: Sent, before: Answer) -> Answer:
        prompts = {prompt["id"] for prompt in content["detail"]["prompts"]}
        fields = {token: name for token, name in tokens.items() if name in prompts}
        options = {token: name for token, name in tokens.items() if name not in prompts}
        only(sent, fields)
        answer = {}
        for token, name in fields.items():
            chosen = one(sent, token)
            if chosen and chosen not in options:
                raise Forged("an option that the page did not offer")
            if chosen:
                answer[name] = options[chosen]
        return answer or None

    def is_complete(self, content: Content, answer: Answer) -> bool:
        return len(answer or ()) == len(content["detail"]["prompts"])

    def credit(self, content: Content, answer: Answer) -> Fraction:
        prompts, pairs = content["detail"]["prompts"], answer or {}
        right = sum(pairs.get(prompt["id"]) == prompt["match"] for prompt in prompts)
        if self.rule(content) == "all":
            return EVERYTHING if right == len(prompts) else NOTHING
        return Fraction(right, len(prompts))

    def shown(self, content: Content, names: Mapping[str, str], answer: Answer, tell: Tell) -> dict:
        prompts, options = _in_order(content, list(names))
        pairs = answer or {}
        return {
            "prompts": [
                {
                    "token": names[prompt["id"]],
                    "text": tell(prompt["text"]),
                    "options": [
                        {
                            "token": names[option["id"]],
                            "text": tell(option["text"]),
                            "chosen": pairs.get(prompt["id"]) == option["id"],
                        }
                        for option in options
                    ],
                }
                for prompt in prompts
            ]
        }

    def explained(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> dict:
        prompts, options = _in_order(content, order)
        text, pairs = {option["id"]: tell(option["text"]) for option in options}, answer or {}
        used = {prompt["match"] for prompt in prompts}
        return {
            "prompts": [
                {
                    "text": tell(prompt["text"]),
                    "chosen": text.get(pairs.get(prompt["id"]), ""),
                    "right": pairs.get(prompt["id"]) == prompt["match"],
                    "key": text[prompt["match"]],
                    "why": tell(prompt["why"]),
                }
                for prompt in prompts
            ],
            "left_over": [
                {"text": text[option["id"]], "why": tell(option["why"]) if option.get("why") else ""}
                for option in options
                if option["id"] not in used
            ],
        }

    def parts(self, content: Content, answer: Answer) -> list[str]:
        return [f"{prompt}>{option}" for prompt, option in (answer or {}).items()]

    def parts_told(self, content: Content, tell: Tell) -> list[dict]:
        return [
            {
                "key": f"{prompt['id']}>{option['id']}",
                "text": f"{tell(prompt['text'])} → {tell(option['text'])}",
                "right": prompt["match"] == option["id"],
            }
            for prompt in content["detail"]["prompts"]
            for option in content["options"]
        ]

    def told(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> list[dict]:
        prompts, options = _in_order(content, order)
        text, pairs = {option["id"]: tell(option["text"]) for option in options}, answer or {}
        lines = [
            {
                "shown": tell(prompt["text"]),
                "answered": text.get(pairs.get(prompt["id"]), ""),
                "right": text[prompt["match"]],
            }
            for prompt in prompts
        ]
        return [*lines, *({"shown": f"– {text[option['id']]}", "answered": "", "right": ""} for option in options)]


def _in_order(content: Content, order: Sequence[str]) -> tuple[list[Mapping], list[Mapping]]:
    """Return the prompts and the options as they were shown."""
    prompts, options = by_id(content["detail"]["prompts"]), by_id(content["options"])
    return [prompts[name] for name in order if name in prompts], [options[name] for name in order if name in options]
