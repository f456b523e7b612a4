"""Working on findings: taken on by one reviewer, decided once, seconded by another, every step an Entry."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import casework, sealing
from archive.models import Finding, FindingStep, MessageText, SelfReport
from archive.normalising import normalise
from archive.rules import Opening
from archive.services import findings, lexicons
from portal.ledger import services as ledger
from portal.people.models import Employee

TEXT_LIMIT = 2000
What = FindingStep.What


class AlreadyDecided(RuntimeError):
    """The finding is not open any more, or is so already."""


class SomebodyElses(RuntimeError):
    """Another reviewer has taken the finding on; the message says who."""


class ReasonMissing(ValueError):
    """A decision needs a reason, a note needs words."""


class Quoted(ReasonMissing):
    """The text repeats a message at length: it would stay when the message has to go."""


class EvidenceMissing(ValueError):
    """The finding cannot close so yet. ``missing`` holds what it lacks: codes of archive.casework."""

    def __init__(self, missing: set[str]) -> None:
        super().__init__(", ".join(sorted(missing)))
        self.missing = missing


class WrongWay(ValueError):
    """A finding of this kind does not close so."""


class NotAsked(ValueError):
    """The person was not asked about this finding, or it is settled."""


@transaction.atomic
def claim_finding(*, finding: Finding, reviewer: Employee) -> Finding:
    """Take a finding on: nobody else decides it while the claim holds. Raises AlreadyDecided, SomebodyElses."""
    finding = _locked_open(finding)
    _refuse_others(finding, reviewer, timezone.now())
    if finding.claimed_by_id != reviewer.pk:
        _claim(finding, reviewer)
    return finding


@transaction.atomic
def release_finding(*, finding: Finding, reviewer: Employee) -> Finding:
    """Let a finding go that one had taken on. Raises AlreadyDecided, SomebodyElses."""
    finding = _locked_open(finding)
    if finding.claimed_by_id != reviewer.pk:
        raise SomebodyElses(_holder(finding))
    finding.claimed_by = finding.claimed_at = None
    finding.save(update_fields=["claimed_by", "claimed_at"])
    _step(finding, What.RELEASED, reviewer)
    return finding


@transaction.atomic
def take_over_finding(*, finding: Finding, reviewer: Employee, reason: str) -> Finding:
    """Take a finding on that another reviewer has, who is away or asks for it. Raises AlreadyDecided, ReasonMissing."""
    words = _said(reason, _("Say why you take it over."), finding)
    finding = _locked_open(finding)
    if finding.claimed_by_id == reviewer.pk:
        return finding
    before = finding.claimed_by.uid if finding.claimed_by else None
    finding.claimed_by, finding.claimed_at = reviewer, timezone.now()
    finding.save(update_fields=["claimed_by", "claimed_at"])
    _step(finding, What.TAKEN_OVER, reviewer, words, {"before": before})
    return finding


@transaction.atomic
def note_on_finding(*, finding: Finding, text: str, reviewer: Employee) -> FindingStep:
    """Write a note beside a finding, open or not. Raises ReasonMissing, Quoted."""
    finding = _locked(finding)
    return _step(finding, What.NOTED, reviewer, _said(text, _("Write what you want to note."), finding))


@transaction.atomic
def ask_person(*, finding: Finding, question: str, reviewer: Employee) -> FindingStep:
    """Ask the person whom a finding is about. Raises AlreadyDecided, SomebodyElses, ReasonMissing, NotAsked."""
    finding = _locked_open(finding)
    if finding.employee_id is None:
        raise NotAsked(_("This finding is about a feed, not about a person."))
    _take(finding, reviewer)
    text = _said(question, _("Write what you want to ask."), finding)
    finding.asked_at = timezone.now()
    finding.save(update_fields=["asked_at"])
    return _step(finding, What.ASKED, reviewer, text)


@transaction.atomic
def answer_question(*, finding: Finding, text: str, by: Employee) -> FindingStep:
    """Keep what the person says about a finding of theirs. Raises NotAsked, ReasonMissing."""
    finding = _locked(finding)
    if finding.employee_id != by.pk or finding.asked_at is None or not finding.is_open:
        raise NotAsked(_("Nothing is asked of you here."))
    words = _said(text, _("Write your answer."))
    finding.answered_at = timezone.now()
    finding.save(update_fields=["answered_at"])
    return _step(finding, What.ANSWERED, by, words)


@transaction.atomic
def review_finding(
    *, finding: Finding, decision: str, reason: str, reviewer: Employee, how: str = "", evidence: Collection[str] = ()
) -> Finding:
    """Write down what a reviewer decides: confirmed (it stays open), dismissed (a false alarm) or closed (settled).

    ``how`` says by what it closes, ``evidence`` what the caller vouches for: see archive.casework. Who decides takes
    the finding on. Raises AlreadyDecided, SomebodyElses, ReasonMissing, EvidenceMissing, WrongWay, ValueError for
    another decision.
    """
    if decision not in (casework.CONFIRMED, casework.DISMISSED, casework.CLOSED):
        raise ValueError(decision)
    words = _said(reason, _("Say why: a decision without a reason proves nothing."), finding)
    finding = _locked_open(finding)
    if not casework.may_decide(finding.kind, finding.state, decision):
        if finding.kind in casework.TOLD:
            raise WrongWay(_("What a person told of themselves is settled with thanks, not confirmed or dismissed."))
        raise AlreadyDecided(finding.get_state_display())
    if decision == casework.CLOSED and how not in casework.CLOSES.get(finding.kind, ()):
        raise WrongWay(_("Choose how it closes."))
    if decision == casework.CLOSED and (
        lacks := casework.missing(finding.kind, how, is_seconded=finding.seconded_by_id is not None, evidence=evidence)
    ):
        raise EvidenceMissing(lacks)
    _take(finding, reviewer)
    now, before = timezone.now(), finding.state
    finding.state = decision
    if finding.decided_by_id is None or decision != casework.CLOSED:
        finding.decided_by, finding.decided_at = reviewer, now
    if not finding.is_open:
        finding.closed_at, finding.closed_why, finding.closed_how = now, words[:500], how
        finding.claimed_by = finding.claimed_at = None
    finding.save()
    if not finding.is_open:
        findings.let_go_of_text(finding, now)
    findings.counts_anew(finding, now)
    _step(finding, What(decision), reviewer, words, {"before": before, "after": decision, "how": how})
    return finding


@transaction.atomic
def second_finding(*, finding: Finding, reviewer: Employee, reason: str) -> Finding:
    """Confirm as a second reviewer what another has confirmed. Raises AlreadyDecided, SomebodyElses, ReasonMissing."""
    words = _said(reason, _("Say what you looked at."), finding)
    finding = _locked_open(finding)
    if finding.state != Finding.State.CONFIRMED or finding.seconded_by_id is not None:
        raise AlreadyDecided(finding.get_state_display())
    if finding.decided_by_id == reviewer.pk:
        raise SomebodyElses(_("You confirmed it yourself: the second pair of eyes must be another’s."))
    finding.seconded_by, finding.seconded_at = reviewer, timezone.now()
    finding.save(update_fields=["seconded_by", "seconded_at"])
    _step(finding, What.SECONDED, reviewer, words)
    return finding


@transaction.atomic
def send_back_finding(*, finding: Finding, reviewer: Employee, reason: str) -> Finding:
    """Make a confirmed finding one to review again: a slip of the hand, or the second pair of eyes sees it otherwise.

    What was decided stays in its steps. Anybody may then take it on. Raises AlreadyDecided, ReasonMissing.
    """
    words = _said(reason, _("Say why it is to be reviewed again."))
    finding = _locked_open(finding)
    if finding.state != Finding.State.CONFIRMED:
        raise AlreadyDecided(finding.get_state_display())
    finding.state = Finding.State.NEW
    for role in ("decided", "seconded", "claimed"):
        setattr(finding, f"{role}_by", None)
        setattr(finding, f"{role}_at", None)
    finding.save()
    findings.counts_anew(finding, timezone.now())
    _step(finding, What.RETURNED, reviewer, words, {"before": casework.CONFIRMED, "after": Finding.State.NEW})
    return finding


@transaction.atomic
def read_words(*, finding: Finding, reason: str, reviewer: Employee) -> str:
    """Return the words that a finding is about, as far as they are kept, empty if they are not.

    They are a client's or an employee's: who reads says why, and the reading is an Entry. Raises ReasonMissing,
    sealing.KeyMissing.
    """
    words = _said(reason, _("Say why you need to read the words."), finding)
    finding = _locked(finding)
    kept = MessageText.objects.filter(message=finding.message_id).first() if finding.message_id else None
    _step(finding, What.READ, reviewer, words)
    return sealing.unseal(kept.sealed, kept.key_id).decode() if kept else ""


def excerpts(text: str, hits: list[dict], around: int = 60) -> list[tuple[str, str, str]]:
    """Return (before, hit, after) for each rule that hit, from the text as the lexicon that found it reads it.

    That is all a reviewer needs to see why: not the whole message. Hits whose place cannot be found are left out.
    """
    plain = normalise(text)
    found: list[tuple[str, str, str]] = []
    for hit in hits:
        start, end = hit.get("start", 0), hit.get("end", 0)
        is_chinese = hit.get("language") == "zh"
        read = lexicons.named(hit.get("version", "")).in_chinese(plain) if is_chinese else plain
        piece = (read[max(0, start - around) : start], read[start:end], read[end : end + around])
        if piece[1] and piece not in found:
            found.append(piece)
    return found


@transaction.atomic
def report_slip(
    *,
    employee: Employee,
    happened_on: date,
    where: str,
    began: str,
    about: str,
    has_moved: bool,
    has_kept: bool,
    note: str = "",
) -> SelfReport:
    """Keep what an employee tells of a slip of their own, and open the finding that follows it up.

    What is found about those days from now on weighs less: see archive.rules.weigh.
    """
    now = timezone.now()
    report = SelfReport(
        employee=employee,
        happened_on=happened_on,
        where=where,
        began=began,
        about=about,
        has_moved=has_moved,
        has_kept=has_kept,
        note=note.strip()[:500],
        told_at=now,
    )
    facts = {"where": where, "began": began, "about": about, "has_moved": has_moved, "has_kept": has_kept}
    opening = Opening("self_report", f"self_report:{report.uid}", employee.pk, facts=facts, on=happened_on)
    [report.finding] = findings.open_all([opening], by=employee.uid, now=now)
    report.save(force_insert=True)
    body = {"report": report.uid, "happened_on": happened_on.isoformat(), "note": report.note, **facts}
    ledger.append(verb="archive.slip_reported", actor=employee.uid, subject=employee.uid, body=body)
    return report


@transaction.atomic
def add_to_slip(*, report: SelfReport, has_moved: bool, has_kept: bool, note: str = "") -> SelfReport:
    """Add to what one has told: what was done since, and words. Nothing that was said is taken back.

    Raises AlreadyDecided where the report is settled, ReasonMissing where nothing is added.
    """
    finding = _locked_open(report.finding)
    report = SelfReport.objects.select_for_update(of=("self",)).select_related("employee").get(pk=report.pk)
    more = {"has_moved": has_moved and not report.has_moved, "has_kept": has_kept and not report.has_kept}
    words = note.strip()[:500]
    if not any(more.values()) and not words:
        raise ReasonMissing(_("Say what there is to add."))
    added = {name: True for name, is_new in more.items() if is_new}
    SelfReport.objects.filter(pk=report.pk).update(**added)
    finding.facts |= added
    finding.save(update_fields=["facts"])
    _step(finding, What.ADDED, report.employee, words, {"report": report.uid, **added})
    return SelfReport.objects.get(pk=report.pk)


def _locked(finding: Finding) -> Finding:
    rows = Finding.objects.select_for_update(of=("self",)).select_related("employee", "claimed_by")
    return rows.get(pk=finding.pk)


def _locked_open(finding: Finding) -> Finding:
    finding = _locked(finding)
    if not finding.is_open:
        raise AlreadyDecided(finding.get_state_display())
    return finding


def _refuse_others(finding: Finding, reviewer: Employee, now: datetime) -> None:
    is_others = finding.claimed_by_id not in (None, reviewer.pk)
    if is_others and casework.claim_holds(finding.claimed_at, now):
        raise SomebodyElses(_holder(finding))


def _holder(finding: Finding) -> str:
    if finding.claimed_by is None:
        return _("Nobody has taken it on.")
    return _("%(name)s is working on it.") % {"name": finding.claimed_by.name}


def _take(finding: Finding, reviewer: Employee) -> None:
    """Make sure that the reviewer has the finding, taking it on where nobody has."""
    _refuse_others(finding, reviewer, timezone.now())
    if finding.claimed_by_id != reviewer.pk:
        _claim(finding, reviewer)


def _claim(finding: Finding, reviewer: Employee) -> None:
    finding.claimed_by, finding.claimed_at = reviewer, timezone.now()
    finding.save(update_fields=["claimed_by", "claimed_at"])
    _step(finding, What.CLAIMED, reviewer)


def _step(finding: Finding, what: str, by: Employee, text: str = "", more: dict | None = None) -> FindingStep:
    body = {"finding": finding.uid, "kind": finding.kind, "text": text, **(more or {})}
    subject = finding.employee.uid if finding.employee else "system:archive"
    entry = ledger.append(verb=f"archive.finding_{what}", actor=by.uid, subject=subject, body=body)
    return FindingStep.objects.create(
        finding=finding, at=timezone.now(), by=by, what=what, text=text, entry_seq=entry.seq
    )


def _said(text: str, missing: str, finding: Finding | None = None) -> str:
    """Return what somebody wrote. A reviewer's words about a ``finding`` may not repeat its message at length."""
    if not text.strip():
        raise ReasonMissing(missing)
    said = text.strip()[:TEXT_LIMIT]
    if finding is not None and finding.message_id and _repeats(said, finding.message_id):
        raise Quoted(
            _("That repeats the message at length, and would stay when the message has to go. Say what it shows.")
        )
    return said


def _repeats(said: str, message_id: int) -> bool:
    kept = MessageText.objects.filter(message=message_id).first()
    if kept is None:
        return False
    try:
        words = sealing.unseal(kept.sealed, kept.key_id).decode()
    except sealing.KeyMissing:  # nobody can have read them to copy them
        return False
    return casework.quotes(normalise(said), normalise(words))
