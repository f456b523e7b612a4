"""Which feeds have fallen silent."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from archive import policy, silence
from archive.models import Finding, Import, Source
from archive.rules import Opening
from archive.services import findings, hearing
from archive.services.turns import take_turn
from archive.silence import LOSS, Listening, Pause

KIND = "source_silent"
SEVERITY = {silence.ATTENTION: Finding.Severity.MEDIUM, silence.BREACH: Finding.Severity.HIGH}
HOUR = timedelta(hours=1)


def listen_to(source: Source, *, now: datetime) -> Listening:
    """Return how silent the source is. Three queries, however much it has delivered."""
    terms = policy.current()
    begins = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=terms.silent_look_back_days)
    last = hearing.last_before(source, now, since=begins)
    return silence.listen(
        now=now,
        last_record_at=last,
        last_pull_at=last_pull_at(source, now),
        pauses=_usual(source, _pauses(source, begins, last)) if last else [],
        hours=silence.Hours(ZoneInfo(source.time_zone), terms.firm_calendar, *terms.work_hours),
        promise=timedelta(seconds=source.expected_latency_seconds),
        is_lost_in_time=source.kind == Source.Kind.WECOM,
        policy=terms,
    )


def last_pull_at(source: Source, now: datetime) -> datetime:
    """Return when anything was last heard of a pull: a delivery, or a moment of pulling that a record tells.

    A source that never delivered has been waited for since it was set up.
    """
    told = source.last_captured_at and min(source.last_captured_at, now)
    return max((at for at in (source.last_pull_at, told) if at), default=source.created_at)


def _pauses(source: Source, begins: datetime, last: datetime) -> Iterator[Pause]:
    """Yield the time between two records wherever it is an hour or more, from ``begins`` on.

    Such a pause ends after the hour in which it began. So the first and the last record of each hour tell all of them.
    """
    before = None
    for first, latest in hearing.ends_of_hours(source, begins, last):
        if before and first - before >= HOUR:
            yield before, first
        before = latest


def _usual(source: Source, pauses: Iterator[Pause]) -> list[Pause]:
    """Leave out the pauses that were told as silences, but for those that a reviewer found to be none."""
    silences = Finding.objects.filter(source=source, kind=KIND).exclude(state=Finding.State.DISMISSED)
    began = {facts.get("last_record") for facts in silences.values_list("facts", flat=True)}
    return [(start, end) for start, end in pauses if start.isoformat() not in began]


@transaction.atomic
def judge_silence(*, by: str, now: datetime) -> None:
    """Open a finding for each source that is too silent, let it grow with the silence, and close it when that ends."""
    take_turn()
    today = timezone.localdate(now)
    for source in Source.objects.order_by("pk"):
        about = list(_open(source).select_related("employee"))
        told = next((one for one in about if one.facts["level"] != LOSS), None)
        if source.is_retired(today):
            if told:
                findings.close_on_evidence(told, why="the source was retired", by=by, now=now)
            continue
        heard = listen_to(source, now=now)
        if heard.level:
            _tell(source, heard, told, by, now)
        elif told:
            findings.close_on_evidence(told, why="records came", by=by, now=now)
        _judge_loss(source, heard, [one for one in about if one.facts["level"] == LOSS], by, now)


def _open(source: Source) -> QuerySet[Finding]:
    return findings.open_about(source, KIND).order_by("pk")


def _tell(source: Source, heard: Listening, told: Finding | None, by: str, now: datetime) -> None:
    level = silence.BREACH if heard.level == LOSS else heard.level  # what is lost has a finding of its own
    facts = {
        "level": level,
        "why": heard.why,
        "since": heard.since.isoformat(),
        "last_record": heard.last_record_at.isoformat() if heard.last_record_at else None,
        "last_pull": heard.last_pull_at.isoformat(),
        "allowed_work_seconds": int(heard.work_limit.allowed.total_seconds()),
        "allowed_off_seconds": int(heard.off_limit.allowed.total_seconds()),
    }
    if told is None:
        # One a silence: it goes on as long as the last record is the same, whichever of the two was missed first.
        began = heard.last_record_at or heard.last_pull_at
        key = f"{KIND}:{source.pk}:{began.isoformat()}"
        day = timezone.localdate(heard.since)
        opening = Opening(KIND, key, None, source.pk, None, facts, day, SEVERITY[level])
        findings.open_all([opening], by=by, now=now)
    elif SEVERITY[level] > told.severity:
        findings.worsen(told, severity=SEVERITY[level], facts=facts, by=by)


def _judge_loss(source: Source, heard: Listening, lost: list[Finding], by: str, now: datetime) -> None:
    """Keep a finding for what is gone for good, with its span. Only a person closes it, or records of that time."""
    for finding in lost:
        _measure(source, finding, by, now)
    if heard.pulls_level == LOSS:
        span = silence.lost_span(heard.last_pull_at, now, policy.current())
        if span and not any(one.facts["from"] == span[0].isoformat() for one in lost):
            facts = {"level": LOSS, "from": span[0].isoformat(), "until": span[1].isoformat(), "goes_on": True}
            key = f"{KIND}:{source.pk}:loss:{span[0].isoformat()}"
            day = timezone.localdate(span[0])
            opening = Opening(KIND, key, None, source.pk, None, facts, day, Finding.Severity.CRITICAL)
            findings.open_all([opening], by=by, now=now)


def _measure(source: Source, finding: Finding, by: str, now: datetime) -> None:
    """Bring the end of a span up to date; once pulls go on it is known for good."""
    if not finding.facts["goes_on"]:
        return
    begins = datetime.fromisoformat(finding.facts["from"])
    again = _pulled_again_at(source, begins, now)
    span = silence.lost_span(begins, again or now, policy.current())
    if again and (span is None or hearing.has_heard(source, *span)):
        findings.close_on_evidence(finding, why="records of that time came", by=by, now=now)
        return
    facts = {**finding.facts, "until": span[1].isoformat(), "goes_on": again is None}
    if again:
        findings.worsen(finding, severity=finding.severity, facts=facts, by=by)
    else:  # it grows by the hour: what is final will be an Entry
        Finding.objects.filter(pk=finding.pk).update(facts=facts)


def _pulled_again_at(source: Source, after: datetime, now: datetime) -> datetime | None:
    """Return when the first delivery after the moment came. An empty one that ended a silence has an import too."""
    if last_pull_at(source, now) <= after:
        return None
    deliveries = Import.objects.filter(source=source, started_at__gt=after).exclude(via=Import.Via.REPAIR)
    first = deliveries.order_by("started_at").values_list("started_at", flat=True).first()
    return first or source.last_pull_at


def ended(source: Source, *, now: datetime) -> Finding | None:
    """Return the open finding of a silence that has just ended, to be closed."""
    told = next((one for one in _open(source) if one.facts["level"] != LOSS), None)
    return told if told and not listen_to(source, now=now).level else None
