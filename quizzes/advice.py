"""What item analysis advises, in the reader's words. The rules are in statistics.py."""

from collections.abc import Mapping

from django.utils.translation import gettext as _


def told(one: Mapping, texts: Mapping[str, str]) -> str:
    """Return an advice in words. ``texts``: what could be chosen, by key."""
    about = str(one["about"][0]) if one["about"] else ""
    return _words(one["code"]) % {"option": texts.get(about, about)}


def _words(code: str) -> str:
    return {
        "few": _("Too few answers yet to say anything."),
        "well": _("Nothing stands out."),
        "key": _(
            "Those who do well elsewhere have it wrong more often than others. The key may be wrong, or the wording "
            "misleads those who know: look at it first."
        ),
        "tells-nothing": _("It hardly tells those who know from those who do not. Is it clear what is asked?"),
        "hard": _("Most have it wrong. Check the key and the wording; if both are right, the lesson may be at fault."),
        "easy": _("Nearly everybody has it right: it tells little. Make the wrong options more tempting."),
        "beats": _("“%(option)s” is chosen more often than a right answer. Check the key."),
        "preferred": _(
            "Those who choose “%(option)s” do better elsewhere than those who choose a right answer. "
            "Is it right as well?"
        ),
        "draws-nobody": _("Hardly anybody chooses “%(option)s”. Replace it by a mistake that people make."),
        "fast": _("Half of the people answer within seconds. Can it be guessed, or is it passed around?"),
        "slow": _("Half of the people take minutes. Could it be shorter?"),
    }[code]
