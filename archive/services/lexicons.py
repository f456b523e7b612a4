"""The firm's lexicon: which one counts, drafts of the next, and what a draft would have found."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import lexicon, lexicon_check, lexicon_text, sealing
from archive.lexicon import Hit, Lexicon, Rule
from archive.models import Finding, LexiconVersion, Message, MessageText, Signal
from archive.models.messages import PartyKind
from archive.normalising import normalise
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.shares import percent

LATELY = timedelta(days=90)
TASK = "archive.tasks.try_lexicon"
STEP = 500  # messages of a trial in one step
NOTE_LIMIT = 300
CHAT_RECORD = "chatrecord"  # the words kept of one are other people's


class DraftExists(RuntimeError):
    """There is a draft already: two at a time would undo each other."""


class NotADraft(RuntimeError):
    """The version has been switched on: it never changes again."""


class ChangedMeanwhile(RuntimeError):
    """Somebody else has saved the draft since it was read."""


class NoteMissing(ValueError):
    """Switching on needs a note."""


# --- which one counts


def active() -> Lexicon:
    """Return what messages are looked at with from now on. One short query; compiled once a process and version."""
    row = LexiconVersion.objects.filter(state=LexiconVersion.State.ACTIVE).values_list("pk", "switched_on_at").first()
    return _switched_on(*row) if row else lexicon_text.shipped()


@lru_cache(maxsize=4)
def _switched_on(pk: int, _switched_on_at: datetime) -> Lexicon:
    return compiled(LexiconVersion.objects.get(pk=pk))


def compiled(version: LexiconVersion) -> Lexicon:
    """Return the version ready for use. Raises lexicon_text.BrokenLexicon."""
    return lexicon_text.parse(version.content, version=str(version.number))


def named(version: str) -> Lexicon:
    """Return the version that a hit names. The one that ships stands for what is no number of a version."""
    row = LexiconVersion.objects.filter(number=int(version)).first() if version.isdecimal() else None
    return compiled_text(row.content) if row else lexicon_text.shipped()


def active_version() -> LexiconVersion | None:
    """Return the version that is switched on; None: the one that ships counts."""
    return LexiconVersion.objects.filter(state=LexiconVersion.State.ACTIVE).select_related("switched_on_by").first()


def active_text() -> str:
    version = active_version()
    return version.content if version else lexicon_text.shipped_text()


# --- drafts


@transaction.atomic
def begin_draft(*, by: Employee, base: LexiconVersion | None = None) -> LexiconVersion:
    """Return a new draft: a copy of ``base``, or of what counts now. Raises DraftExists."""
    rows = LexiconVersion.objects.select_for_update().order_by("pk")
    if any(one.state == LexiconVersion.State.DRAFT for one in rows):
        raise DraftExists(_("There is a draft already. Go on with it, or throw it away first."))
    now, content = timezone.now(), base.content if base else active_text()
    number = (LexiconVersion.objects.aggregate(last=Max("number"))["last"] or 1) + 1  # 1 is the one that ships
    draft = LexiconVersion.objects.create(number=number, content=content, made_by=by, made_at=now, changed_at=now)
    _note("archive.lexicon_draft_begun", draft, by, {"base": base.number if base else None})
    return draft


@transaction.atomic
def save_draft(*, draft: LexiconVersion, content: str, seen: str, by: Employee) -> LexiconVersion:
    """Write the draft's text. ``seen`` is the digest of the text that the writer began with.

    Raises lexicon_text.BrokenLexicon with every fault, NotADraft, ChangedMeanwhile.
    """
    content = content.replace("\r\n", "\n")
    lexicon_text.parse(content)
    draft = _locked(draft)
    before = lexicon_text.digest(draft.content)
    if before != seen:
        raise ChangedMeanwhile(_("Somebody else has saved the draft meanwhile. Take your text over into theirs."))
    if content != draft.content:
        draft.content, draft.changed_at = content, timezone.now()
        draft.save(update_fields=["content", "changed_at"])
        _note("archive.lexicon_draft_changed", draft, by, {"before": before})
    return draft


def save_rule(*, draft: LexiconVersion, rule: Rule, replaces: str, seen: str, by: Employee) -> LexiconVersion:
    """Put one rule into the draft, in the place of the one with the id ``replaces`` if that is not empty.

    Raises as save_draft does.
    """
    content = lexicon_text.with_rule(draft.content, rule, replaces=replaces)
    return save_draft(draft=draft, content=content, seen=seen, by=by)


def drop_rule(*, draft: LexiconVersion, identity: str, seen: str, by: Employee) -> LexiconVersion:
    content = lexicon_text.without_rule(draft.content, identity)
    return save_draft(draft=draft, content=content, seen=seen, by=by)


@transaction.atomic
def throw_away(*, draft: LexiconVersion, by: Employee) -> None:
    """Delete a draft. Raises NotADraft."""
    draft = _locked(draft)
    _note("archive.lexicon_draft_thrown_away", draft, by, {})
    draft.delete()


@transaction.atomic
def switch_on(*, draft: LexiconVersion, note: str, seen: str, by: Employee) -> LexiconVersion:
    """Let the draft be what counts from the next batch on, in every process. What was found before keeps its version.

    ``seen`` as in save_draft. Raises NoteMissing, NotADraft, ChangedMeanwhile, lexicon_text.BrokenLexicon.
    """
    if not note.strip():
        raise NoteMissing(_("Say what changes, and why."))
    rows = {one.pk: one for one in LexiconVersion.objects.select_for_update().order_by("pk")}
    draft = rows.get(draft.pk)
    if draft is None or draft.state != LexiconVersion.State.DRAFT:
        raise NotADraft(_("This version is no draft any more."))
    after = lexicon_text.digest(draft.content)
    if after != seen:
        raise ChangedMeanwhile(_("Somebody else has saved the draft meanwhile. Look at it again first."))
    outcomes = lexicon_check.check(compiled(draft))
    before = next((one for one in rows.values() if one.state == LexiconVersion.State.ACTIVE), None)
    was = lexicon_text.digest(before.content if before else lexicon_text.shipped_text())
    if before:
        before.state = LexiconVersion.State.RETIRED
        before.save(update_fields=["state"])
    draft.state, draft.note = LexiconVersion.State.ACTIVE, note.strip()[:NOTE_LIMIT]
    draft.switched_on_by, draft.switched_on_at = by, timezone.now()
    draft.save(update_fields=["state", "note", "switched_on_by", "switched_on_at"])
    failed = [one.example.text for one in outcomes if not one.is_as_expected]
    body = {"before": was, "replaces": before.number if before else None, "note": draft.note, "check_failed": failed}
    _note("archive.lexicon_switched_on", draft, by, body)
    return draft


def _locked(draft: LexiconVersion) -> LexiconVersion:
    draft = LexiconVersion.objects.select_for_update().get(pk=draft.pk)
    if draft.state != LexiconVersion.State.DRAFT:
        raise NotADraft(_("This version is no draft any more."))
    return draft


def _note(verb: str, version: LexiconVersion, by: Employee, body: dict) -> None:
    body = {"number": version.number, "digest": lexicon_text.digest(version.content), **body}
    ledger.append(verb=verb, actor=by.uid, subject="system:archive", body=body)


# --- how the rules do


@dataclass
class Figures:
    """How one rule has done: hits of messages sent in the last 90 days, and what reviewers made of its findings."""

    hits: int = 0
    confirmed: int = 0
    reviewed: int = 0

    @property
    def percent(self) -> int | None:
        """Precision in whole percent, confirmed of reviewed; None: nothing reviewed yet."""
        return percent(self.confirmed, self.reviewed)


_KINDS = {"off_channel": Finding.Kind.OFF_CHANNEL, "deletion": Finding.Kind.DELETION_REQUEST}


def figures(*, now: datetime | None = None) -> dict[str, Figures]:
    """Return the figures of every rule that ever hit. Two queries.

    Reviewed is a finding that a person decided; confirmed, one that was not dismissed. A finding counts for every rule
    that hit in its message.
    """
    since, found = (now or timezone.now()) - LATELY, defaultdict(Figures)
    lately = Signal.objects.filter(sent_at__gte=since)
    for rule, count in lately.values_list("rule").annotate(count=Count("pk")).order_by():
        found[rule].hits = count
    mine = Q()
    for kind, finding_kind in _KINDS.items():
        mine |= Q(kind=kind, message__findings__kind=finding_kind)
    reviewed = Signal.objects.filter(mine, is_forwarded=False, message__findings__decided_by__isnull=False)
    rows = reviewed.values_list("rule", "message__findings__state").annotate(count=Count("pk")).order_by()
    for rule, state, count in rows:
        found[rule].reviewed += count
        found[rule].confirmed += count if state != Finding.State.DISMISSED else 0
    return dict(found)


# --- trying a line


@dataclass(frozen=True)
class Piece:
    text: str
    is_hit: bool


@dataclass(frozen=True)
class Tried:
    """A normalised text in pieces, and the hits in it, heaviest first. ``language`` says whose patterns read it so."""

    language: str
    pieces: list[Piece]
    hits: list[Hit]


def try_line(version: LexiconVersion, line: str, *, with_contact: bool) -> list[Tried]:
    """Return what the version makes of a line: the text as each language's patterns see it, with what they find."""
    words, plain = compiled(version), normalise(line)
    hits = words.judge(line, with_contact=with_contact)
    found = []
    for language, text in (("en", plain), ("zh", words.in_chinese(plain))):
        if text:
            mine = [hit for hit in hits if hit.language == language]
            found.append(Tried(language, _pieces(text, mine), mine))
    return found


def _pieces(text: str, hits: list[Hit]) -> list[Piece]:
    pieces, at = [], 0
    for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
        start, end = max(hit.start, at), max(hit.end, at)
        if start > at:
            pieces.append(Piece(text[at:start], is_hit=False))
        if end > start:
            pieces.append(Piece(text[start:end], is_hit=True))
        at = end
    return [*pieces, Piece(text[at:], is_hit=False)] if at < len(text) else pieces


# --- trying a draft on what is stored


def start_trial(*, draft: LexiconVersion, by: Employee) -> Job:
    """Start looking through the words that are kept with the draft and with what counts now, and return the job.

    The same two on the same words again, by the same person, are the same job.
    """
    last = _words_kept().aggregate(last=Max("pk"))["last"] or 0
    texts = lexicon_text.digest(draft.content), lexicon_text.digest(active_text())
    return jobs.start(
        kind=TASK,
        key=trial_key(draft, last),
        by=by,
        params={"draft": draft.pk, "digest": texts[0], "beside": texts[1], "last": last},
        total=_words_kept().filter(pk__lte=last).count(),
    )


def _words_kept() -> QuerySet[MessageText]:
    """Return what messages say; not whole records of unknown kinds, which no lexicon looks at."""
    return MessageText.objects.exclude(why=MessageText.Why.UNKNOWN)


def trial_key(draft: LexiconVersion, last: int) -> str:
    told = lexicon_text.digest(draft.content)[:24], lexicon_text.digest(active_text())[:24]
    return f"{draft.number}:{told[0]}:{told[1]}:{last}"


def trial_of(draft: LexiconVersion) -> Job | None:
    """Return the newest trial of the draft as it stands, beside what counts now."""
    told = lexicon_text.digest(draft.content)[:24], lexicon_text.digest(active_text())[:24]
    return Job.objects.filter(kind=TASK, key__startswith=f"{draft.number}:{told[0]}:{told[1]}:").order_by("-pk").first()


class TrialOutdated(RuntimeError):
    """The draft, or what counts, has changed since the trial was started: its figures would mean nothing."""


def try_some(job: Job) -> bool:
    """Do one step of a trial. Return whether it has ended. The words are opened here and nowhere kept or shown."""
    draft = LexiconVersion.objects.get(pk=job.params["draft"])
    now_digest = lexicon_text.digest(active_text())
    if (lexicon_text.digest(draft.content), now_digest) != (job.params["digest"], job.params["beside"]):
        raise TrialOutdated(draft.number)
    after, before, at = compiled_text(draft.content), active(), job.cursor.get("at", 0)
    texts = _words_kept().filter(pk__gt=at, pk__lte=job.params["last"]).select_related("message").order_by("pk")
    result = job.result or {"looked_at": 0, "unopened": 0, "new": 0, "gone": 0, "rules": {}}
    some = list(texts[:STEP])
    for one in some:
        _compare(one, before, after, result)
    if some:
        job.cursor = {"at": some[-1].pk}
    job.result, job.done = result, job.done + len(some)
    if len(some) == STEP:
        return False
    body = {"number": draft.number, "digest": job.params["digest"], "before": job.params["beside"], "result": result}
    ledger.append(
        verb="archive.lexicon_tried",
        actor=job.started_by.uid if job.started_by else "system:archive",
        subject="system:archive",
        body=body,
    )
    return True


@lru_cache(maxsize=4)
def compiled_text(content: str) -> Lexicon:
    return lexicon_text.parse(content)


def _compare(one: MessageText, before: Lexicon, after: Lexicon, result: dict) -> None:
    """Count what the one lexicon finds in the words of a message and the other does not."""
    message: Message = one.message
    result["looked_at"] += 1
    if message.sender_kind == PartyKind.ROBOT:
        return
    try:
        words = sealing.unseal(one.sealed, one.key_id).decode()
    except sealing.KeyMissing:
        result["unopened"] += 1
        return
    with_contact = message.is_external and message.msgtype != CHAT_RECORD
    was, now = (
        {hit.rule for hit in lexicon.signals(words_of.judge(words, with_contact=with_contact))}
        for words_of in (before, after)
    )
    result["new"] += bool(now and not was)
    result["gone"] += bool(was and not now)
    for rules, name in ((now - was, "new"), (was - now, "gone"), (was & now, "same")):
        for rule in rules:
            counts = result["rules"].setdefault(rule, {"new": 0, "gone": 0, "same": 0})
            counts[name] += 1
