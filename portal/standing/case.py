"""What a finding says, in words: its facts, its message, its steps, and what may be done about it next."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from archive import casework
from archive.models import Finding, FindingStep, SelfReport
from portal.people.models import Employee
from portal.standing import message_types, policy, remedies
from portal.standing.models import RemedyTask, Standing

WHY_SILENT = {"nothing": 0, "pause": 1, "drop": 2}


@dataclass(frozen=True)
class Fact:
    name: str
    value: str


def _moment(text: str | None) -> str:
    told = parse_datetime(text) if text else None
    return date_format(timezone.localtime(told), "SHORT_DATETIME_FORMAT") if told else "–"


def facts_of(finding: Finding, *, sees_handles: bool) -> list[Fact]:
    """Return the facts of a finding as a person reads them. Handles of outsiders are for reviewers only."""
    f, found = finding.facts, []

    def tell(name: str, value: object) -> None:
        if value not in (None, "", []):
            found.append(Fact(name, str(value)))

    if hits := f.get("hits"):
        own = f.get("direction") == "own"
        tell(_("Whose words"), _("the person’s own") if own else _("a contact’s, written to the person"))
        tell(_("Rules of the lexicon"), ", ".join(f"{hit['rule']} ({hit['weight']})" for hit in hits))
    if "month" in f:
        tell(_("Month"), f["month"])
    for name, label in _COUNTS.items():
        if name in f:
            tell(label(), len(f[name]) if isinstance(f[name], list) else f[name])
    if "msgtype" in f:
        tell(_("Message type"), message_types.named(f["msgtype"]))
    if finding.kind == Finding.Kind.SOURCE_SILENT:
        found += _silence(f)
    elif why := f.get("why"):
        reasons = [_("no messages at all"), _("a long pause"), _("far fewer messages than before")]
        tell(_("Inactivity"), "; ".join(reasons[WHY_SILENT[one]] for one in why))
    if sees_handles:
        for name, label in _HANDLES.items():
            tell(label(), f.get(name))
    if {"first", "last", "length"} <= f.keys():
        tell(_("Numbers missing"), _("%(n)s: %(first)s to %(last)s") % {"n": f["length"], **f})
        tell(_("Between"), f"{_moment(f.get('before_at'))} – {_moment(f.get('after_at'))}")
    if "day" in f:
        tell(_("Day"), f["day"])
        tell(_("Messages late"), _("%(late)s of %(messages)s") % f)
    if fault := f.get("fault"):
        tell(_("What does not verify"), say_fault(fault))
        tell(_("Import"), f.get("import"))
        tell(_("Batch"), f.get("batch"))
        tell(_("Entry in the evidence log"), f.get("entry"))
    if "disposal" in f:
        tell(_("Its message"), _("was disposed of when its time was over; ids and handles went with it"))
    if "where" in f:
        tell(_("Where"), SelfReport.Where(f["where"]).label)
        tell(_("Who began"), SelfReport.Began(f["began"]).label)
        tell(_("What about"), SelfReport.About(f["about"]).label)
        tell(_("Moved to the firm’s channel"), _("yes") if f["has_moved"] else _("not yet"))
        tell(_("Messages handed in"), _("yes") if f["has_kept"] else _("not yet"))
    tell(_("Version of the thresholds"), finding.policy_version)
    return found


def say_fault(code: str) -> str:
    """Return in words what archive.services.integrity found."""
    return {
        "leaves": _("records of this batch are missing, or there are more than were stored"),
        "root": _("the records of this batch are not those that were stored"),
        "differs": _("the evidence log says otherwise of this batch"),
        "no_entry": _("no entry of the evidence log speaks of this batch"),
        "entry": _("the entry of the evidence log was changed"),
        "body_gone": _("what the entry of the evidence log says is gone"),
        "body": _("what the entry of the evidence log says was changed"),
        "copies": _("the copies of seats and consent are not those that were kept"),
        "batch_gone": _("a batch that the evidence log speaks of is gone"),
        "tombstones": _("something looks disposed of that no disposal took away, or the reverse"),
        "step": _("what a disposal left is not what it left then"),
        "log": _("the evidence log itself does not verify"),
    }[code]


def _silence(f: dict) -> list[Fact]:
    """How long a feed has been silent; or, where records are lost for good, from when to when they were sent."""
    if f["level"] == "loss":
        span = f"{_moment(f['from'])} – {_moment(f['until'])}"
        return [
            Fact(_("Lost: what was sent"), span),
            Fact(_("It still goes on"), _("yes") if f["goes_on"] else _("no")),
        ]
    missing = {"records": _("no new record"), "pulls": _("no delivery")}
    return [
        Fact(_("What is missing"), ", ".join(missing[one] for one in f["why"])),
        Fact(_("Silent since"), _moment(f["since"])),
        Fact(_("Last record"), _moment(f["last_record"])),
        Fact(_("Last delivery"), _moment(f["last_pull"])),
    ]


_COUNTS = {
    "count": lambda: _("Messages"),
    "recalls": lambda: _("Taken back"),
    "sent": lambda: _("Sent"),
    "seat_days": lambda: _("Days with a seat"),
    "longest_silence": lambda: _("Longest silence, working days"),
    "messages": lambda: _("Messages concerned"),
    "publickey_ver": lambda: _("Version of the key"),
    "lexicon": lambda: _("Lexicon"),
}
_HANDLES = {
    "contact": lambda: _("Contact"),
    "handle": lambda: _("Handle"),
    "msgid": lambda: _("Message id"),
    "seq": lambda: _("Sequence number in the feed"),
}


@dataclass(frozen=True)
class Choice:
    """One way in which the finding may close now. ``missing`` says what stands in the way, empty: nothing."""

    how: str
    label: str
    missing: tuple[str, ...]


def evidence_for(finding: Finding) -> set[str]:
    """Return what the roof vouches for: the lesson was taken, the person’s training is current."""
    there = set()
    if remedies.is_remedied(finding):
        there.add(casework.REMEDY)
    standing = Standing.objects.filter(employee=finding.employee_id).first() if finding.employee_id else None
    if standing and standing.training_state in ("current", "exempt", "due_soon"):
        there.add(casework.TRAINING)
    return there


def ways_to_close(finding: Finding, evidence: set[str]) -> list[Choice]:
    ways = []
    for how in casework.CLOSES.get(finding.kind, ()):
        lacks = casework.missing(finding.kind, how, is_seconded=finding.seconded_by_id is not None, evidence=evidence)
        ways.append(Choice(how, str(Finding.How(how).label), tuple(say_missing(one) for one in sorted(lacks))))
    return ways


def say_missing(code: str) -> str:
    return {
        casework.SECOND: _("a second reviewer must confirm it"),
        casework.REMEDY: _("the person must take the lesson that it calls for"),
        casework.TRAINING: _("the person’s training must be current"),
    }[code]


@dataclass(frozen=True)
class Moment:
    """One line of what was done about a finding. ``by`` empty: the system."""

    at: datetime
    what: str
    by: str = ""
    text: str = ""
    entry_seq: int | None = None


def timeline(finding: Finding, task: RemedyTask | None) -> list[Moment]:
    """Return what was done about a finding and for it, in the order of time. One query."""
    found = [Moment(finding.opened_at, _("Opened"))]
    for step in finding.steps.select_related("by"):
        by = step.by.name if step.by else ""
        found.append(Moment(step.at, capfirst(step.get_what_display()), by, step.text, step.entry_seq))
    if task:
        found.append(Moment(task.assigned_at, _("Lesson assigned"), text=task.title))
        if task.done_at:
            found.append(Moment(task.done_at, _("Lesson taken"), text=task.title))
        elif task.withdrawn_at:
            found.append(Moment(task.withdrawn_at, _("Lesson withdrawn"), text=task.title))
    if finding.closed_at and finding.decided_by_id is None:
        found.append(Moment(finding.closed_at, _("Settled by itself"), text=finding.closed_why))
    return sorted(found, key=lambda one: one.at)


def bars_when_confirmed(finding: Finding) -> bool:
    """Return whether confirming it bars its person from messaging, by the firm's policy."""
    by_policy = policy.current().blocks.get(finding.kind) == policy.CONFIRMED
    return by_policy and finding.employee_id is not None and not finding.is_self_reported


def case_of(finding: Finding, viewer: Employee, now: datetime) -> dict:
    """Return what the page of one finding shows. Constant queries."""
    evidence = evidence_for(finding) if finding.is_open else set()
    holds = casework.claim_holds(finding.claimed_at, now)
    is_mine = finding.claimed_by_id == viewer.pk
    task = RemedyTask.objects.filter(finding=finding).select_related("lesson__module__edition").first()
    ways = ways_to_close(finding, evidence) if finding.is_open else []
    return {
        "finding": finding,
        "facts": facts_of(finding, sees_handles=True),
        "message": finding.message,
        "timeline": timeline(finding, task),
        "task": task,
        "ways": ways,
        "may_close": any(not way.missing for way in ways),
        "chosen": next((way.how for way in ways if not way.missing), ""),
        "may_act": viewer.has_perm("archive.review_findings") and finding.is_open,
        "is_mine": is_mine,
        "held_by": finding.claimed_by if holds and not is_mine else None,
        "may_confirm": casework.may_decide(finding.kind, finding.state, casework.CONFIRMED),
        "bars_when_confirmed": bars_when_confirmed(finding),
        "waits_for_second": finding.state == Finding.State.CONFIRMED
        and finding.seconded_by_id is None
        and finding.kind in casework.NEEDS_SECOND,
        "waits_for_answer": finding.asked_at is not None
        and (finding.answered_at is None or finding.answered_at < finding.asked_at),
        "may_second": finding.state == Finding.State.CONFIRMED
        and finding.seconded_by_id is None
        and finding.decided_by_id != viewer.pk
        and finding.kind in casework.NEEDS_SECOND,
        "has_words": bool(finding.message_id) and hasattr(finding.message, "text"),
        "standing": Standing.objects.visible_to(viewer).filter(employee=finding.employee_id).first(),
    }


TOLD_TO_THE_PERSON = (FindingStep.What.ADDED, FindingStep.What.ASKED, FindingStep.What.ANSWERED)


def mine(employee: Employee) -> list[dict]:
    """Return the open questions to this person about findings of theirs."""
    asked = Finding.objects.open().filter(employee=employee, asked_at__isnull=False).order_by("asked_at")
    questions = FindingStep.objects.filter(finding__in=asked, what=FindingStep.What.ASKED).order_by("at")
    newest = {step.finding_id: step for step in questions}
    return [
        {"finding": one, "question": newest[one.pk].text}
        for one in asked
        if one.pk in newest and (one.answered_at is None or one.answered_at < newest[one.pk].at)
    ]
