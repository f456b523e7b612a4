"""The two names of a person here, in Latin letters and in Chinese, out of the four that a directory may tell."""

import re
from dataclasses import dataclass

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@dataclass(frozen=True)
class Told:
    """What a directory tells of a name; empty: it does not."""

    display: str = ""
    formatted: str = ""
    given: str = ""
    family: str = ""

    @property
    def composed(self) -> str:
        if _HAN.search(self.family + self.given):
            return f"{self.family}{self.given}"
        return f"{self.given} {self.family}".strip()


def names_of(told: Told, user_name: str, now: tuple[str, str] = ("", "")) -> tuple[str, str]:
    """Return (Latin, Chinese). ``now``: the names so far; what is not told in the one script stays as it is.

    Who has only a Chinese name bears it alone, as the first of the two, which is never empty.
    """
    parts = [_split(name) for name in (told.display, told.formatted, told.composed) if name]
    so_far = now[0] if not _HAN.search(now[0]) else ""
    latin = next((latin for latin, _chinese in parts if latin), "") or so_far
    chinese = next((chinese for _latin, chinese in parts if chinese), "") or now[1]
    if latin:
        return latin, chinese
    return chinese or now[0] or user_name, ""


def _split(name: str) -> tuple[str, str]:
    """Return what of a name is in Latin letters, and what is Chinese: both for “Ann Lee 李安”."""
    if not _HAN.search(name):
        return name, ""
    latin = _HAN.sub(" ", name)
    chinese = "".join(one for one in name if _HAN.match(one) or one == "·")
    return " ".join(re.findall(r"[^\W\d_][^\s()（）,，·]*", latin)), chinese.strip("·")
