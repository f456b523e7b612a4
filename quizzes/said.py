"""What the Entries of the evidence log say that attempts must be."""

from collections.abc import Sequence
from typing import Any

from portal.ledger.rows import Items, Key, Record, Told

STARTED, SUBMITTED = "quizzes.attempt_started", "quizzes.attempt_submitted"
AT_THE_START = ("quiz", "number", "closes_at", "extra_percent")
AT_THE_END = ("started_at", "submitted_at", "timed_out", "percent", "pass_percent", "passed")
OF_AN_ANSWER = (
    "position", "question", "answer", "answered_at", "spent_ms", "points", "credit", "is_right", "is_counted",
)  # fmt: skip


def attempts(told: Sequence[Told]) -> dict[Key, Record]:
    """Return {(attempt,): what it must be}. An attempt that was not handed in has no mark."""
    found: dict[Key, Record] = {}
    for one in told:
        record = found.setdefault((one.said["attempt"],), Record(one.seq))
        if one.verb == STARTED:
            record.tell(one.seq, **_of(one, AT_THE_START), submitted_at=None, percent=None, passed=None)
        else:
            record.tell(one.seq, **_of(one, AT_THE_END))
            answers = one.said.get("responses", ())
            record.tell(one.seq, responses=Items([{n: row[n] for n in OF_AN_ANSWER if n in row} for row in answers]))
            if all("is_counted" in row for row in answers):
                record.tell(one.seq, right=sum(row["is_right"] and row["is_counted"] for row in answers))
        if one.said.get("paper"):
            record.tell(one.seq, paper=one.said["paper"])
    return found


def _of(one: Told, names: Sequence[str]) -> dict[str, Any]:
    return {name: one.said[name] for name in names if name in one.said}
