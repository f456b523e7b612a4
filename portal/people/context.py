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
    mine += [("training:certificate_list", _("Certificates")), ("training:policy_list", _("Policies"))]
    groups = [("", mine)]
    if user.is_manager():
        groups.append((_("Team"), [("standing:team", _("My team")), ("reminders:late_people", _("Who is late"))]))
        if not user.has_perm("training.approve_exemptions"):
            groups[-1][1].append(("training:exemption_list", _("Exemptions")))
    compliance = [
        ("standing:firm", _("Firm"), "standing.view_firm"),
        ("standing:finding_list", _("Findings"), "archive.view_every_record"),
        ("archive:import_list", _("Imports"), "archive.view_imports"),
        ("standing:feed", _("Permission feed"), "standing.manage_feed"),
        ("ledger:evidence", _("Evidence"), "ledger.view_entries"),
        ("evidence:pack_list", _("Evidence packs"), "evidence.make_packs"),
        ("evidence:find", _("Evidence log"), "ledger.view_entries"),
        ("quizzes:signal_list", _("Integrity signals"), "quizzes.review_attempts"),
        ("training:recall_list", _("Recalled questions"), "quizzes.review_attempts"),
        ("training:beliefs", _("Wrong beliefs"), "training.view_beliefs"),
        ("archive:lexicon", _("Lexicon"), "archive.view_lexiconversion"),
        ("archive:keeping", _("Keeping"), "archive.view_keeping"),
    ]
    hr = [
        ("standing:people", _("Everybody"), "people.view_everyone"),
        ("hr:file_list", _("HR's lists"), "hr.import_people"),
        ("scim:directory", _("Directory"), "scim.manage_directory"),
        ("training:certificate_search", _("Everybody's certificates"), "training.view_certificate"),
        ("training:rule_list", _("Training rules"), "training.view_rule"),
        ("training:exemption_list", _("Exemptions"), "training.approve_exemptions"),
        ("reminders:overview", _("Reminders"), "reminders.view_reminders"),
        ("training:completion_import", _("Past completions"), "training.manage_rules"),
        ("training:export_list", _("Certificate export"), "training.export_certificates"),
        ("training:extra_time_list", _("Extra time"), "quizzes.grant_extra_time"),
    ]
    authors = [
        ("quizzes:bank_list", _("Question banks"), "quizzes.view_bank"),
        ("training:edition_list", _("Editions"), "training.view_edition"),
        ("training:components", _("Components"), "training.view_course_drafts"),
    ]
    machines = [("operations:overview", _("Operations"), "jobs.operate")]
    rooms = ((_("Compliance"), compliance), (_("People"), hr), (_("Authors"), authors), (_("Machines"), machines))
    for label, items in rooms:
        allowed = [(name, text) for name, text, permission in items if user.has_perm(permission)]
        if allowed:
            groups.append((label, allowed))
    here = _here(request.path, [reverse(name) for _label, links in groups for name, _text in links])
    return [
        Group(label, [Link(text, reverse(name), reverse(name) == here) for name, text in links])
        for label, links in groups
    ]


def _here(path: str, addresses: list[str]) -> str:
    """Return the address of the menu under which the page lies: the longest that fits, empty if none does."""
    fitting = [one for one in addresses if path == one or (one != "/" and path.startswith(one))]
    return max(fitting, key=len, default="")
