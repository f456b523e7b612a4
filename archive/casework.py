"""What may be done about a finding, by whom, and on what evidence it may close: plain values in, plain values out."""

from collections.abc import Collection
from datetime import datetime, timedelta

CONFIRMED, DISMISSED, CLOSED = "confirmed", "dismissed", "closed"
SECOND, REMEDY, TRAINING = "second", "remedy", "training"
CLAIM_HOLDS = timedelta(hours=4)  # who took a finding on and forgot it does not lock it for ever

# kind -> how a person may close it. What is not here closes only by itself, when the facts have changed.
CLOSES: dict[str, tuple[str, ...]] = {
    "off_channel": ("remedied",),
    "deletion_request": ("remedied",),
    "recall_pattern": ("remedied", "explained"),
    "after_refusal": ("remedied",),
    "unseated_client_talk": ("seat", "explained"),
    "barred_talk": ("remedied",),
    "self_report": ("remedied", "thanked"),
    "silent_seat": ("explained",),
    "media_missing": ("lost", "explained"),
    "client_gift": ("explained", "remedied"),
    "capture_late": ("explained",),
    "source_silent": ("explained",),
    "hole": ("lost", "explained"),
    "conflict": ("explained",),
    "unmatched_identity": ("not_a_person",),
    "unknown_kind": ("declared",),
    "unreadable": ("lost", "explained"),
    "text_repaired": ("explained",),
    "integrity": ("explained",),
}
# (kind, how) -> what must be there besides a reviewer and a reason.
NEEDS: dict[tuple[str, str], frozenset[str]] = {
    ("off_channel", "remedied"): frozenset({SECOND, REMEDY}),
    ("deletion_request", "remedied"): frozenset({SECOND, REMEDY}),
    ("recall_pattern", "remedied"): frozenset({REMEDY}),
    ("after_refusal", "remedied"): frozenset({REMEDY}),
    ("barred_talk", "remedied"): frozenset({TRAINING}),
    ("client_gift", "remedied"): frozenset({REMEDY}),
    ("self_report", "remedied"): frozenset({REMEDY}),
    ("integrity", "explained"): frozenset({SECOND}),
}
TOLD = ("self_report",)
NEEDS_SECOND = ("off_channel", "deletion_request", "integrity")


def missing(kind: str, how: str, *, is_seconded: bool, evidence: Collection[str]) -> set[str]:
    """Return what is missing for a finding of the kind to close so.

    ``evidence`` is what the caller vouches for: REMEDY (the lesson was taken, or none is called for), TRAINING (the
    person's training is current). Raises ValueError for a way in which this kind does not close.
    """
    if how not in CLOSES.get(kind, ()):
        raise ValueError(f"{kind} does not close by {how!r}")
    there = {*evidence, *([SECOND] if is_seconded else [])}
    return set(NEEDS.get((kind, how), frozenset()) - there)


QUOTED, QUOTED_HAN = 30, 12  # characters in a row that are a quotation; Chinese says as much in fewer


def quotes(text: str, words: str) -> bool:
    """Return whether the text repeats a piece of the words, both normalised, that is long enough to be a quotation.

    A handful of words, as a reviewer needs to say what was meant, is none.
    """
    return _shares(text, words, QUOTED) or _shares(text, words, QUOTED_HAN, is_han=True)


def _shares(text: str, words: str, length: int, *, is_han: bool = False) -> bool:
    pieces = {words[at : at + length] for at in range(len(words) - length + 1)}
    shared = (text[at : at + length] for at in range(len(text) - length + 1) if text[at : at + length] in pieces)
    return any(not is_han or sum("\u4e00" <= one <= "\u9fff" for one in piece) * 3 >= 2 * length for piece in shared)


def claim_holds(claimed_at: datetime | None, now: datetime) -> bool:
    return claimed_at is not None and now - claimed_at < CLAIM_HOLDS


def may_decide(kind: str, state: str, decision: str) -> bool:
    """Return whether a finding in the state may become so: a new one anything, a confirmed one only closed.

    What somebody told of themselves is neither confirmed against them nor called a false alarm: it is settled.
    """
    if kind in TOLD and decision != CLOSED:
        return False
    return decision in {"new": (CONFIRMED, DISMISSED, CLOSED), "confirmed": (CLOSED,)}.get(state, ())
