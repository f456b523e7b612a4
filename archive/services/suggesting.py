"""Whom a handle that means nobody may mean: people whom it resembles, and people who are sought by name."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from archive import rules
from archive.services import bulk  # noqa: F401 - brings the lookup among
from portal.people.models import Employee

LETTERS = (3, 24)  # of a handle by which people are found; a longer one is no name
WORDS = 4  # of a name, at most
DOMAINS, DOMAINS_KEPT = 20, 3600  # seconds


def candidates(viewer: Employee, text: str) -> QuerySet[Employee]:
    """Return people on HR's list, leavers too, whose name, number, address or userid has the text in it."""
    wanted = text.strip()[:80]
    people = Employee.objects.visible_to(viewer).filter(employee_no__isnull=False)
    if not wanted:
        return people.none()
    found = Q(name_en__icontains=wanted) | Q(name_zh__icontains=wanted) | Q(employee_no__iexact=wanted)
    return people.filter(found | Q(email__istartswith=wanted) | Q(wecom_userid__icontains=wanted)).for_list()


def likely(viewer: Employee, handle: str) -> QuerySet[Employee]:
    """Return people whose name or address is the handle but for dots, dashes, spaces and which name comes first.

    Every way to write the handle as a name or an address is looked up in an index: that costs the same for any firm.
    """
    plain = _letters(handle)
    people = Employee.objects.visible_to(viewer).filter(employee_no__isnull=False)
    if not LETTERS[0] <= len(plain) <= LETTERS[1]:
        return people.none()
    addresses = [f"{one}@{domain}" for one in as_addresses(plain) for domain in domains_of_staff()]
    lower = Employee.objects.annotate(lower_name=Lower("name_en"), lower_email=Lower("email"))
    by_name = lower.filter(lower_name__among=sorted(as_names(plain))).values("pk")
    by_address = lower.filter(lower_email__among=addresses).values("pk")
    found = {pk for rows in (by_name, by_address) for (pk,) in rows.values_list("pk")[:MOST]}
    return people.filter(pk__in=found).for_list()


def why_likely(one: Employee, handle: str) -> str:
    """Return in words what a handle that may be the person's has in common with them."""
    plain = _letters(handle)
    if _letters(one.email) == plain:
        return _("Spelled like the address %(address)s") % {"address": one.email}
    return _("Spelled like the name %(name)s") % {"name": one.name_en}


def _letters(handle: str) -> str:
    name, _at, _domain = rules.fold(handle).partition("@")
    return "".join(letter for letter in name if letter.isalpha())


MOST = 200  # people of one name whom anybody would look through


def as_names(plain: str) -> set[str]:
    """Return the names that the letters may be: cut into up to WORDS words, the last of them perhaps written first."""
    found = {" ".join(words) for words in _cut(plain, WORDS)}
    for at in range(1, len(plain)):
        found |= {f"{plain[at:]} {' '.join(words)}" for words in _cut(plain[:at], WORDS - 1)}
    return found


def as_addresses(plain: str) -> list[str]:
    """Return the local parts that the letters may be: with up to two dots or dashes between."""
    pieces = list(_cut(plain, 3))
    return [sign.join(words) for words in pieces for sign in ((".", "-") if len(words) > 1 else (".",))]


def _cut(letters: str, most: int) -> Iterator[list[str]]:
    """Yield the letters cut into one word, two words, and so on up to ``most``."""
    for cuts in range(min(most, len(letters))):
        for places in combinations(range(1, len(letters)), cuts):
            edges = [0, *places, len(letters)]
            yield [letters[a:b] for a, b in pairwise(edges)]


def domains_of_staff() -> list[str]:
    """Return the mail domains of HR's list, at most DOMAINS of them, the most common first. Read once an hour."""
    return cache.get_or_set("archive.domains-of-staff", _read_domains, DOMAINS_KEPT)


def _read_domains() -> list[str]:
    staff = Employee.objects.filter(employee_no__isnull=False).values_list("email", flat=True)
    counted = Counter(email.rpartition("@")[2].lower() for email in staff.iterator(chunk_size=5000))
    return [domain for domain, _people in counted.most_common(DOMAINS)]
