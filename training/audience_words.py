"""An audience in words, for the list of rules."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from portal.people.models import Department, Office, Tag
from training.audiences import Kind, Tree
from training.models import Rule
from training.reasons import say_fact

Names = Mapping[tuple[str, str], dict[str, str]]


def of_rules(rules: Iterable[Rule]) -> dict[int, str]:
    """Return {rule: whom it is for, in the language of the page}. Three queries."""
    named = [(Kind.DEPARTMENT, *row) for row in Department.objects.values_list("pk", "name", "name_zh")]
    named += [(Kind.OFFICE, *row) for row in Office.objects.values_list("code", "name", "name_zh")]
    named += [(Kind.TAG, *row) for row in Tag.objects.values_list("slug", "name", "name_zh")]
    names = {(str(kind), str(value)): {"en": en, "zh-hans": zh or en} for kind, value, en, zh in named}
    return {rule.pk: in_words(rule.audience, names) for rule in rules}


def in_words(tree: Tree, names: Names) -> str:
    if "fact" in tree:
        return _say(tree, names)
    if "not" in tree:
        if "fact" in tree["not"]:
            return _say(tree["not"], names, is_not=True)
        return _("not (%(inner)s)") % {"inner": in_words(tree["not"], names)}
    [(how, parts)] = tree.items()
    if not parts:
        return _("everybody") if how == "all" else _("nobody")
    said = [in_words(part, names) for part in parts]
    if len(said) == 1:
        return said[0]
    nested = [f"({one})" if "fact" not in part and len(part) and _is_many(part) else one
              for one, part in zip(said, parts, strict=True)]  # fmt: skip
    return (_(" and ") if how == "all" else _(" or ")).join(nested)


def _is_many(part: Tree) -> bool:
    return any(len(part.get(how, ())) > 1 for how in ("all", "any"))


def _say(leaf: Tree, names: Names, *, is_not: bool = False) -> str:
    told = [names.get((leaf["fact"], str(value)), {"en": str(value)}) for value in leaf["is"]]
    return say_fact(leaf["fact"], leaf["is"], told, is_not=is_not)
