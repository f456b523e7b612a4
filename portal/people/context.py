"""What the frame of every page shows: the way through the house for this person."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class Group:
    label: str
    links: list[Link] = field(default_factory=list)


def frame(request: HttpRequest) -> dict:
    return {"firm_name": settings.FIRM_NAME, "way": SimpleLazyObject(lambda: way(request))}


def way(request: HttpRequest) -> list[Group]:
    """Return the groups of links that the person may use. The first group's links fill a phone's tab bar."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    mine = [("standing:today", _("Today")), ("training:course_list", _("Courses"))]
    if user.employee_no:
        mine += [("standing:record", _("My record"))]
    mine += [("training:certificate_list", _("Certificates"))]
    groups = [("", mine)]
    if user.is_manager():
        groups.append((_("Team"), [("standing:team", _("My team"))]))
    compliance = [
        ("standing:firm", _("Firm"), "standing.view_firm"),
        ("archive:import_list", _("Imports"), "archive.view_imports"),
        ("archive:keeping", _("Keeping"), "archive.view_keeping"),
    ]
    hr = [
        ("standing:people", _("Everybody"), "people.view_everyone"),
        ("training:export_list", _("Certificate export"), "training.export_certificates"),
    ]
    for label, items in ((_("Compliance"), compliance), (_("People"), hr)):
        allowed = [(name, text) for name, text, permission in items if user.has_perm(permission)]
        if allowed:
            groups.append((label, allowed))
    return [Group(label, [_link(request, name, text) for name, text in links]) for label, links in groups]


def _link(request: HttpRequest, name: str, label: str) -> Link:
    url = reverse(name)
    here = request.path == url if url == "/" else request.path.startswith(url)
    return Link(label, url, here)
