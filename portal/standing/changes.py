"""What each change of a standing changed: which reasons came and which went, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from django.utils.translation import gettext as _

from portal.standing import words
from portal.standing.models import StandingChange


@dataclass(frozen=True)
class Told:
    """One change, with the sentences that came with it and those that it took away."""

    change: StandingChange
    came: list[str]
    went: list[str]


def told(newest_first: Sequence[StandingChange], most: int) -> list[Told]:
    """Return at most so many of the changes, each beside the one before it. No query."""
    pairs = zip_longest(newest_first, newest_first[1:])
    return [_beside(now, before) for now, before in islice(pairs, min(most, len(newest_first)))]


def _beside(now: StandingChange, before: StandingChange | None) -> Told:
    was = before.reasons if before else []
    came = [words.say(reason) for reason in now.reasons if reason not in was]
    went = [words.say(reason) for reason in was if reason not in now.reasons]
    if before is None:
        return Told(now, came, went)
    if now.manager_id != before.manager_id:
        came.append(_("Another manager."))
    if now.department_id != before.department_id or now.office_id != before.office_id:
        came.append(_("Another department or office."))
    if now.policy_version != before.policy_version:
        came.append(_("The firm’s policy, version %(version)s.") % {"version": now.policy_version})
    return Told(now, came, went)
