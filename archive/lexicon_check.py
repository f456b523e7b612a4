"""What every lexicon is measured by: sentences that were published as signs, and false friends that are none."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from django.utils.translation import gettext_lazy as _

from archive import lexicon
from archive.lexicon import Hit, Lexicon

PATH = Path(__file__).with_name("lexicon_examples.yaml")
OPENS = 3  # the weight from which a hit in one's own words opens a finding (policy.yaml, own_words_weight)


@dataclass(frozen=True)
class Example:
    text: str
    is_sign: bool  # False: a false friend
    source: str

    @property
    def source_display(self) -> str:
        return str(SOURCES.get(self.source, self.source))


SOURCES = {  # where the examples come from, as the file tells it
    "Smarsh, phrases that its customers flag": _("Smarsh, phrases that its customers flag"),
    "A Chinese open-source reply filter": _("A Chinese open-source reply filter"),
    "Composed for this portal": _("Composed for this portal"),
    "False friends": _("False friends"),
}


@dataclass(frozen=True)
class Outcome:
    example: Example
    hits: tuple[Hit, ...]  # heaviest first

    @property
    def weight(self) -> int:
        return max((hit.weight for hit in lexicon.signals(self.hits)), default=0)

    @property
    def is_as_expected(self) -> bool:
        """A sign is noticed, be it only as a thing that is named; a false friend opens nothing, even with a contact."""
        return bool(self.hits) if self.example.is_sign else self.weight < OPENS


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    data = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return tuple(
        Example(text, group["is_sign"], group["source"]) for group in data["examples"] for text in group["texts"]
    )


def check(words: Lexicon) -> list[Outcome]:
    """Return what the lexicon makes of every example: signs as among colleagues, false friends as with a client."""
    return [Outcome(one, tuple(words.judge(one.text, with_contact=not one.is_sign))) for one in examples()]
