"""Where the SCIM server reads and writes: the people and tags of this site, behind the library's own interface."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from scim2_models import (
    NotFoundException,
    NotImplementedException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SearchRequest,
)
from scim2_server.storage import ScimStorage, SearchPage

from portal.people.models import Employee
from portal.scim import filtering, grouping, showing, telling
from portal.scim.models import Group

FURTHEST = 10_000_000  # no list is longer; a start beyond it finds nothing


class Storage(ScimStorage):
    """One request's view. ``by`` stands in the Entries; one that writes locks what it reads and is one transaction."""

    def __init__(self, *, by: str, writes: bool) -> None:
        self.by, self.writes = by, writes
        self.today = timezone.localdate()

    @contextmanager
    def operation(self) -> Iterator[None]:
        if self.writes:
            with transaction.atomic():
                yield
        else:
            yield

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        if resource_type.name == "Group":
            return showing.show_group(
                self._group(resource_id), with_members=grouping.wants_members(response_parameters)
            )
        return self._shown(self._person(resource_id))

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """Return a page of what fits: of Users and Groups together, the Users come first and are not sorted."""
        asked = search_request
        if len(resource_types) > 1 and asked.sort_by is not None:
            raise NotImplementedException(detail="Sort Users and Groups one by one.")
        page, start = SearchPage(0, []), min(asked.start_index_0 or 0, FURTHEST)
        for resource_type in resource_types:
            rows = self._found(resource_type.name == "Group", asked, is_alone=len(resource_types) == 1)
            total, skip = rows.count(), max(0, start - page.total)
            page.total += total
            if room := max(0, (asked.count or 0) - len(page.resources)):
                page.resources += self._show(rows[skip : skip + room], asked)
        return page

    def _found(self, is_groups: bool, asked: SearchRequest[Any], *, is_alone: bool) -> QuerySet:
        both = filtering.person_attributes(self.today), filtering.group_attributes()
        attributes, others = reversed(both) if is_groups else both
        rows: QuerySet = showing.groups() if is_groups else read(showing.people())
        if asked.filter is not None:
            rows = filtering.filtered(rows, asked.filter.ast, attributes, () if is_alone else others)
        is_down = asked.sort_order == SearchRequest.SortOrder.descending
        return filtering.ordered(rows, asked.sort_by, is_down, attributes)

    def _show(self, rows: QuerySet, asked: SearchRequest[Any]) -> list[Resource[Any]]:
        if rows.model is Group:
            return list(showing.show_groups(list(rows), with_members=grouping.wants_members(asked)))
        return list(showing.show_people(list(rows), self.today))

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        if resource_type.name == "Group":
            return showing.show_group(grouping.create(resource, by=self.by))
        return self._shown_anew(telling.create(resource, by=self.by))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        uid = resource.id or ""
        shown = self._expected(resource_type, uid, expected_version)
        if resource_type.name == "Group":
            return showing.show_group(grouping.change(self._group(uid), shown, resource, by=self.by))
        return self._shown_anew(telling.change(self._person(uid), shown, resource, by=self.by))

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        self._expected(resource_type, resource_id, expected_version)
        if resource_type.name == "Group":
            grouping.end(self._group(resource_id), by=self.by)
        else:
            telling.remove(self._person(resource_id), by=self.by)

    def _expected(self, resource_type: ResourceType, uid: str, version: str | None) -> Any:
        shown = self.get(resource_type, uid)
        if version is not None and shown.meta.version != version:
            raise PreconditionFailedException
        return shown

    def _person(self, uid: str) -> Employee:
        rows = read(showing.people())
        if self.writes:
            rows = rows.select_for_update(of=("self",))
        found = rows.filter(uid=uid).first()
        if found is None:
            raise NotFoundException(detail="There is no User of this id.")
        return found

    def _group(self, uid: str) -> Group:
        rows = showing.groups().select_related("tag")
        if self.writes:
            rows = rows.select_for_update(of=("self",))
        found = rows.filter(uid=uid).first()
        if found is None:
            raise NotFoundException(detail="There is no Group of this id.")
        return found

    def _shown(self, employee: Employee) -> Resource[Any]:
        return showing.show_people([employee], self.today)[0]

    def _shown_anew(self, employee: Employee) -> Resource[Any]:
        return self._shown(read(showing.people()).get(pk=employee.pk))


def read(people: QuerySet[Employee]) -> QuerySet[Employee]:
    return people.select_related("department", "manager", "account")
