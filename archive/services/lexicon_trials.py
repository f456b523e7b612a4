"""Trying a lexicon before it counts: on a line that somebody pastes, and on the words that are kept."""

from dataclasses import dataclass

from django.db.models import Max, QuerySet

from archive import lexicon, lexicon_text, sealing
from archive.lexicon import Hit, Lexicon
from archive.models import LexiconVersion, Message, MessageText
from archive.models.messages import PartyKind
from archive.normalising import normalise
from archive.services import lexicons
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee

TASK = "archive.tasks.try_lexicon"
STEP = 500  # messages of a trial in one step
CHAT_RECORD = "chatrecord"  # the words kept of one are other people's


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


def try_line(words: Lexicon, line: str, *, with_contact: bool) -> list[Tried]:
    """Return what the lexicon makes of a line: the text as each language's patterns see it, with what they find."""
    plain = normalise(line)
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


def start_trial(*, draft: LexiconVersion, by: Employee) -> Job:
    """Start looking through the words that are kept with the draft and with what counts now, and return the job.

    The same two on the same words again, by the same person, are the same job.
    """
    last = _words_kept().aggregate(last=Max("pk"))["last"] or 0
    texts = lexicon_text.digest(draft.content), lexicon_text.digest(lexicons.active_text())
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
    told = lexicon_text.digest(draft.content)[:24], lexicon_text.digest(lexicons.active_text())[:24]
    return f"{draft.number}:{told[0]}:{told[1]}:{last}"


def trial_of(draft: LexiconVersion) -> Job | None:
    """Return the newest trial of the draft as it stands, beside what counts now."""
    told = lexicon_text.digest(draft.content)[:24], lexicon_text.digest(lexicons.active_text())[:24]
    return Job.objects.filter(kind=TASK, key__startswith=f"{draft.number}:{told[0]}:{told[1]}:").order_by("-pk").first()


class TrialOutdated(RuntimeError):
    """The draft, or what counts, has changed since the trial was started: its figures would mean nothing."""


def try_some(job: Job) -> bool:
    """Do one step of a trial. Return whether it has ended. The words are opened here and nowhere kept or shown.

    ``result``: how many messages would be found that were not (``new``), would not be found any more (``gone``), or
    would be found by other rules (``otherwise``); of each rule, how many more, fewer and as before; and of how many
    messages no words are kept (``unseen``), so that nobody can know what a draft would find in them.
    """
    draft = LexiconVersion.objects.get(pk=job.params["draft"])
    now_digest = lexicon_text.digest(lexicons.active_text())
    if (lexicon_text.digest(draft.content), now_digest) != (job.params["digest"], job.params["beside"]):
        raise TrialOutdated(draft.number)
    after, before, at = lexicons.compiled_text(draft.content), lexicons.active(), job.cursor.get("at", 0)
    texts = _words_kept().filter(pk__gt=at, pk__lte=job.params["last"]).select_related("message").order_by("pk")
    result = job.result or {"looked_at": 0, "unopened": 0, "new": 0, "gone": 0, "otherwise": 0, "rules": {}}
    some = list(texts[:STEP])
    for one in some:
        _compare(one, before, after, result)
    if some:
        job.cursor = {"at": some[-1].pk}
    job.result, job.done = result, job.done + len(some)
    if len(some) == STEP:
        return False
    result["unseen"] = max(0, Message.objects.content().count() - result["looked_at"])
    body = {"number": draft.number, "digest": job.params["digest"], "before": job.params["beside"], "result": result}
    ledger.append(
        verb="archive.lexicon_tried",
        actor=job.started_by.uid if job.started_by else "system:archive",
        subject="system:archive",
        body=body,
    )
    return True


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
    result["otherwise"] += bool(was and now and was != now)
    for rules, name in ((now - was, "new"), (was - now, "gone"), (was & now, "same")):
        for rule in rules:
            counts = result["rules"].setdefault(rule, {"new": 0, "gone": 0, "same": 0})
            counts[name] += 1
