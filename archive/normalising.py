"""How a text is made comparable before the lexicon looks at it.

For every language: characters that nobody sees are dropped, then Unicode's compatibility form and case folding, then
every run of spaces is one. For the Chinese patterns besides: spaces and punctuation next to a Chinese character go.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

# Control characters that are no spaces, and all that Unicode calls ignorable by default: soft hyphen, joiners, fillers,
# marks of direction, variation selectors, tags.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f\x80-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HAS_HAN = re.compile(f"[{_HAN}]")


def normalise(text: str) -> str:
    """Return the text in compatibility form, folded, without unseen characters, with single spaces.

    What comes back is unchanged when it goes through again.
    """
    if text.isascii():
        plain = text.lower()
        return " ".join((plain if plain.isprintable() else _UNSEEN.sub("", plain)).split())
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold().replace("’", "'")
    # Folding and composing may each undo the other, and what was composed may be unseen.
    for _round in range(3):
        again = unicodedata.normalize("NFKC", _UNSEEN.sub("", plain)).casefold()
        if again == plain:
            break
        plain = again
    # Folding may leave a letter and its mark apart, as in ẖ: composed last, and folded and composed again the same.
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def has_han(text: str) -> bool:
    return _HAS_HAN.search(text) is not None


@lru_cache(maxsize=64)
def joiner(kept: str) -> Callable[[str], str]:
    """Return the function that takes out of a normalised text the spaces, punctuation and signs next to a Chinese
    character; ``kept`` are signs that mean something, as the heart in a disguise.
    """
    gaps = re.compile(rf"((?:[^\w{re.escape(kept)}]|_)+)")

    def joined(text: str) -> str:
        parts = gaps.split(text)
        if len(parts) == 1:
            return text
        found = [parts[0]]
        for before, gap, after in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
            if not (_matters(before[-1:], kept) or _matters(after[:1], kept)):
                found.append(gap)
            found.append(after)
        return "".join(found)

    return joined


def _matters(character: str, kept: str) -> bool:
    """Return whether a gap beside this character (or beside none, "") goes."""
    return "\u4e00" <= character <= "\u9fff" or (character > "\x7f" and (character in kept or has_han(character)))
