"""Reads what decisions about duties rest on: the rules, and the people with how they stand, a stripe at a time."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Max
from django.utils import timezone

from portal.people.models import Department, Employee, EmployeeTag, Leave, Office, Tag
from training import audiences
from training.audiences import MANAGER, Kind, Membership, Person, Tree
from training.deciding import Deed, Held, Material, Open, decide
from training.duties import Terms
from training.models import Assignment, Completion, Exemption, MaterialChange, Rule

STRIPE = 5_000  # people read at once
FEW = 500  # up to so many ids stand in a query one by one; of more, only the first and the last


@dataclass
class Book:
    """All rules as of a day, by course, with what they need to be asked. ``trees``: whom each rule is for."""

    today: date
    rules: dict[int, list[Terms]] = field(default_factory=dict)
    trees: dict[int, Tree] = field(default_factory=dict)
    materials: dict[int, Material] = field(default_factory=dict)
    below: dict[int, frozenset[int]] = field(default_factory=dict)
    names: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)  # (kind, value) -> texts
    _known: dict[tuple, dict[int, list[Terms]]] = field(default_factory=dict)
    _joining: list[Membership] | None = None

    def add(self, course: int, terms: Terms, tree: Tree) -> None:
        """Take a rule in; one of the same number is replaced."""
        self.remove(terms.rule)
        self.trees[terms.rule] = tree
        self.rules.setdefault(course, []).append(terms)

    def remove(self, rule: int) -> None:
        for course, mine in list(self.rules.items()):
            self.rules[course] = [one for one in mine if one.rule != rule]
        self.trees.pop(rule, None)
        self._known, self._joining = {}, None

    def calls(self, person: Person) -> dict[int, list[Terms]]:
        """Return {course: the rules that have begun and whose audience the person is in}, without courses of none.

        People of whom all rules ask the same get the same answer, so it is found once: a firm has far fewer kinds of
        people than people. When somebody joined is asked about by its few days, not kept as the day.
        """
        if self._joining is None:
            self._joining = self._questions_of_joining()
        joined = tuple(asks(person) for asks in self._joining)
        kind = (person.department, person.office, person.jurisdiction, person.roles, person.tags, joined)
        found = self._known.get(kind)
        if found is None:
            found = {course: mine for course in self.rules if (mine := self._called(course, person))}
            self._known[kind] = found
        return found

    def _called(self, course: int, person: Person) -> list[Terms]:
        return [one for one in self.rules[course] if one.starts_on <= self.today and one.asks(person)]

    def _questions_of_joining(self) -> list[Membership]:
        told = {
            (kind, str(value))
            for tree in self.trees.values()
            for kind, values in audiences.facts_in(tree)
            if kind in (Kind.HIRED_BEFORE, Kind.HIRED_AFTER, Kind.HIRED_WITHIN)
            for value in values
        }
        facts = [{"fact": kind, "is": [value]} for kind, value in sorted(told)]
        return [audiences.membership(fact, today=self.today, below=self.below) for fact in facts]

    def asks_about(self, kind: str) -> bool:
        return any(kind == one for tree in self.trees.values() for one, _values in audiences.facts_in(tree))

    def asks_about_managers(self) -> bool:
        asked = (fact for tree in self.trees.values() for fact in audiences.facts_in(tree))
        return any(kind == Kind.ROLE and MANAGER in values for kind, values in asked)


def open_book(today: date) -> Book:
    """Return the rules that are active. Five queries."""
    book = Book(today)
    departments = list(Department.objects.values_list("pk", "parent", "name", "name_zh"))
    book.below = audiences.below_each({pk: parent for pk, parent, _en, _zh in departments})
    named = [(Kind.DEPARTMENT, pk, en, zh) for pk, _parent, en, zh in departments]
    named += [(Kind.OFFICE, *row) for row in Office.objects.values_list("code", "name", "name_zh")]
    named += [(Kind.TAG, *row) for row in Tag.objects.values_list("slug", "name", "name_zh")]
    book.names = {(str(kind), str(value)): {"en": en, "zh-hans": zh or en} for kind, value, en, zh in named}
    for change in MaterialChange.objects.select_related("edition").order_by("edition__number"):
        book.materials[change.edition.course_id] = Material(change.edition.number, change.since)
    for rule in Rule.objects.filter(is_active=True).order_by("pk"):
        book.add(rule.course_id, terms_of(rule, book), rule.audience)
    return book


def terms_of(rule: Rule, book: Book) -> Terms:
    """Return what a rule says, ready to be asked. ``rule`` may be unsaved: then its number is 0."""
    asks = audiences.membership(rule.audience, today=book.today, below=book.below)
    return replace(renewal_of(rule), asks=asks)


def renewal_of(rule: Rule) -> Terms:
    """Return what a rule says of dates. Whom it is for is left open."""
    season = rule.season and (tuple(rule.season[0]), tuple(rule.season[1]))
    return Terms(
        rule=rule.pk or 0,
        name=rule.name,
        version=rule.version,
        starts_on=rule.starts_on,
        due_kind=rule.due_kind,
        due_days=rule.due_days,
        due_date=rule.due_date,
        renewal_kind=rule.renewal_kind,
        renewal_months=rule.renewal_months,
        window_days=rule.window_days,
        season=season,
        grace_days=rule.grace_days,
        applied_on=rule.applied_on,
    )


# --- people ------------------------------------------------------------------------------------------------------


def stripe(after: int, most: int = STRIPE) -> list[int]:
    """Return the ids of the next people on HR's list, in order: those who left too, for what they still owed."""
    people = Employee.objects.filter(pk__gt=after, employee_no__isnull=False).order_by("pk")
    return list(people.values_list("pk", flat=True)[:most])


def _within(ids: Sequence[int], path: str) -> dict:
    """Return the condition for rows that reach one of these people by the path. Of many, by first and last."""
    if len(ids) <= FEW:
        return {f"{path}__in": ids}
    return {f"{path}__gte": ids[0], f"{path}__lte": ids[-1]}


def people(ids: Sequence[int], book: Book) -> list[Person]:
    """Return the facts about these people, in order of number. Up to five queries; ``ids`` in order, without gaps."""
    wanted = set(ids)
    roles, tags, leaves = _roles(ids, book), _tags(ids, book), _leaves(ids)
    rows = Employee.objects.filter(**_within(ids, "pk"), employee_no__isnull=False).order_by("pk")
    zone = timezone.get_default_timezone()
    columns = (
        "pk", "uid", "department_id", "office__code", "office__jurisdiction", "joined_on", "left_on", "created_at",
        "is_active",
    )  # fmt: skip
    return [
        Person(
            pk=pk,
            uid=uid,
            department=department,
            office=office or "",
            jurisdiction=jurisdiction or "",
            joined_on=joined_on,
            left_on=left_on,
            created_on=created_at.astimezone(zone).date(),
            is_on_staff=is_active and not (left_on and left_on < book.today),
            roles=frozenset(roles.get(pk, ())),
            tags=frozenset(tags.get(pk, ())),
            leaves=tuple(leaves.get(pk, ())),
        )
        for pk, uid, department, office, jurisdiction, joined_on, left_on, created_at, is_active in rows.values_list(
            *columns
        )
        if pk in wanted
    ]


def _gathered(pairs) -> dict[int, list]:
    found: defaultdict[int, list] = defaultdict(list)
    for pk, value in pairs:
        found[pk].append(value)
    return found


def _roles(ids: Sequence[int], book: Book) -> dict[int, list[str]]:
    if not book.asks_about(Kind.ROLE):
        return {}
    held = Employee.groups.through.objects.filter(**_within(ids, "employee"))
    found = _gathered(held.values_list("employee", "group__name"))
    if book.asks_about_managers():
        lead = Employee.objects.filter(**_within(ids, "manager")).order_by().values_list("manager", flat=True)
        for pk in lead.distinct():
            found[pk].append(MANAGER)
    return found


def _tags(ids: Sequence[int], book: Book) -> dict[int, list[str]]:
    if not book.asks_about(Kind.TAG):
        return {}
    return _gathered(EmployeeTag.objects.filter(**_within(ids, "employee")).values_list("employee", "tag__slug"))


def _leaves(ids: Sequence[int]) -> dict[int, list]:
    rows = Leave.objects.filter(**_within(ids, "employee")).order_by("first_on")
    return _gathered((pk, (first, last)) for pk, first, last in rows.values_list("employee", "first_on", "last_on"))


# --- how they stand ----------------------------------------------------------------------------------------------


def held(ids: Sequence[int], book: Book, courses: Collection[int] | None = None) -> dict[int, dict[int, Held]]:
    """Return {person: {course: how they stand}}. Who never had anything to do with a course is not in it.

    Three queries. ``courses``: None: all.
    """
    of_course = {} if courses is None else {"course__in": courses}
    about = _within(ids, "employee")
    found: dict[int, dict[int, dict]] = defaultdict(lambda: defaultdict(dict))
    columns = ("employee", "course", "pk", "cycle", "assigned_on", "due_on", "rule", "edition__number", "because")
    for person, course, *rest in Assignment.objects.open().filter(**about, **of_course).values_list(*columns):
        found[person][course]["open"] = Open(*rest)
    done = Completion.objects.filter(**about, **({} if courses is None else {"edition__course__in": courses}))
    grouped = done.order_by().values_list("employee", "edition__course")
    for person, course, lapses, edition in grouped.annotate(Max("expires_on"), Max("edition__number")):
        found[person][course] |= {"lapses_on": lapses, "edition": edition}
    freed = Exemption.objects.filter(**about, **of_course, ends_on__gte=book.today).order_by("starts_on")
    for person, course, first, last in freed.values_list("employee", "course", "starts_on", "ends_on"):
        mine = found[person][course]
        mine["exempt"] = (*mine.get("exempt", ()), (first, last))
    return {
        person: {course: Held(**facts) for course, facts in of_person.items()} for person, of_person in found.items()
    }


NOTHING_YET = Held()


def deeds(
    ids: Sequence[int], book: Book, courses: Collection[int] | None = None
) -> Iterator[tuple[Person, int, Held, Deed]]:
    """Yield (person, course, how they stand, what is to be done) wherever something is to be done."""
    standing = held(ids, book, courses)
    for person in people(ids, book):
        mine = standing.get(person.pk, {})
        calls = book.calls(person) if person.is_on_staff else {}
        for course in mine.keys() | (calls.keys() if courses is None else calls.keys() & set(courses)):
            now, called = mine.get(course, NOTHING_YET), calls.get(course, [])
            if not called and now.open is None:
                continue
            deed = decide(person, now, called, book.materials.get(course), book.today)
            if deed.is_anything:
                yield person, course, now, deed
