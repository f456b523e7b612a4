"""Everything that an import leaves, to be compared."""

from collections.abc import Callable

from django.db import transaction

from archive.models import (
    Attachment,
    Batch,
    Conflict,
    ConsentWord,
    Delivery,
    FilledHole,
    Finding,
    Heard,
    Hole,
    Import,
    Message,
    MessageText,
    Participant,
    Recall,
    Record,
    RecordDue,
    SetAside,
    Signal,
    Source,
    Unmatched,
)
from tests.archive.conftest import words_of

MESSAGE = (
    *("channel", "msgid", "source__name", "seq", "category", "msgtype", "sender", "sender_kind", "room"),
    *("sent_at", "sent_at_is_known", "captured_at", "latency_seconds", "recalled_at", "contacts", "is_external"),
    *("media_refs", "media_missing", "was_repaired", "fingerprint"),
)
ID = ("message__channel", "message__msgid")
OF_MESSAGES = {
    Participant: ("role", "handle", "kind", "employee", "sent_at"),
    Attachment: ("number", "media_type", "size", "digest"),
    Recall: ("original__msgid",),
    Signal: ("rule", "weight", "is_forwarded"),
}
OTHERS = {
    ConsentWord: ("source__name", "employee_folded", "contact", "room", "word", "said_at"),
    Unmatched: ("source__name", "handle_folded"),
    Hole: ("first", "last"),
    Source: ("name", "first_sent_at", "last_sent_at", "first_seq", "last_seq"),
    Record: ("employee", "month", "sent", "captured", "metrics"),
}
# Late days and months are judged as they stand when a file ends: half a file may be late where the whole is not.
AS_THEY_CAME = ("capture_late", "recall_pattern")


def rows() -> dict:
    """What is stored, without what depends on when and in how many runs it was done."""
    found = {"Message": _sorted(Message.objects.values_list(*MESSAGE))}
    for model, columns in OF_MESSAGES.items():
        found[model.__name__] = _sorted(model.objects.values_list(*ID, *columns))
    for model, columns in OTHERS.items():
        found[model.__name__] = _sorted(model.objects.values_list(*columns))
    found["words"] = sorted((one.message.msgid, words_of(one)) for one in MessageText.objects.select_related("message"))
    still = Finding.objects.open().exclude(kind__in=AS_THEY_CAME)
    found["Finding"] = _sorted(still.values_list("kind", "message__msgid"))
    return found


OF_THE_WAY = {
    Conflict: ("kind", "source__name", "line_no", "offset", "msgid", "seq", "fingerprint", "first__msgid"),
    SetAside: ("line_no", "offset", "length", "reason", "digest", "maybe_seq"),
    Delivery: ("message__msgid", "source__name", "line_no", "seq", "fingerprint"),
    Batch: ("number", "first_line", "last_line", "count", "root"),
    Heard: ("source__name", "hour", "first_at", "last_at"),
    Import: ("label", "state", "line_no", "offset", "first_sent_at", "last_sent_at", *Import.COUNTS),
    Hole: ("source__name", "first", "last", "state", "before_at", "after_at", "is_told"),
    Unmatched: ("source__name", "handle", "is_told"),
    FilledHole: ("first", "last"),
    RecordDue: ("employee", "month", "why"),
    Record: ("employee", "month", "version", "version_why", "is_final", "metrics", "covered_to", "last_message_at"),
}


def everything() -> dict:
    """What is stored, with places, counts, all findings and what waits: of one file read by one import."""
    found = rows()
    for model, columns in OF_THE_WAY.items():
        found[f"{model.__name__} and its way"] = _sorted(model.objects.values_list(*columns))
    told = Finding.objects.values_list("kind", "state", "severity", "message__msgid", "about_on", "employee", "facts")
    found["findings and their facts"] = sorted((*rest, _plain(facts)) for *rest, facts in _texts(told))
    return found


def _texts(told) -> list[tuple]:
    return [(*map(str, rest), facts) for *rest, facts in told]


def _plain(facts: dict) -> str:
    near = [{name: value for name, value in one.items() if name != "import"} for one in facts.get("set_aside", [])]
    return str(sorted({**facts, "set_aside": near, "import": None}.items()))


def _sorted(rows) -> list:
    plain = (tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in rows)
    return sorted(plain, key=str)


def undone(act: Callable) -> dict:
    """What an act leaves, with the act itself undone."""
    with transaction.atomic():
        act()
        found = rows()
        transaction.set_rollback(True)
    return found
