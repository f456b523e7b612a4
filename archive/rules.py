"""Decisions of the archive room: who a handle is, what opens a finding, and what state a person is in."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from archive.metrics import Behind, Evidence, Metrics
from archive.policy import Policy

NO_DATA, CLEAN, ATTENTION, BREACH = "no_data", "clean", "attention", "breach"
MEDIUM, HIGH = 2, 3  # Finding.Severity
BREACH_WHEN_CONFIRMED = ("off_channel", "deletion_request")
BREACH_WHILE_OPEN = ("unseated_client_talk", "barred_talk")
CLOCK_SLACK = timedelta(seconds=120)  # a puller's clock may be so much behind; more than that tells nothing

# The whole shape counts: a prefix alone would make a contact of an employee called wong.k.
_OUTSIDE = re.compile(r"(wm|wo|wb)[A-Za-z0-9_-]{16,}\Z")
_ADDRESS = re.compile(r"[^@\s]+@([^@\s]+\.[^@\s]+)\Z")
ZEROS_LOST = 12  # digits that a number is filled up to, in search of zeros that a table cut off

# Mail for everybody: who has such an address need not be of the firm, though somebody of its staff has one too.
PUBLIC_DOMAINS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "gmx.com",
        "qq.com",
        "foxmail.com",
        "163.com",
        "126.com",
        "yeah.net",
        "139.com",
        "189.cn",
        "sina.com",
        "sina.cn",
        "sohu.com",
        "aliyun.com",
    ]
)


def kind_by_shape(handle: str, own_domains: Set[str] | None = None) -> str:
    """Return contact, robot or unknown for a handle that is on no list of employees.

    ``own_domains`` are the firm's, lower case, where handles may be e-mail addresses: one outside them is a contact.
    A subdomain is not the domain: capture services give contacts addresses in one. None: handles are no addresses.
    """
    if found := _OUTSIDE.match(handle):
        return "robot" if found[1] == "wb" else "contact"
    if own_domains is not None and (address := _ADDRESS.match(handle)):
        return "unknown" if address[1].casefold() in own_domains else "contact"
    return "unknown"


def domains_of(addresses: Iterable[str]) -> frozenset[str]:
    """Return the domains of the addresses, but for those where anybody can have one."""
    return frozenset(one.rpartition("@")[2].casefold() for one in addresses if "@" in one) - PUBLIC_DOMAINS


def with_zeros(folded: str) -> list[str]:
    """Return what a number may have been before a table cut its leading zeros off; nothing for what is no number."""
    if not folded.isdecimal() or not folded.isascii():
        return []
    return [folded.zfill(digits) for digits in range(len(folded) + 1, ZEROS_LOST + 1)]


def without_zeros(folded: str) -> list[str]:
    """Return what a table may have made of a number with leading zeros."""
    if not folded.isdecimal() or not folded.isascii() or len(folded) > ZEROS_LOST:
        return []
    bare = folded.lstrip("0") or "0"
    return [folded[at:] for at in range(1, len(folded) - len(bare) + 1)]


def fold(handle: str) -> str:
    """Return the handle for comparing: userids are unique without regard to case."""
    return handle.casefold()[:128]


RANK = {"wecom": 0, "mail": 1, "csv": 2}  # the nearer to the channel, the more a copy tells


def outranks(kind: str, source: int, than_kind: str, than_source: int) -> bool:
    """Return whether the copy of the first source is the one to keep: so it is the same whichever came first."""
    return (RANK[kind], source) < (RANK[than_kind], than_source)


def latency_seconds(sent_at: datetime | None, captured_at: datetime | None) -> int | None:
    """Return whole seconds from sending to being pulled; None if either is unknown or the clocks disagree."""
    if sent_at is None or captured_at is None or captured_at < sent_at - CLOCK_SLACK:
        return None
    return min(max(0, (captured_at - sent_at) // timedelta(seconds=1)), 2**31 - 1)


@dataclass(frozen=True)
class Opening:
    """A finding that the facts call for. ``key`` names the facts: the same key never opens twice."""

    kind: str
    key: str
    employee: int | None = None
    source: int | None = None
    message: int | None = None
    facts: dict = field(default_factory=dict)
    on: date | None = None  # day of the facts; None: the day on which they were found
    severity: int | None = None  # None: as the policy says of its kind


def signal_openings(
    *,
    message: int,
    seq: int | None,
    ref: str,
    source: int,
    on: date | None,
    hits: Sequence[Mapping],
    sender: tuple[int, str] | None,
    addressed: tuple[int, str] | None,
    policy: Policy,
) -> list[Opening]:
    """Return what the signals of one message open: one finding a kind at most, about one person.

    ``ref`` names the message for ever: its channel and its id there.
    ``hits`` are {rule, kind, weight, start, end, language, version} with weights that already know of a recall.
    ``sender`` and ``addressed`` are (employee id, uid) of the person who wrote it, or else of the first employee it was
    sent to.
    """
    person, least = (sender, policy.own_words_weight) if sender else (addressed, policy.addressed_weight)
    if person is None:
        return []
    openings = []
    for kind, signal_kind in (("off_channel", "off_channel"), ("deletion_request", "deletion")):
        if any(hit["kind"] == signal_kind and hit["weight"] >= least for hit in hits):
            facts = {"seq": seq, "direction": "own" if sender else "addressed", "hits": [dict(hit) for hit in hits]}
            openings.append(Opening(kind, f"{kind}:{ref}", person[0], source, message, facts, on))
    return openings


def record_openings(
    *,
    employee: int,
    uid: str,
    month: date,
    until: date,
    metrics: Metrics,
    evidence: Evidence,
    policy: Policy,
) -> list[Opening]:
    """Return the findings that a month's record calls for, one a kind and month."""
    openings, nothing = [], Behind()

    def opens(kind: str, behind: Behind = nothing, **facts: object) -> None:
        key, first = f"{kind}:{uid}:{month:%Y-%m}", behind.first
        about = {"month": f"{month:%Y-%m}", "messages": list(behind.msgids), **facts}
        pk, on = (first.pk, first.day) if first else (None, until)
        openings.append(Opening(kind, key, employee, None, pk, about, on))

    many = metrics.recalls >= policy.recalls_least and metrics.recalls * 100 > policy.recall_percent * metrics.sent
    if many or metrics.signal_recalls:
        opens("recall_pattern", evidence.recalls, recalls=metrics.recalls, sent=metrics.sent)
    if metrics.after_refusal:
        opens("after_refusal", evidence.after_refusal, count=metrics.after_refusal)
    if metrics.sent_unseated:
        opens("unseated_client_talk", evidence.unseated, count=metrics.sent_unseated)
    if metrics.sent_barred:
        opens("barred_talk", evidence.barred, count=metrics.sent_barred)
    if metrics.client_media_missing:
        opens("media_missing", evidence.media, count=metrics.client_media_missing)
    if evidence.gifts and policy.client_gifts_count:
        opens("client_gift", evidence.gifts, count=len(evidence.gifts))
    if why := silence(metrics, policy):
        opens("silent_seat", why=why, seat_days=metrics.seat_days, longest_silence=metrics.longest_silence)
    return openings


def silence(metrics: Metrics, policy: Policy) -> list[str]:
    """Return in which ways somebody with a seat is silent: nothing at all, a long pause, or far less than before."""
    found = {
        "nothing": is_silent_seat(metrics, policy),
        "pause": metrics.longest_silence >= policy.silence_days,
        "drop": metrics.drop_percent is not None and metrics.drop_percent < policy.drop_percent,
    }
    return [why for why, holds in found.items() if holds]


def is_silent_seat(metrics: Metrics, policy: Policy) -> bool:
    return metrics.seat_days >= policy.silent_seat_days and metrics.captured == 0


def consent_is_due(first_on: date, today: date, policy: Policy) -> bool:
    """Return whether a contact's word should be here by now: so many days after the first message."""
    return today >= first_on + timedelta(days=policy.consent_days)


@dataclass(frozen=True)
class Pace:
    """How fast a file is being read: lines a second, and seconds that are left at this pace; None: too early to say."""

    lines_a_second: int | None
    seconds_left: int | None


def pace(*, lines: int, offset: int, size: int, seconds: float) -> Pace:
    if seconds < 1 or not offset:
        return Pace(None, None)
    return Pace(int(lines / seconds), int(seconds * (size - offset) / offset))


TOLD_DAYS = 3  # a slip that the person told of covers what is found about so many days before and after
TOLD = "self_report"
LIGHTER_WHEN_TOLD = ("off_channel", "deletion_request", "after_refusal")


def weigh(severity: int) -> int:
    """Return the severity of what the person had told of before it was found: one step less, never below low."""
    return max(severity - 1, 1)


@dataclass(frozen=True)
class OpenFinding:
    kind: str
    severity: int
    is_confirmed: bool
    due_on: date
    is_self_reported: bool = False


@dataclass(frozen=True)
class Reason:
    """Why a person is in a state: a code, and a finding's kind or a count where that says more."""

    code: str
    kind: str = ""
    count: int = 0


def archive_state(
    *,
    has_identity: bool,
    has_seat: bool | None,
    captured_lately: bool,
    findings: Iterable[OpenFinding],
    is_silent: bool,
    is_late: bool,
    today: date,
) -> tuple[str, list[Reason]]:
    """Return (state, reasons). ``has_seat`` is None where no permit list speaks for today.

    An open finding is data: it is never hidden behind "no data". Clean says that nothing was found in what was
    captured, never that everything was captured.
    """
    tally: dict[tuple[str, str], int] = {}
    for one in findings:
        if one.kind == TOLD:
            continue  # that somebody spoke up never counts against them
        overdue = one.severity >= HIGH and one.due_on < today
        is_breach = one.is_confirmed and one.kind in BREACH_WHEN_CONFIRMED and not one.is_self_reported
        if is_breach or one.kind in BREACH_WHILE_OPEN:
            code = "confirmed" if one.kind in BREACH_WHEN_CONFIRMED else "breaching"
        elif overdue:
            code = "overdue"
        elif one.severity >= MEDIUM:
            code = "open"
        else:
            continue
        tally[code, one.kind] = tally.get((code, one.kind), 0) + 1
    reasons = [Reason(code, kind, count) for (code, kind), count in sorted(tally.items())]
    if breaches := [reason for reason in reasons if reason.code != "open"]:
        return BREACH, breaches
    if is_silent:
        reasons.append(Reason("silent"))
    if is_late:
        reasons.append(Reason("late"))
    if reasons:
        return ATTENTION, reasons
    if not has_identity:
        return NO_DATA, [Reason("no_identity")]
    if not has_seat and not captured_lately:
        return NO_DATA, [Reason("no_seat")]
    return CLEAN, []


DAY_KINDS = ("captured", "gap", "unseated", "unknown", "off", "beyond")


def day_kind(*, captured: int, is_covered: bool, is_working: bool, has_seat: bool | None) -> str:
    """Return what a day of one person is.

    captured: there are messages · gap: a working day with a seat and none · unseated: a working day without a seat ·
    unknown: no list of seats speaks for it · off: no working day · beyond: the feed does not reach it.
    """
    if captured:
        return "captured"
    if not is_covered:
        return "beyond"
    if not is_working:
        return "off"
    return {True: "gap", False: "unseated", None: "unknown"}[has_seat]


SMALL = 20  # below so many messages a share misleads: the counts are shown


def share(part: int, whole: int) -> int | None:
    """Return a whole percent, rounded half up; None where the whole is too small to speak of shares."""
    return (200 * part + whole) // (2 * whole) if whole >= SMALL else None


def next_change_on(findings: Iterable[OpenFinding], today: date) -> date:
    """Return the next day, after today, on which a state may change though nothing new comes.

    That is the day after a high finding was due, or the first of next month: then another month is the last full one.
    """
    next_month = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    overdue = (one.due_on + timedelta(days=1) for one in findings if one.severity >= HIGH and one.due_on >= today)
    return min([next_month, *overdue])
