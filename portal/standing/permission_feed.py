"""Who may message clients, for the machines that let them: rows in the order of the changes, and the tokens for it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import tables, tokens
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.standing.models import FeedToken, Standing

COLUMNS = ("employee_no", "wecom_userid", "may_message", "reason", "since", "seq")
CHUNK = 2000
USED_EVERY = 60  # seconds: the last use of a token is not written more often


class NoLabel(ValueError):
    """A token needs a label."""


@dataclass(frozen=True)
class Row:
    """One person. ``reason`` is the code of what decided; ``seq`` numbers the change: ask for what comes after it."""

    employee_no: str
    wecom_userid: str
    may_message: bool
    reason: str
    since: str
    seq: int


def newest() -> int:
    """Return the number of the newest change, 0 before any."""
    return Standing.objects.aggregate(seq=Max("entry_seq"))["seq"] or 0


def rows(since: int = 0) -> Iterator[Row]:
    """Yield everybody whose standing changed after the number, by number; with 0 everybody. Reads as it goes."""
    changed = Standing.objects.filter(entry_seq__gt=since).order_by("entry_seq")
    columns = ("employee__employee_no", "employee__wecom_userid", "may_message", "reasons", "since", "entry_seq")
    for number, userid, may, reasons, moment, seq in changed.values_list(*columns).iterator(chunk_size=CHUNK):
        yield Row(number or "", userid, may, reason_code(may, reasons), _utc(moment), seq)


def reason_code(may: bool, reasons: list[dict]) -> str:
    """Return the code that decided: the first that bars, or else the first; with several bars all, with a plus."""
    bars = [one["code"] for one in reasons if one.get("is_bar")]
    return "+".join(bars) if bars and not may else reasons[0]["code"] if reasons else ""


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def as_json(since: int, upto: int) -> Iterator[str]:
    """Yield a JSON document piece by piece: {"seq": ask for what comes after it, "people": [rows]}."""
    yield f'{{"since": {since}, "seq": {upto}, "people": ['
    between = ""
    for row in rows(since):
        yield between + json.dumps({name: getattr(row, name) for name in COLUMNS}, ensure_ascii=False)
        between = ",\n"
    yield "]}\n"


def as_csv(since: int) -> Iterator[str]:
    """Yield a CSV line by line. Cells that a spreadsheet would take for a formula begin with an apostrophe."""
    return tables.csv_lines(COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in rows(since)))


# --- tokens


@transaction.atomic
def make_token(*, label: str, by: Employee, opens: str = FeedToken.Opens.STANDING) -> str:
    """Make a token and return its secret, which is shown once. Raises NoLabel."""
    if not label.strip():
        raise NoLabel(_("Say which machine will use it."))
    fresh = tokens.make("ocs")
    told = {"label": label.strip()[:60], "hint": fresh.hint, "opens": opens}
    FeedToken.objects.create(**told, digest=fresh.digest, made_by=by, made_at=timezone.now())
    ledger.append(verb="standing.feed_token_made", actor=by.uid, subject="system:standing", body=told)
    return fresh.secret


@transaction.atomic
def end_token(*, token: FeedToken, by: Employee) -> bool:
    """End a token: it opens nothing from now on. Return False if it had been ended before."""
    ended = FeedToken.objects.filter(pk=token.pk, ended_at=None).update(ended_at=timezone.now())
    if ended:
        body = {"label": token.label, "hint": token.hint}
        ledger.append(verb="standing.feed_token_ended", actor=by.uid, subject="system:standing", body=body)
    return bool(ended)


def token_for(secret: str, opens: str = FeedToken.Opens.STANDING) -> FeedToken | None:
    """Return the token that this secret is of, if it opens that, noting its use; None for any other."""
    if not secret:
        return None
    valid = FeedToken.objects.filter(opens=opens, ended_at=None, made_by__is_active=True)
    token = valid.select_related("made_by").filter(digest=tokens.digest_of(secret)).first()
    now = timezone.now()
    if token and (token.last_used_at is None or (now - token.last_used_at).total_seconds() > USED_EVERY):
        FeedToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
