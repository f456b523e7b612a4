"""What a machine pushes into a source: who may, how much, and an answer that is given once it is safely stored."""

import gzip
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from itertools import groupby

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from archive.models import Import, PushAnswer, Source, SourceToken
from archive.services import feeds, intake, taking
from archive.services.taking import MOST_BYTES, Answer, TooMuch

PUSHES, PUSH_SECONDS = 60, 60  # that one token may make, in any so many seconds
KEY_LIMIT = 255  # characters of an Idempotency-Key
KEPT = timedelta(days=2)  # an answer, for its key
BUSY_SECONDS = 30  # after which a busy source is worth another try
WAIT_SECONDS = 10  # for another push into the same source
QUIET = timedelta(
    days=1
)  # since the last delivery: from then on an empty one leaves an import, as the end of a silence
TRIES = 3
BY = "system:push"


class CannotUnpack(ValueError):
    """The body is said to be gzip and is damaged."""


class NotPushable(ValueError):
    """The source is of a kind that is read from files."""


class KeyReused(ValueError):
    """The Idempotency-Key was used before, for another body."""


@dataclass(frozen=True)
class Pushed:
    """The answer to a push. ``run`` is None where no line came; ``is_repeat``: told once more, nothing was done."""

    run: Import | None
    answers: list[Answer]
    is_repeat: bool = False


def unpack(body: bytes, most: int = MOST_BYTES) -> bytes:
    """Return what a gzip body holds. Reads no further than one byte over the limit. Raises TooMuch, CannotUnpack."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(body), mode="rb") as unpacked:
            raw = unpacked.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CannotUnpack("gzip") from error
    if len(raw) > most:
        raise TooMuch("bytes")
    return raw


def push(*, token: SourceToken, raw: bytes, key: str = "") -> Pushed:
    """Store the lines of ``raw`` in the token's source and return what became of each. All of them, or none.

    The same body again finds its lines known; with the same ``key`` it is told the same and nothing is done. Raises
    TooMuch, NotPushable, KeyReused, feeds.SourceBusy: then nothing was stored.
    """
    if token.source.kind != Source.Kind.WECOM:
        raise NotPushable(token.source.kind)
    digest = hashlib.sha256(raw).hexdigest()
    if key and (told := _told(token, key, digest)):
        return told
    items = taking.read(token.source, raw)
    left = TRIES
    while True:
        try:
            return _store(token, items, raw, digest, key)
        except (IntegrityError, OperationalError) as error:
            # Two sources of one channel brought the same message at once, or two transactions waited for each other.
            left -= 1
            if not left or not _is_worth_repeating(error):
                raise _as_busy(error, token.source) from error


@transaction.atomic
def _store(token: SourceToken, items: list, raw: bytes, digest: str, key: str) -> Pushed:
    now = timezone.now()
    _wait_no_longer_than(WAIT_SECONDS)
    source = feeds.lock_idle(token.source_id, now)
    if key and (told := _told(token, key, digest)):
        return told
    SourceToken.objects.filter(pk=token.pk).update(last_used_at=now)
    run, answers = None, []
    if items or source.last_pull_at is None or now - source.last_pull_at >= QUIET:
        label = f"{token.label} {timezone.localtime(now):%Y-%m-%d %H:%M:%S}"
        run, answers = taking.take(
            source, items, raw=raw, via=Import.Via.PUSH, label=label, by=BY, now=now, token=token
        )
    else:
        pause = feeds.taken(source, Import.Via.PUSH, now)
        source.save(update_fields=["last_pull_at"])
        intake.add(source, Import.Via.PUSH, now=now, ended=True, pause=pause)
    if key:
        lines = stretches(answers)
        PushAnswer.objects.create(token=token, key=key, digest=digest, run=run, lines=lines, made_at=now)
    return Pushed(run, answers)


def _told(token: SourceToken, key: str, digest: str) -> Pushed | None:
    told = PushAnswer.objects.filter(token=token, key=key).select_related("run").first()
    if told is None:
        return None
    if told.digest != digest:
        raise KeyReused(key)
    return Pushed(told.run, list(answers_of(told.lines)), is_repeat=True)


def stretches(answers: Iterable[Answer]) -> list[list]:
    """Return the answers in short: [first line, last line, result, reason] of lines in a row that are told the same."""
    found: list[list] = []
    for (_at, result, reason), group in groupby(
        enumerate(answers), key=lambda pair: (pair[1].line - pair[0], pair[1].result, pair[1].reason)
    ):
        lines = [one.line for _n, one in group]
        found.append([lines[0], lines[-1], result, reason])
    return found


def answers_of(lines: Iterable[list]) -> Iterable[Answer]:
    """Yield the answers that ``stretches`` put in short."""
    for first, last, result, reason in lines:
        for line in range(first, last + 1):
            yield Answer(line, result, reason)


def _wait_no_longer_than(seconds: int) -> None:
    """Bound the wait for a row in this transaction. On SQLite the connection's own timeout does it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{seconds}s"])


def _state_of(error: Exception) -> str:
    """Return PostgreSQL's code of what went wrong; empty elsewhere."""
    return getattr(error.__cause__, "sqlstate", "") or ""


def _is_worth_repeating(error: Exception) -> bool:
    return isinstance(error, IntegrityError) or _state_of(error) in ("40P01", "40001")  # deadlock, serialization


def _as_busy(error: Exception, source: Source) -> Exception:
    """Return SourceBusy for a wait that was too long, else the error."""
    is_lock = _state_of(error) in ("55P03", "40P01", "40001") or "database is locked" in str(error)
    return feeds.SourceBusy(source.name) if is_lock else error


def forget_answers(*, now: datetime | None = None) -> int:
    """Delete the answers that are older than their promise. Return how many."""
    count, _by_model = PushAnswer.objects.filter(made_at__lt=(now or timezone.now()) - KEPT).delete()
    return count
