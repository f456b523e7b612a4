"""Whom a rule is for: a tree of all, any and not over plain facts of a person.

A tree is data, so that HR's form can write it and a rule's version can keep it:

    {"all": [tree, …]}    every one of them; of nothing: everybody
    {"any": [tree, …]}    at least one of them; of nothing: nobody
    {"not": tree}
    {"fact": kind, "is": [values]}     one of the eight kinds below; of several values one is enough
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

Tree = dict
Days = tuple[date, date]  # first and last, both included
DEEPEST = 5  # levels of all, any, not
EVERYBODY: Tree = {"all": []}
MANAGER = "manager"  # a role that nobody is given: to have reports


class Kind(models.TextChoices):
    DEPARTMENT = "department", _("Department, with all below it")
    OFFICE = "office", _("Office")
    ROLE = "role", _("Role")
    JURISDICTION = "jurisdiction", _("Jurisdiction of the office")
    TAG = "tag", _("Tag")
    HIRED_BEFORE = "hired_before", _("Joined before")
    HIRED_AFTER = "hired_after", _("Joined after")
    HIRED_WITHIN = "hired_within", _("Joined within the last so many days")


DATED = frozenset({Kind.HIRED_BEFORE, Kind.HIRED_AFTER})


@dataclass(frozen=True, slots=True)
class Person:
    """The facts about one person on which duties rest. Values, not rows: millions of comparisons are made."""

    pk: int
    uid: str = ""
    department: int | None = None
    office: str = ""
    jurisdiction: str = ""
    joined_on: date | None = None
    left_on: date | None = None
    created_on: date = date.min
    is_on_staff: bool = True
    roles: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    leaves: tuple[Days, ...] = field(default=())


Membership = Callable[[Person], bool]


class BadAudience(ValueError):
    """The tree is not one; the message says where."""


def check(tree: object, depth: int = 0) -> None:
    """Raise BadAudience unless this is a tree as the module describes it."""
    if not isinstance(tree, dict) or depth > DEEPEST:
        raise BadAudience(f"no condition: {tree!r}")
    if "fact" in tree:
        if set(tree) != {"fact", "is"} or tree["fact"] not in Kind.values or not isinstance(tree["is"], list):
            raise BadAudience(f"no fact: {tree!r}")
        _check_values(tree["fact"], tree["is"])
    elif len(tree) != 1 or next(iter(tree)) not in ("all", "any", "not"):
        raise BadAudience(f"neither all, any nor not: {tree!r}")
    elif "not" in tree:
        check(tree["not"], depth + 1)
    else:
        for part in next(iter(tree.values())):
            check(part, depth + 1)


def _check_values(kind: str, values: list) -> None:
    if not values:
        raise BadAudience(f"no value for {kind}")
    for value in values:
        try:
            if kind in DATED:
                date.fromisoformat(value)
            elif kind in (Kind.HIRED_WITHIN, Kind.DEPARTMENT) and int(value) < 0:
                raise ValueError
        except (TypeError, ValueError) as error:
            raise BadAudience(f"{value!r} is no {kind}") from error


def facts_in(tree: Tree) -> Iterator[tuple[str, list]]:
    """Yield (kind, values) of every fact that the tree asks about, those under a not too."""
    if "fact" in tree:
        yield tree["fact"], tree["is"]
    elif "not" in tree:
        yield from facts_in(tree["not"])
    else:
        for part in next(iter(tree.values())):
            yield from facts_in(part)


def membership(tree: Tree, *, today: date, below: Mapping[int, frozenset[int]]) -> Membership:
    """Return the question whether a person is in the audience, as a function.

    ``below``: for each department itself and all departments under it. One that is gone holds nobody.
    """
    if "fact" in tree:
        return _fact_asked(tree["fact"], tree["is"], today, below)
    if "not" in tree:
        inner = membership(tree["not"], today=today, below=below)
        return lambda person: not inner(person)
    parts = [membership(part, today=today, below=below) for part in next(iter(tree.values()))]
    if len(parts) == 1:
        return parts[0]
    if "all" in tree:
        return lambda person: all(part(person) for part in parts)
    return lambda person: any(part(person) for part in parts)


def _fact_asked(kind: str, values: list, today: date, below: Mapping[int, frozenset[int]]) -> Membership:
    if kind == Kind.DEPARTMENT:
        wanted = frozenset().union(*(below.get(int(value), frozenset()) for value in values))
        return lambda person: person.department in wanted
    wanted = frozenset(values)
    if kind == Kind.OFFICE:
        return lambda person: person.office in wanted
    if kind == Kind.JURISDICTION:
        return lambda person: person.jurisdiction in wanted
    if kind == Kind.ROLE:
        return lambda person: not wanted.isdisjoint(person.roles)
    if kind == Kind.TAG:
        return lambda person: not wanted.isdisjoint(person.tags)
    return _hired_asked(kind, values, today)


def _hired_asked(kind: str, values: list, today: date) -> Membership:
    """Who joined before the portal's first day (no date) joined before every day and within no days."""
    if kind == Kind.HIRED_WITHIN:
        since = today - timedelta(days=max(int(value) for value in values))
        return lambda person: person.joined_on is not None and person.joined_on >= since
    days = [date.fromisoformat(value) for value in values]
    if kind == Kind.HIRED_BEFORE:
        latest = max(days)
        return lambda person: person.joined_on is None or person.joined_on < latest
    earliest = min(days)
    return lambda person: person.joined_on is not None and person.joined_on > earliest


def matched(tree: Tree, person: Person, *, today: date, below: Mapping[int, frozenset[int]]) -> list[Tree]:
    """Return what of the tree the person meets, as flat facts that can be told: [{"fact", "is", "not"?}].

    For a person who is in the audience. A fact with several values is told with those that hold.
    """
    if "fact" in tree:
        held = [one for one in tree["is"] if _fact_asked(tree["fact"], [one], today, below)(person)]
        return [{"fact": tree["fact"], "is": held}] if held else []
    if "not" in tree:
        if membership(tree["not"], today=today, below=below)(person):
            return []
        return [{"fact": kind, "is": values, "not": True} for kind, values in facts_in(tree["not"])]
    parts = next(iter(tree.values()))
    return [told for part in parts for told in matched(part, person, today=today, below=below)]


def below_each(parents: Mapping[int, int | None]) -> dict[int, frozenset[int]]:
    """Return {department: itself and everything under it} from {department: its parent}."""
    found: dict[int, set[int]] = {pk: {pk} for pk in parents}
    for pk in parents:
        above, seen = parents[pk], {pk}
        while above is not None and above not in seen:
            found.setdefault(above, {above}).add(pk)
            seen.add(above)
            above = parents.get(above)
    return {pk: frozenset(under) for pk, under in found.items()}
