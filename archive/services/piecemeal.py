"""What an import brings to light, looked at piece by piece: each is a transaction of bounded size.

An import keeps its place beside the rows of each piece, so one that is killed goes on from its last piece. A piece that
is done again opens nothing twice: a finding's key is there once.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone

from archive import calendars, policy
from archive.models import Batch, Conflict, Import, Message, Signal, Source
from archive.rules import Opening
from archive.services import findings, holes, marking, silence, strangers
from archive.services.plans import Plan, carry_out
from archive.services.turns import take_turn

PIECE = 500  # rows looked at in one transaction, more or less
DONE = "done"
LISTED = 20  # lines that a finding names
WINDOW = timedelta(days=6)  # and the day itself: looked at for late days at once
BATCHES = 50  # looked at for signals at once

Look = Callable[[Import, object, int, datetime], Plan]


def is_judged(run: Import) -> bool:
    return run.judging.get("stage") == DONE


def judge_piece(run: Import, *, by: str, now: datetime) -> None:
    """Open and close the next of what this import calls for, but for the records, which services.records judges.

    In the caller's transaction, with the source locked and ``run.source`` read under that lock. ``run.judging`` says
    where to go on; the caller saves it.
    """
    take_turn()
    stage, after = run.judging.get("stage") or next(iter(STAGES)), run.judging.get("after")
    plans, left = [], PIECE
    while left > 0 and stage != DONE:
        plan = STAGES[stage](run, after, left, now)
        plans.append(plan)
        left -= plan.looked
        after = plan.after
        if after is None:
            stage = _NEXT[stage]
    run.judging = {**run.judging, "stage": stage, "after": after}
    carry_out(plans, by=by, now=now)


def _seats(run: Import, after: object, _most: int, _now: datetime) -> Plan:
    """Mark the months of whoever had a seat: before any Entry, since a push into another source may hold the rows."""
    if run.first_sent_at is None:
        return Plan()
    since = date.fromisoformat(after) if after else timezone.localdate(run.first_sent_at)
    months = marking.seated_months(since)
    marked = marking.mark_seated_in(months[0]) if months else 0
    return Plan(looked=marked, after=months[1].isoformat() if len(months) > 1 else None)


def _filled(run: Import, _after: object, most: int, _now: datetime) -> Plan:
    return holes.filled(run.source, most)


def _holes(run: Import, _after: object, most: int, _now: datetime) -> Plan:
    return holes.untold(run.source, most)


def _silence(run: Import, _after: object, _most: int, now: datetime) -> Plan:
    ended = silence.ended(run.source, now=now)
    return Plan(closings={ended.pk: "records came"} if ended else {})


def _matched(_run: Import, after: object, most: int, _now: datetime) -> Plan:
    return strangers.matched(after or 0, most)


def _unmatched(run: Import, _after: object, most: int, _now: datetime) -> Plan:
    return strangers.unmatched([run.source_id], max(1, most // 10))


def _readable(run: Import, after: object, most: int, _now: datetime) -> Plan:
    """Close the findings about key versions of which every record came readable."""
    told = list(findings.open_about(run.source, "unreadable").filter(pk__gt=after or 0).order_by("pk")[:most])
    versions = {one.pk: one.facts["publickey_ver"] for one in told}
    still = _dark(run.source, set(versions.values()))
    closings = {pk: "the records came readable" for pk, version in versions.items() if version not in still}
    return Plan(looked=len(told), closings=closings, after=told[-1].pk if len(told) == most else None)


def _dark(source: Source, versions: set[int | None]) -> set[int | None]:
    """Return those of the key versions under which there are records that could not be decrypted."""
    dark = Message.objects.filter(source=source, error_code__isnull=False)
    still = set(dark.filter(publickey_ver__among=versions - {None}).values_list("publickey_ver", flat=True).distinct())
    return still | ({None} if None in versions and dark.filter(publickey_ver=None).exists() else set())


def _unreadable(run: Import, after: object, most: int, _now: datetime) -> Plan:
    """One finding for each key version under which records could not be decrypted. NULL, a version not told, first."""
    most = max(most, 2)  # so that a piece ends with a version
    dark = Message.objects.filter(source=run.source, error_code__isnull=False)
    dark = dark.filter(publickey_ver__gt=after) if after is not None else dark
    counted = dark.values("publickey_ver").annotate(count=Count("pk"), first=Min("seq"), last=Max("seq"))
    rows = list(counted.order_by(F("publickey_ver").asc(nulls_first=True))[:most])
    versions = {row["publickey_ver"] for row in rows}
    about = findings.open_about(run.source, "unreadable").values_list("facts__publickey_ver", flat=True)
    told = {version for version in about.iterator() if version in versions} if rows else set()
    openings = [
        Opening("unreadable", f"unreadable:{run.source_id}:{version}:{row['first']}", None, run.source_id, None, row)
        for row in rows
        if (version := row["publickey_ver"]) not in told
    ]
    return Plan(looked=len(rows), openings=openings, after=rows[-1]["publickey_ver"] if len(rows) == most else None)


def unknown_kinds(source: Source, *, after: str | None = None, most: int = 1000) -> list[str]:
    """Return the kinds of message in the source that no documentation names, in order."""
    rows = Message.objects.filter(source=source, is_known_kind=False, error_code=None)
    rows = rows.filter(msgtype__gt=after) if after is not None else rows
    return list(rows.order_by("msgtype").values_list("msgtype", flat=True).distinct()[:most])


def _new_kinds(run: Import, after: object, most: int, _now: datetime) -> Plan:
    kinds, source = unknown_kinds(run.source, after=after, most=most), run.source_id
    openings = [
        Opening("unknown_kind", f"unknown_kind:{source}:{kind}", None, source, None, {"msgtype": kind})
        for kind in kinds
    ]
    return Plan(looked=len(kinds), openings=openings, after=kinds[-1] if len(kinds) == most else None)


def _conflicts(run: Import, after: object, most: int, _now: datetime) -> Plan:
    rows = Conflict.objects.filter(run=run, pk__gt=after or 0).select_related("first").order_by("pk")
    found = list(rows[:most])
    openings = []
    for one in found:
        facts = {
            "conflict": one.kind,
            "msgid": one.msgid,
            "seq": one.seq,
            "line": one.line_no,
            "import": run.uid,
            "first_seq": one.first.seq if one.first else None,
        }
        key = f"conflict:{one.source_id}:{one.msgid}:{one.seq}:{bytes(one.fingerprint).hex()}"
        openings.append(Opening("conflict", key, None, one.source_id, one.first_id, facts))
    return Plan(looked=len(found), openings=openings, after=found[-1].pk if len(found) == most else None)


def _late(run: Import, after: object, _most: int, now: datetime) -> Plan:
    """Days of this import of whose messages too many came late, a week at a time; days without any are passed over."""
    if run.first_sent_at is None:
        return Plan()
    zone = timezone.get_default_timezone()
    last = last_day_over(run.source, timezone.localdate(run.last_sent_at), now)
    begins = date.fromisoformat(after) if after else timezone.localdate(run.first_sent_at)
    content = Message.objects.content().filter(source=run.source, sent_at__gte=calendars.day_begins(begins, zone))
    first = content.order_by("sent_at").values_list("sent_at", flat=True).first()
    if first is None or timezone.localdate(first) > last:
        return Plan()
    begins = timezone.localdate(first)
    ends = min(begins + WINDOW, last)
    openings, messages = late_days(run.source, begins, ends)
    rest = (ends + timedelta(1)).isoformat() if ends < last else None
    return Plan(looked=1 + messages // 500, openings=openings, after=rest)


def last_day_over(source: Source, last: date, now: datetime) -> date:
    """Return ``last``, or the last day before it that is over, by the clock or by what the feed tells."""
    told = source.last_captured_at or source.last_sent_at or now
    return min(last, max(timezone.localdate(told), timezone.localdate(now)) - timedelta(1))


def late_days(source: Source, first: date, last: date) -> tuple[list[Opening], int]:
    """Return what the days call for of whose messages too many came late, and how many messages all of them have."""
    zone, openings, messages = timezone.get_default_timezone(), [], 0
    late = Q(latency_seconds__gt=source.expected_latency_seconds)
    for day in (first + timedelta(n) for n in range((last - first).days + 1)):
        of_day = Message.objects.content().filter(
            source=source,
            sent_at__gte=calendars.day_begins(day, zone),
            sent_at__lt=calendars.day_begins(day + timedelta(1), zone),
        )
        row = of_day.aggregate(messages=Count("pk"), late=Count("pk", filter=late), longest=Max("latency_seconds"))
        messages += row["messages"]
        if row["late"] * 100 > policy.current().late_percent * row["messages"]:
            facts = {"day": day.isoformat(), **row, "promised": source.expected_latency_seconds}
            key = f"capture_late:{source.pk}:{day}"
            openings.append(Opening("capture_late", key, None, source.pk, None, facts, day))
    return openings, messages


def _batches(run: Import, after: object, most: int, _now: datetime) -> Plan:
    """What the signals of its messages call for, batch by batch. On the way it is noted what was taken back or mended.

    The notes are on ``run.judging``: between which moments something was taken back, and the first repaired records.
    """
    back, repaired = run.judging.get("back", []), run.judging.get("repaired", [])
    batches = Batch.objects.filter(run=run, number__gt=after or 0).order_by("number").values_list("pk", "number")
    pks: list[int] = []
    looked, at = 0, None
    for pk, number in batches[:BATCHES]:
        looked, at = looked + 1, number
        messages = Message.objects.filter(batch=pk)
        pks += Signal.objects.filter(message__batch=pk).values_list("message_id", flat=True).distinct()
        recalls = messages.filter(category=Message.Category.RECALL, sent_at__isnull=False)
        back = _ends([*back, *(at.isoformat() for at in recalls.values_list("sent_at", flat=True))])
        mended = messages.filter(was_repaired=True).order_by("seq", "line_no").values_list("seq", "line_no", "msgid")
        repaired = sorted([*repaired, *map(list, mended[: LISTED + 1])], key=_by_number)[: LISTED + 1]
        if len(pks) >= most:
            break
    run.judging = {**run.judging, "back": back, "repaired": repaired}
    return Plan(looked=len(pks) + looked, openings=_of_messages(pks), after=at)


def _ends(moments: list[str]) -> list[str]:
    """Return the first and the last of them, or nothing of nothing."""
    ordered = sorted(moments, key=datetime.fromisoformat)
    return [ordered[0], ordered[-1]] if ordered else []


def _by_number(told: list) -> tuple:
    seq, line, _msgid = told
    return (seq is None, seq, line) if seq is not None else (True, 0, line)


def _repaired(run: Import, _after: object, _most: int, _now: datetime) -> Plan:
    found = run.judging.get("repaired", [])
    if not found:
        return Plan()
    seqs, lines = [seq for seq, _line, _msgid in found if seq], [line for _seq, line, _msgid in found]
    facts = {"import": run.uid, "seqs": seqs[:LISTED], "lines": lines[:LISTED], "more": len(found) > LISTED}
    first = seqs[0] if seqs else found[0][2]  # a feed without numbers names the message
    key = f"text_repaired:{run.source_id}:{first}"
    return Plan(looked=len(found), openings=[Opening("text_repaired", key, None, run.source_id, None, facts)])


def _of_messages(pks: Iterable[int]) -> list[Opening]:
    ordered = sorted(set(pks))
    chunks = (ordered[at : at + 500] for at in range(0, len(ordered), 500))
    return [opening for chunk in chunks for opening in findings.signal_openings(chunk)]


def _said_taken_back(run: Import, after: object, most: int, _now: datetime) -> Plan:
    """A table's rows say of messages that are here that they were taken back: their light signals are heavier now."""
    if run.source.kind != Source.Kind.CSV:
        return Plan()
    light = Signal.objects.filter(message__recalled_at__isnull=False, weight__lte=policy.current().addressed_weight)
    rows = list(light.filter(pk__gt=after or 0).order_by("pk").values_list("pk", "message_id")[:most])
    openings = _of_messages(message for _pk, message in rows)
    return Plan(looked=len(rows), openings=openings, after=rows[-1][0] if len(rows) == most else None)


def _before_recalls(run: Import, after: object, most: int, _now: datetime) -> Plan:
    """Light signals from some minutes before its first recall to its last: one of these may make them heavier."""
    if after is None:
        if not run.judging.get("back"):
            return Plan()
        first, last = run.judging["back"]
        since = datetime.fromisoformat(first) - timedelta(minutes=policy.current().recall_minutes)
        after = {"at": since.isoformat(), "pk": 0, "last": last}
    at, last = datetime.fromisoformat(after["at"]), datetime.fromisoformat(after["last"])
    beyond = Q(sent_at__gt=at) | Q(sent_at=at, pk__gt=after["pk"])
    light = Signal.objects.filter(beyond, sent_at__gte=at, sent_at__lte=last)
    light = light.filter(weight__lte=policy.current().addressed_weight).order_by("sent_at", "pk")
    rows = list(light.values_list("sent_at", "pk", "message_id")[:most])
    openings = _of_messages(message for _at, _pk, message in rows)
    place = {"at": rows[-1][0].isoformat(), "pk": rows[-1][1], "last": after["last"]} if len(rows) == most else None
    return Plan(looked=len(rows), openings=openings, after=place)


STAGES: dict[str, Look] = {
    "seats": _seats,
    "filled": _filled,
    "holes": _holes,
    "silence": _silence,
    "matched": _matched,
    "unmatched": _unmatched,
    "readable": _readable,
    "unreadable": _unreadable,
    "kinds": _new_kinds,
    "conflicts": _conflicts,
    "late": _late,
    "batches": _batches,
    "repaired": _repaired,
    "taken_back": _said_taken_back,
    "before_recalls": _before_recalls,
}
_NEXT = dict(zip(STAGES, [*list(STAGES)[1:], DONE], strict=True))
