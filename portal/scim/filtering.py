"""Filters and orders of a search as conditions of the database. One table says what each attribute is there."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim
from django.utils import timezone
from scim2_models import InvalidFilterException, InvalidPathException
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from portal.ledger.models import Entry
from portal.people.models import EmployeeTag
from portal.scim import showing
from portal.scim.models import Account, Group
from portal.scim.schemas import ENTERPRISE

LOOKUPS = {"eq": "iexact", "co": "icontains", "sw": "istartswith", "ew": "iendswith"}
ORDERS = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte", "eq": "exact"}


@dataclass(frozen=True)
class Column:
    """An attribute of one value. ``kind``: "text", "exact" (with regard to case), "truth" or "moment"."""

    value: Combinable
    kind: str = "text"
    equals: Callable[[str], Q] | None = None  # where an index helps


@dataclass(frozen=True)
class Members:
    """An attribute of many values. ``bearing``: the condition for the rows that have one which fits."""

    bearing: Callable[[Q | None], Q]
    column: str
    kind: str = "exact"


Attribute = Column | Members


def person_attributes(today: date) -> Mapping[str, Attribute]:
    """Return {attribute, in lower case: what it is} of a User."""
    is_told = Q(account__name_en=F("name_en"), account__name_zh=F("name_zh"))

    def told(column: str, otherwise: Combinable) -> Case:
        return Case(When(is_told, then=F(f"account__{column}")), default=otherwise, output_field=CharField())

    def named(name: str) -> Q:
        accounts = Account.objects.alias(low=Lower("user_name")).filter(low=name.lower(), ended_at=None)
        return Q(pk__in=accounts.values("employee")) | Q(account=None, email=name.lower())

    here = Q(is_active=True) & (Q(left_on=None) | Q(left_on__gte=today))
    whole = Trim(Concat("name_en", Value(" "), "name_zh"))
    in_groups = Group.objects.filter(ended_at=None)

    def grouped(condition: Q | None) -> Q:
        return Q(pk__in=in_groups.filter(condition or Q()).values("tag__people_links__employee"))

    email = Column(F("email"), equals=lambda address: Q(email=address.lower()))
    return {
        "id": Column(F("uid"), "exact"),
        "externalid": Column(Coalesce("account__external_id", Value("")), "exact", lambda v: Q(account__external_id=v)),
        "username": Column(Coalesce("account__user_name", "email", output_field=CharField()), equals=named),
        "displayname": Column(told("display_name", whole)),
        "name.formatted": Column(told("formatted", Value(""))),
        "name.givenname": Column(told("given_name", Value(""))),
        "name.familyname": Column(told("family_name", Value(""))),
        "title": Column(F("title")),
        "active": Column(Case(When(here, then=Value(True)), default=Value(False)), "truth"),
        "emails.value": email,
        "emails.type": Column(Coalesce("account__email_type", Value("work"))),
        "emails.primary": Column(
            Case(When(account=None, then=Value(True)), default=F("account__email_primary")), "truth"
        ),
        "groups.value": Members(grouped, "uid"),
        "groups.display": Members(grouped, "display_name", "text"),
        "enterprise:employeenumber": Column(F("employee_no")),
        "enterprise:department": Column(F("department__name")),
        "enterprise:manager.value": Column(F("manager__uid"), "exact"),
        **_meta("created_at", Coalesce(_last_change(), F("created_at"))),
    }


def group_attributes() -> Mapping[str, Attribute]:
    """Return {attribute, in lower case: what it is} of a Group."""

    def with_member(condition: Q | None) -> Q:
        links = EmployeeTag.objects.filter(employee__in=showing.people().filter(condition or Q()))
        return Q(tag__in=links.values("tag"))

    return {
        "id": Column(F("uid"), "exact"),
        "externalid": Column(F("external_id"), "exact"),
        "displayname": Column(F("display_name")),
        "members.value": Members(with_member, "uid"),
        **_meta("made_at", F("changed_at")),
    }


def _meta(created: str, changed: Combinable) -> Mapping[str, Attribute]:
    return {"meta.created": Column(F(created), "moment"), "meta.lastmodified": Column(changed, "moment")}


def _last_change() -> Subquery:
    entries = Entry.objects.filter(subject=OuterRef("uid"), verb__in=showing.VERBS).order_by("-seq")
    return Subquery(entries.values("at")[:1])


def filtered(
    rows: QuerySet, node: FilterNode, attributes: Mapping[str, Attribute], others: Collection[str] = ()
) -> QuerySet:
    """Return the rows that fit. Raises InvalidFilterException for what the database cannot be asked.

    ``others``: attributes of what is searched together with these; they have no value here.
    """
    visitor = _Conditions(attributes, others)
    condition = visitor.visit(node)
    return rows.alias(**visitor.used).filter(condition)


def ordered(rows: QuerySet, path: Any, descending: bool, attributes: Mapping[str, Attribute]) -> QuerySet:
    """Return the rows in that order; rows without a value last, or first if descending. ``path`` None: by age."""
    if path is None:
        return rows.order_by("pk")
    key = _key_of(str(path))
    found = attributes.get(key) or attributes.get(f"{key}.value")
    if not isinstance(found, Column):
        raise InvalidPathException(path=str(path), detail=f"Users and groups are not sorted by {path}.")
    value = found.value
    if found.kind == "text":
        value = Lower(NullIf(value, Value("")))
    rows = rows.alias(_sorted=value)
    order = F("_sorted").desc(nulls_first=True) if descending else F("_sorted").asc(nulls_last=True)
    return rows.order_by(order, "pk")


def _key_of(path: str) -> str:
    low = path.lower()
    if low.startswith(f"{ENTERPRISE.lower()}:"):
        return f"enterprise:{low[len(ENTERPRISE) + 1 :]}"
    return low.rpartition(":")[2]


class _Conditions(FilterVisitor[Q]):
    """Turns a filter into a condition; ``used`` are the expressions that it names. ``within``: a value path."""

    def __init__(self, attributes: Mapping[str, Attribute], others: Collection[str]) -> None:
        self.attributes, self.others, self.within = attributes, others, ""
        self.used: dict[str, Combinable] = {}

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        terms = [self.visit(term) for term in node.terms]
        return reduce(and_ if node.op == LogicalOperator.and_ else or_, terms)

    def visit_not(self, node: Not) -> Q:
        return _not(self.visit(node.expr))

    def visit_value_path(self, node: ValuePath) -> Q:
        self.within = f"{node.attr_path.attr}."
        try:
            return self.visit(node.val_filter)
        finally:
            self.within = ""

    def visit_present(self, node: Present) -> Q:
        path, prefix = self._path(node.attr_path), ""
        found = self.attributes.get(path) or self.attributes.get(f"{path}.value")
        if found is None:  # a complex attribute is there if a part of it is
            prefix = f"{path}."
        parts = [found] if found else [one for key, one in self.attributes.items() if key.startswith(prefix)]
        if not parts:
            return self._elsewhere(path)
        return reduce(or_, [self._is_there(one) for one in parts])

    def _elsewhere(self, path: str) -> Q:
        """Return the condition that fits nothing, for an attribute of others. Raises InvalidFilterException."""
        if not any(key == path or key.startswith(f"{path}.") for key in self.others):
            raise InvalidFilterException(detail=f"{path} cannot be asked for here.")
        return Q(pk__in=())

    def _is_there(self, found: Attribute) -> Q:
        if isinstance(found, Members):
            return found.bearing(None)
        name = self._name(found)
        return Q(**{f"{name}__isnull": False})

    def visit_comparison(self, node: Comparison) -> Q:
        path = self._path(node.attr_path)
        found = self.attributes.get(path) or self.attributes.get(f"{path}.value")
        if found is None:
            return self._elsewhere(path)
        if node.value is None:
            there = self._is_there(found)
            return _not(there) if node.op == CompareOperator.eq else there
        if node.op == CompareOperator.ne:
            return _not(self._compared(found, CompareOperator.eq, node.value))
        return self._compared(found, node.op, node.value)

    def _compared(self, found: Attribute, op: CompareOperator, value: Any) -> Q:
        if isinstance(found, Members):
            lookup = LOOKUPS.get(op.value)
            if lookup is None:
                raise InvalidFilterException(detail="Many values have no order.")
            lookup = lookup.removeprefix("i") if found.kind == "exact" else lookup
            return found.bearing(Q(**{f"{found.column}__{lookup}": str(value)}))
        if found.kind == "truth":
            return self._truth(found, op, value)
        if found.kind == "moment":
            return self._moment(found, op, value)
        if op == CompareOperator.eq and found.equals and value:
            return found.equals(str(value))
        name = self._name(found)
        if op.value in LOOKUPS:
            lookup = LOOKUPS[op.value].removeprefix("i") if found.kind == "exact" else LOOKUPS[op.value]
            return Q(**{f"{name}__{lookup}": str(value)})
        low = self._name(replace(found, value=Lower(found.value))) if found.kind == "text" else name
        text = str(value).lower() if found.kind == "text" else str(value)
        return Q(**{f"{low}__{ORDERS[op.value]}": text})

    def _truth(self, found: Column, op: CompareOperator, value: Any) -> Q:
        told = value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
        if told is None or op != CompareOperator.eq:
            raise InvalidFilterException(detail="It is true or false: say eq or ne.")
        return Q(**{self._name(found): told})

    def _moment(self, found: Column, op: CompareOperator, value: Any) -> Q:
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
            moment = timezone.make_aware(moment, timezone.get_fixed_timezone(0)) if moment.tzinfo is None else moment
            moment.astimezone(timezone.get_fixed_timezone(0))
        except (ValueError, OverflowError):
            raise InvalidFilterException(detail="Say a moment as 2026-03-31T15:59:59Z.") from None
        if op.value not in ORDERS:
            raise InvalidFilterException(detail="A moment is compared with eq, ne, gt, ge, lt or le.")
        return Q(**{f"{self._name(found)}__{ORDERS[op.value]}": moment})

    def _name(self, column: Column) -> str:
        name = f"_v{len(self.used)}"
        # What is empty here is not there at all.
        self.used[name] = NullIf(column.value, Value("")) if column.kind in ("text", "exact") else column.value
        return name

    def _path(self, path: AttrPath) -> str:
        key = f"{self.within}{path.attr}" + (f".{path.sub_attr}" if path.sub_attr else "")
        return _key_of(f"{path.uri}:{key}" if path.uri else key)


def _not(condition: Q) -> Q:
    """Return the contrary, with what is unknown counted as not fitting: as SCIM reads ``not``, other than SQL."""
    return Q(Case(When(condition, then=Value(False)), default=Value(True)))
