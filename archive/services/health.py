"""How each feed is doing, for the pages of imports. Nothing here counts messages or adds up imports."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from archive import policy
from archive.models import Finding, Hole, Import, Message, RecordDue, Source, SourceToken, Unmatched
from archive.services import months, silence
from archive.services.afterwards import waiting
from archive.services.copy_pages import newest_list
from archive.services.holes import seems_to_skip
from archive.services.matching import strange_messages
from archive.silence import LOSS, Listening
from archive.source_metrics import SourceMetrics
from portal.people.models import Employee

LISTED = 20


@dataclass(frozen=True)
class Card:
    """A source in short. ``level``: of the silence that was told and is open; None: it delivers."""

    source: Source
    level: str | None
    is_retired: bool
    missing_numbers: int
    unmatched: int
    open_findings: int
    open_lines: int  # set aside, and nobody has said what they are

    @property
    def is_new(self) -> bool:
        return self.source.last_pull_at is None and self.source.last_sent_at is None


def source_cards(viewer: Employee, *, now: datetime | None = None) -> list[Card]:
    """Return what the viewer may know of each source, by name, in a constant number of queries."""
    if not viewer.is_active or not viewer.has_perm("archive.view_imports"):
        return []
    today = timezone.localdate(now or timezone.now())
    missing = dict(_by_source(Hole.objects.exclude(state=Hole.State.EXPLAINED), _LENGTH))
    strangers = dict(_by_source(Unmatched.objects, Count("pk")))
    about = Finding.objects.open().filter(employee=None, source__isnull=False)
    found = dict(_by_source(about, Count("pk")))
    with_lines = Import.objects.filter(set_aside__gt=F("asides_settled"))  # few, and by an index
    lines = dict(_by_source(with_lines, Sum(F("set_aside") - F("asides_settled"))))
    levels = defaultdict(list)
    for source, facts in about.filter(kind=Finding.Kind.SOURCE_SILENT).values_list("source", "facts"):
        levels[source].append(facts["level"])
    return [
        Card(
            source=one,
            level=max(levels[one.pk], key=_LEVELS.index, default=None),
            is_retired=one.is_retired(today),
            missing_numbers=missing.get(one.pk, 0),
            unmatched=strangers.get(one.pk, 0),
            open_findings=found.get(one.pk, 0),
            open_lines=lines.get(one.pk, 0),
        )
        for one in Source.objects.all()
    ]


_LEVELS = ["attention", "breach", "loss"]
_LENGTH = Sum(F("last") - F("first") + 1)


def _by_source(rows: QuerySet, what) -> QuerySet:
    return rows.order_by().values_list("source").annotate(of_source=what)


@dataclass(frozen=True)
class Numbers:
    """The numbers of a source between its first and its last: how many there should be, and how many are missing.

    ``explained``: absent as well, but a person has said why there never were any.
    """

    first: int
    last: int
    missing: int
    holes: int
    explained: int = 0

    @property
    def all(self) -> int:
        return self.last - self.first + 1 - self.explained

    @property
    def present(self) -> int:
        return self.all - self.missing

    @property
    def percent(self) -> str:
        """Present of all, to two places, rounded down: 100.00 always means every number."""
        hundredths = self.present * 10_000 // self.all  # the first number is there, so there is one at least
        return f"{hundredths // 100}.{hundredths % 100:02}"


@dataclass(frozen=True)
class NewKind:
    kind: str
    messages: int
    first_at: datetime | None
    finding: Finding | None  # None: not judged yet

    @property
    def is_declared(self) -> bool:
        return self.finding is not None and not self.finding.is_open


@dataclass(frozen=True)
class StrangeHandle:
    row: Unmatched
    first_at: datetime | None
    last_at: datetime | None
    messages: int


@dataclass(frozen=True)
class Health:
    """All that the page of a source says of it."""

    source: Source
    now: datetime
    is_retired: bool
    heard: Listening
    silences: list[Finding]
    numbers: Numbers | None  # None: the feed has no numbers, or nothing has come
    skips: bool  # its numbers seem to skip normally
    holes: Page
    handles: Page
    kinds: list[NewKind]
    unreadable: list[dict]  # publickey_ver, error_code, messages, first, last, newest, until
    months: list[tuple[date, SourceMetrics, datetime | None]]  # with when the rest was counted
    last_list: datetime | None  # when the newest permit list was taken
    findings: list[Finding]
    open_findings: int
    waiting: int
    tokens: list[SourceToken]
    months_due: int  # of people, of all sources: that are to be computed, as after a match

    @property
    def is_new(self) -> bool:
        return self.source.last_pull_at is None and self.source.last_sent_at is None

    @property
    def level(self) -> str | None:
        """What is wrong just now with its silence; nothing is asked of a retired source."""
        return None if self.is_retired else self.heard.level

    @property
    def quiet_pulls(self) -> timedelta:
        return self.now - self.heard.last_pull_at

    @property
    def quiet_records(self) -> timedelta:
        return self.now - (self.heard.last_record_at or self.now)

    @property
    def lost(self) -> list[tuple[datetime, datetime]]:
        """From when to when what was sent is gone for good."""
        losses = [one.facts for one in self.silences if one.facts["level"] == LOSS]
        return [(datetime.fromisoformat(facts["from"]), datetime.fromisoformat(facts["until"])) for facts in losses]


def health_of(
    source: Source, viewer: Employee, *, now: datetime, holes_page: str | None = None, handles_page: str | None = None
) -> Health:
    """Return how the source is doing. The number of queries does not depend on how much it has delivered."""
    about = Finding.objects.visible_to(viewer).open().filter(source=source, employee=None).for_list()
    findings = list(about[:LISTED])
    return Health(
        source=source,
        now=now,
        is_retired=source.is_retired(timezone.localdate(now)),
        heard=silence.listen_to(source, now=now),
        silences=[one for one in findings if one.kind == Finding.Kind.SOURCE_SILENT],
        numbers=_numbers(source),
        skips=seems_to_skip(source, now=now),
        holes=Paginator(Hole.objects.filter(source=source).order_by("-first"), LISTED).get_page(holes_page),
        handles=_handles(source, handles_page),
        kinds=_kinds(source),
        unreadable=_unreadable(source, now),
        months=months.metrics_of(source, now=now),
        last_list=newest_list(source),
        findings=findings,
        open_findings=about.count(),
        waiting=waiting().filter(source=source).count(),
        tokens=list(source.tokens.select_related("made_by").order_by(_ENDED_LAST, "-made_at", "-pk")[:LISTED]),
        months_due=RecordDue.objects.count(),
    )


_ENDED_LAST = F("ended_at").desc(nulls_first=True)  # what opens the source is always listed


def _numbers(source: Source) -> Numbers | None:
    if source.first_seq is None:
        return None
    is_explained = Q(state=Hole.State.EXPLAINED)
    found = Hole.objects.filter(source=source).aggregate(
        missing=Sum(F("last") - F("first") + 1, filter=~is_explained, default=0),
        holes=Count("pk", filter=~is_explained),
        explained=Sum(F("last") - F("first") + 1, filter=is_explained, default=0),
    )
    return Numbers(source.first_seq, source.last_seq, **found)


def _handles(source: Source, number: str | None) -> Page:
    page = Paginator(Unmatched.objects.filter(source=source).order_by("handle_folded"), LISTED).get_page(number)
    seen = {folded: rest for folded, *rest in strange_messages(row.handle_folded for row in page.object_list)}
    page.object_list = [StrangeHandle(row, *seen.get(row.handle_folded, (None, None, 0))) for row in page.object_list]
    return page


def _kinds(source: Source) -> list[NewKind]:
    rows = Message.objects.filter(source=source, is_known_kind=False, error_code=None)
    found = list(rows.order_by("msgtype").values_list("msgtype").annotate(Count("pk"), Min("sent_at")))
    keys = {f"unknown_kind:{source.pk}:{kind}": kind for kind, _count, _at in found}
    told = {keys[one.key]: one for one in Finding.objects.filter(key__in=keys)}
    return [NewKind(kind, count, at, told.get(kind)) for kind, count, at in found]


def _unreadable(source: Source, now: datetime) -> list[dict]:
    """Return them by key and code. ``until``: when WeCom has none of them any more; None: it is past, or not known."""
    dark = Message.objects.filter(source=source, error_code__isnull=False)
    rows = dark.values("publickey_ver", "error_code").annotate(
        messages=Count("pk"), first=Min("seq"), last=Max("seq"), newest=Max("captured_at")
    )
    window = timedelta(hours=policy.current().no_pull_hours[-1])
    return [
        {**row, "until": row["newest"] + window if row["newest"] and row["newest"] + window > now else None}
        for row in rows.order_by("publickey_ver", "error_code")
    ]
