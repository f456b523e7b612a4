"""What a directory tells of a group: a tag of that name, borne by its members, for which training rules can ask."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.text import slugify
from scim2_models import InvalidValueException, ResponseParameters, UniquenessException

from portal.ledger import services as ledger
from portal.people import services
from portal.people.models import Tag, opaque_id
from portal.scim import models, showing
from portal.scim.schemas import Group, Member

LONGEST_NAME = 60  # of a tag; a group's own name may be longer


def create(wanted: Group, *, by: str) -> models.Group:
    """Make a group and its tag, or take up one that was ended. Raises UniquenessException, InvalidValueException."""
    name, now = _name(wanted), timezone.now()
    group = models.Group.objects.select_for_update().filter(display_name__iexact=name).first()
    if group is not None and group.ended_at is None:
        raise UniquenessException(detail=f"There is a Group {name} already.")
    if group is None:
        slug = _free_slug(name)
        tag = services.make_tag(slug=slug, name=name[:LONGEST_NAME], of_directory=True, by=by)
        group = models.Group(tag=tag, made_at=now)
    group.display_name, group.external_id = name, _external_id(wanted)
    group.ended_at, group.changed_at = None, now
    group.save()
    _set_members(group, wanted, by)
    return group


def change(group: models.Group, shown: Group, wanted: Group, *, by: str) -> models.Group:
    """Make a group what the directory wants. Raises UniquenessException, InvalidValueException."""
    name = _name(wanted)
    if models.Group.objects.exclude(pk=group.pk).filter(display_name__iexact=name).exists():
        raise UniquenessException(detail=f"There is a Group {name} already.")
    if name != group.display_name:
        services.make_tag(slug=group.tag.slug, name=name[:LONGEST_NAME], name_zh=group.tag.name_zh, by=by)
    group.display_name, group.external_id, group.changed_at = name, _external_id(wanted), timezone.now()
    group.save()
    if wanted.members != shown.members:
        _set_members(group, wanted, by)
    return group


def end(group: models.Group, *, by: str) -> None:
    """Let nobody bear the group's tag any more. The tag stays, for rules and records that name it."""
    _write_members(group, add=(), drop=showing.bearers(group).values_list("uid", flat=True), by=by)
    models.Group.objects.filter(pk=group.pk).update(ended_at=timezone.now())
    ledger.append(
        verb="scim.group_ended",
        actor=by,
        subject="system:scim",
        body={"tag": group.tag.slug, "name": group.display_name},
    )


def wants_members(asked: ResponseParameters[Any] | None) -> bool:
    """Return whether the answer will show members, who may be many."""
    if asked is None:
        return True
    named = {str(path).rpartition(":")[2].partition(".")[0].lower() for path in asked.attributes or ()}
    left_out = {str(path).rpartition(":")[2].lower() for path in asked.excluded_attributes or ()}
    return "members" in named if named else "members" not in left_out


def _set_members(group: models.Group, wanted: Group, by: str) -> None:
    told = {_uid(member) for member in wanted.members or []}
    borne = set(showing.bearers(group).values_list("uid", flat=True))
    _write_members(group, add=told - borne, drop=borne - told, by=by)


def _write_members(group: models.Group, *, add: Iterable[str], drop: Iterable[str], by: str) -> None:
    """Give and take the tag, person by person in the order of their rows. Raises InvalidValueException."""
    add, drop = set(add), set(drop)
    people = list(showing.people().filter(uid__in=add | drop).order_by("pk"))
    if len(people) < len(add | drop):
        raise InvalidValueException(detail="members names somebody who is no User.")
    slug = [group.tag.slug]
    for employee in people:
        given = {"add": slug} if employee.uid in add else {"drop": slug}
        services.change_tags(employee=employee, by=by, **given)


def _uid(member: Member) -> str:
    uid = (member.value or "").strip() or str(member.ref or "").rpartition("/")[2]
    if not uid or (member.type or "User").casefold() != "user":
        raise InvalidValueException(detail="A member is a User, named by value: the id.")
    return uid


def _name(wanted: Group) -> str:
    name = (wanted.display_name or "").strip()
    if not name or len(name) > 255:
        raise InvalidValueException(detail="displayName has one to 255 characters.")
    return name


def _external_id(wanted: Group) -> str:
    told = (wanted.external_id or "").strip()
    if len(told) > 255:
        raise InvalidValueException(detail="externalId has more than 255 characters.")
    return told


def _free_slug(name: str) -> str:
    slug = slugify(name)[:40].strip("-") or f"group-{opaque_id()[:8]}"
    return f"{slug}-{opaque_id()[:6]}" if Tag.objects.filter(slug=slug).exists() else slug
