"""The firm's lexicon: which one counts, drafts of the next, and what a draft would have found."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import lexicon_check, lexicon_text
from archive.lexicon import Lexicon, Rule
from archive.models import Finding, LexiconVersion, Signal
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.shares import percent

LATELY = timedelta(days=90)
NOTE_LIMIT = 300
SHIPPED = 1  # the number by which the lexicon that ships goes


class DraftExists(RuntimeError):
    """There is a draft already: two at a time would undo each other."""


class NotADraft(RuntimeError):
    """The version has been switched on: it never changes again."""


class ChangedMeanwhile(RuntimeError):
    """Somebody else has saved the draft since it was read."""


class NoteMissing(ValueError):
    """Switching on needs a note."""


class SamePerson(RuntimeError):
    """Who wrote the text as it stands may not switch it on."""


class CheckFails(ValueError):
    """The draft fails its own self-check, and nobody has said why it is switched on all the same."""


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


@lru_cache(maxsize=4)
def compiled_text(content: str) -> Lexicon:
    """Return the text ready for use. Raises lexicon_text.BrokenLexicon."""
    return lexicon_text.parse(content)


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
def begin_draft(*, by: Employee, base: LexiconVersion | None = None, shipped: bool = False) -> LexiconVersion:
    """Return a new draft: a copy of ``base``, or with ``shipped`` of what ships, or else of what counts now.

    Raises DraftExists.
    """
    rows = LexiconVersion.objects.select_for_update().order_by("pk")
    if any(one.state == LexiconVersion.State.DRAFT for one in rows):
        raise DraftExists(_("There is a draft already. Go on with it, or throw it away first."))
    now = timezone.now()
    content = base.content if base else lexicon_text.shipped_text() if shipped else active_text()
    number = (LexiconVersion.objects.aggregate(last=Max("number"))["last"] or SHIPPED) + 1
    draft = LexiconVersion.objects.create(number=number, content=content, made_by=by, made_at=now, changed_at=now)
    _note("archive.lexicon_draft_begun", draft, by, {"base": base.number if base else SHIPPED if shipped else None})
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
        draft.content, draft.changed_at, draft.made_by = content, timezone.now(), by
        draft.save(update_fields=["content", "changed_at", "made_by"])
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
def switch_on(*, draft: LexiconVersion, note: str, seen: str, by: Employee, despite: str = "") -> LexiconVersion:
    """Let the draft be what counts from the next batch on, in every process. What was found before keeps its version.

    ``seen`` as in save_draft; ``despite`` is why a draft that fails its self-check is switched on all the same.
    Raises NoteMissing, NotADraft, ChangedMeanwhile, SamePerson, CheckFails, lexicon_text.BrokenLexicon.
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
    if draft.made_by_id == by.pk:
        raise SamePerson(_("You wrote this text yourself. Somebody else has to switch it on."))
    failed = [one.example.text for one in lexicon_check.check(compiled(draft)) if not one.is_as_expected]
    if failed and not despite.strip():
        raise CheckFails(_("The draft fails its own self-check. Say why it is switched on all the same."))
    before = next((one for one in rows.values() if one.state == LexiconVersion.State.ACTIVE), None)
    was = lexicon_text.digest(before.content if before else lexicon_text.shipped_text())
    if before:
        before.state = LexiconVersion.State.RETIRED
        before.save(update_fields=["state"])
    draft.state, draft.note = LexiconVersion.State.ACTIVE, note.strip()[:NOTE_LIMIT]
    draft.switched_on_by, draft.switched_on_at = by, timezone.now()
    draft.save(update_fields=["state", "note", "switched_on_by", "switched_on_at"])
    body = {"before": was, "replaces": before.number if before else None, "note": draft.note, "check_failed": failed}
    body["despite"] = despite.strip()[:NOTE_LIMIT] if failed else ""
    _note("archive.lexicon_switched_on", draft, by, body)
    return draft


class NotRetired(RuntimeError):
    """Only what has counted before can be taken back: it was looked at by two people then."""


@transaction.atomic
def switch_back(*, to: LexiconVersion | None, note: str, by: Employee) -> None:
    """Let a version that counted before count again, or with None what ships. Whoever stops a flood needs no second.

    Raises NoteMissing, NotRetired.
    """
    if not note.strip():
        raise NoteMissing(_("Say what changes, and why."))
    rows = {one.pk: one for one in LexiconVersion.objects.select_for_update().order_by("pk")}
    before = next((one for one in rows.values() if one.state == LexiconVersion.State.ACTIVE), None)
    back = rows.get(to.pk) if to else None
    if (to and (back is None or back.state != LexiconVersion.State.RETIRED)) or (to is None and before is None):
        raise NotRetired(_("Only a version that counted before can be switched on again."))
    if before:
        before.state = LexiconVersion.State.RETIRED
        before.save(update_fields=["state"])
    body = {"replaces": before.number if before else None, "note": note.strip()[:NOTE_LIMIT]}
    if back is None:
        told = {"number": SHIPPED, "digest": lexicon_text.digest(lexicon_text.shipped_text()), **body}
        ledger.append(verb=SWITCHED_BACK, actor=by.uid, subject="system:archive", body=told)
        return
    back.state, back.note = LexiconVersion.State.ACTIVE, body["note"]
    back.switched_on_by, back.switched_on_at = by, timezone.now()
    back.save(update_fields=["state", "note", "switched_on_by", "switched_on_at"])
    _note(SWITCHED_BACK, back, by, body)


SWITCHED_BACK = "archive.lexicon_switched_back"


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
