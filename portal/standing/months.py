"""One person's month as the archive has it: the calendar, every figure with what it means, and its versions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive import rules
from archive import services as archive
from archive.metrics import Metrics
from archive.models import Record
from archive.services import Day, KeepingFacts, Sealed
from portal.people.models import Employee


@dataclass(frozen=True)
class Figure:
    """One row: what it is called, its value, and how it is counted."""

    name: str
    value: str
    how: str = ""
    is_bad: bool = False


@dataclass(frozen=True)
class Group:
    title: str
    figures: tuple[Figure, ...]


def month_of(employee: Employee, viewer: Employee, month: date) -> dict | None:
    """Return what the page of a month shows, None where the viewer may see no record of it."""
    record = Record.objects.visible_to(viewer).filter(employee=employee, month=month).first()
    if record is None:
        return None
    mine = Record.objects.visible_to(viewer).filter(employee=employee)
    days = archive.days_of(employee, month)
    return {
        "person": employee,
        "is_own": employee == viewer,
        "record": record,
        "weeks": weeks(days),
        "tally": tally(days),
        "groups": [*groups(Metrics(**record.metrics)), kept(archive.keeping_facts(employee, month, viewer), record)],
        "versions": record.versions.all(),
        "holes": archive.holes_in(month),
        "before": mine.filter(month__lt=month).order_by("-month").first(),
        "after": mine.filter(month__gt=month).order_by("month").first(),
    }


def weeks(days: list[Day]) -> list[list[Day | None]]:
    """Return the days as weeks that begin on Monday; None where a week reaches beyond the month."""
    padded: list[Day | None] = [None] * days[0].on.weekday() + days
    padded += [None] * (-len(padded) % 7)
    return [padded[at : at + 7] for at in range(0, len(padded), 7)]


def tally(days: list[Day]) -> dict[str, int]:
    """Return how many days there are of each kind, and how many of them were barred as a whole."""
    kinds = [one.kind for one in days]
    return {kind: kinds.count(kind) for kind in rules.DAY_KINDS} | {"barred": sum(one.is_barred for one in days)}


def groups(m: Metrics) -> list[Group]:
    """Return all figures of a month in the reader's language."""
    return [
        Group(_("Messages"), tuple(_messages(m))),
        Group(_("Days and seat"), tuple(_days(m))),
        Group(_("Consent"), tuple(_consent(m))),
        Group(_("Taken back"), tuple(_recalls(m))),
        Group(_("Time to the archive"), tuple(_latency(m))),
        Group(_("Files, words and findings"), tuple(_rest(m))),
    ]


def kept(facts: KeepingFacts, record: Record) -> Group:
    """Return until when the month's messages are kept, what a hold keeps of them, and whether they are sealed."""
    until = date_format(facts.retention_until, "DATE_FORMAT") if facts.retention_until else "–"
    held = f"{facts.held:,}"
    if facts.holds:
        held = _("%(n)s: %(holds)s") % {"n": held, "holds": ", ".join(facts.holds)}
    figures = [
        Figure(
            _("Records that are still here"), f"{facts.messages:,}", _("messages, recalls and answers about consent")
        ),
        Figure(
            _("Kept until"),
            _("for ever") if facts.for_ever else until,
            _("of all that took part the longest period counts, and of all messages the latest day"),
        ),
        Figure(_("Under a hold"), held, _("kept until the hold is lifted, whatever the period")),
        *_sealed(facts.sealed),
    ]
    if record.frozen_by_id:
        figures[0] = Figure(figures[0].name, figures[0].value, _("others have been disposed of"))
    return Group(_("Keeping"), tuple(figures))


def _sealed(sealed: Sealed) -> Iterator[Figure]:
    at, looked = (_moment(one) if one else "" for one in (sealed.sealed_at, sealed.looked_at))
    yield Figure(
        _("Sealed"),
        _("seal %(number)s, %(at)s") % {"number": sealed.seal, "at": at} if sealed.seal else _("not yet"),
        _("the first signed seal of the evidence log over all of it"),
    )
    found = {
        None: _("not looked at since"),
        True: _("yes, %(at)s") % {"at": looked},
        False: _("no, %(at)s") % {"at": looked},
    }
    yield Figure(
        _("Verified"),
        found[sealed.is_sound],
        _("whether fingerprints, seals and log are still what was stored"),
        sealed.is_sound is False,
    )


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def _part(part: int, whole: int) -> str:
    """Return “12 of 30 (40 %)”, without the share where the whole is small."""
    shown = rules.share(part, whole)
    said = _("%(part)s of %(whole)s") % {"part": f"{part:,}", "whole": f"{whole:,}"}
    return said if shown is None else f"{said} ({shown} %)"


def _seconds(value: int | None) -> str:
    if value is None:
        return "–"
    if value < 120:
        return _("%(n)s s") % {"n": value}
    if value < 7200:
        return _("%(n)s min") % {"n": value // 60}
    return _("%(n)s h") % {"n": value // 3600}


def _messages(m: Metrics) -> list[Figure]:
    return [
        Figure(_("Archived"), f"{m.captured:,}", _("messages that were sent or received")),
        Figure(_("Sent"), f"{m.sent:,}"),
        Figure(_("Received"), f"{m.received:,}"),
        Figure(_("With clients"), _part(m.client_captured, m.captured), _("an outside contact takes part")),
        Figure(_("Sent to clients"), f"{m.client_sent:,}"),
        Figure(
            _("Against the months before"),
            "–" if m.drop_percent is None else f"{m.drop_percent} %",
            _("sent to clients, of the median of the three final months before"),
        ),
    ]


def _days(m: Metrics) -> list[Figure]:
    return [
        Figure(
            _("Days with a message sent"),
            _("%(n)s, of %(all)s working days") % {"n": m.active_days, "all": m.working_days},
        ),
        Figure(_("Days with clients"), str(m.client_days)),
        Figure(
            _("Longest silence"),
            ngettext("%(n)s working day", "%(n)s working days", m.longest_silence) % {"n": m.longest_silence},
            _("working days in a row with a seat and nothing sent"),
        ),
        Figure(
            _("Days with a seat"),
            str(m.seat_days)
            if m.permitted_days is None
            else _("%(n)s, of %(all)s permitted") % {"n": m.seat_days, "all": m.permitted_days},
            _("working days on the permit list; of those on which messaging was permitted"),
        ),
        Figure(
            _("To clients without a seat"),
            f"{m.sent_unseated:,}",
            _("seen only through a colleague’s seat"),
            m.sent_unseated > 0,
        ),
        Figure(
            _("To clients while not permitted"),
            f"{m.sent_barred:,}",
            _("training had lapsed or a breach was open at that moment"),
            m.sent_barred > 0,
        ),
    ]


def _consent(m: Metrics) -> list[Figure]:
    return [
        Figure(
            _("Contacts"), str(m.contacts), _("different outside contacts; agreed, refused and unknown add up to them")
        ),
        Figure(_("Agreed"), _part(m.agreed, m.contacts)),
        Figure(_("Refused"), str(m.refused)),
        Figure(_("No word"), str(m.unknown), "", m.unknown > 0),
        Figure(_("Written after a refusal"), str(m.after_refusal), _("in the same conversation"), m.after_refusal > 0),
    ]


def _recalls(m: Metrics) -> list[Figure]:
    return [
        Figure(_("Taken back"), _part(m.recalls, m.sent), _("recalls, of messages sent")),
        Figure(_("Median time until then"), _seconds(m.recall_delay_seconds)),
        Figure(_("Original not here"), str(m.orphan_recalls), _("its text is lost"), m.orphan_recalls > 0),
        Figure(_("With words that point off channel"), str(m.signal_recalls), "", m.signal_recalls > 0),
    ]


def _latency(m: Metrics) -> list[Figure]:
    return [
        Figure(_("Half within"), _seconds(m.latency_p50), _("from sending to being pulled, nearest rank")),
        Figure(_("95 % within"), _seconds(m.latency_p95)),
        Figure(_("Longest"), _seconds(m.latency_max)),
        Figure(
            _("Later than promised"),
            _part(m.late, m.captured),
            _("the source promises %(time)s") % {"time": _seconds(m.promised_latency)} if m.promised_latency else "",
        ),
        Figure(_("Clocks that disagree"), str(m.clocks_differ), _("pulled before they were sent: left out above")),
    ]


def _rest(m: Metrics) -> list[Figure]:
    reviewed = _("%(new)s to review, %(confirmed)s confirmed, %(dismissed)s dismissed") % {
        "new": m.signals_new, "confirmed": m.signals_confirmed, "dismissed": m.signals_dismissed,
    }  # fmt: skip
    return [
        Figure(_("Files that messages refer to"), f"{m.media_refs:,}"),
        Figure(
            _("Of these not kept"),
            str(m.media_missing),
            _("not fetched, or fetched with another hash"),
            m.media_missing > 0,
        ),
        Figure(_("Conversations forwarded to clients, or out of a room"), str(m.forwarded_in)),
        Figure(
            _("Messages with words that point off channel"),
            _("%(own)s own, %(addressed)s received") % {"own": m.signals_own, "addressed": m.signals_addressed},
            reviewed,
        ),
        Figure(
            _("Findings"),
            _("%(opened)s opened, %(closed)s closed") % {"opened": m.findings_opened, "closed": m.findings_closed},
        ),
        Figure(
            _("From opening to closing"),
            "–" if m.close_days is None else ngettext("%(n)s day", "%(n)s days", m.close_days) % {"n": m.close_days},
            _("median of those closed in the month"),
        ),
        Figure(
            _("Open at the end of the month"),
            _("%(open)s, %(overdue)s of them overdue") % {"open": m.findings_open, "overdue": m.findings_overdue},
            "",
            m.findings_overdue > 0,
        ),
    ]
