"""The front door of the archive room: one function a business verb."""

from archive.services.afterwards import judge_some, ring_again
from archive.services.facts import ArchiveFacts, SourceHealth, facts_for, source_health
from archive.services.feeds import BadSourceName, LeaseLost, SourceBusy, get_source
from archive.services.findings import AlreadyDecided, ReasonMissing, review_finding
from archive.services.identities import sync_identities
from archive.services.judging import refresh_findings
from archive.services.pushing import (
    BUSY_SECONDS,
    KEY_LIMIT,
    PUSH_SECONDS,
    PUSHES,
    CannotUnpack,
    KeyReused,
    NotPushable,
    Pushed,
    forget_answers,
    push,
    unpack,
)
from archive.services.records import recompute_due
from archive.services.running import (
    UPLOAD_LIMIT,
    NotAFeed,
    Uploads,
    digest_of,
    import_feed,
    read_aside,
    start_upload,
    summary,
)
from archive.services.state import NotAState, import_state, read_state
from archive.services.taking import MOST_BYTES as PUSH_BYTES
from archive.services.taking import MOST_LINES as PUSH_LINES
from archive.services.taking import TooMuch
from archive.services.tokens import AlreadyOver, TooManyTokens, end_token, make_token, token_for

__all__ = [
    "BUSY_SECONDS",
    "KEY_LIMIT",
    "PUSHES",
    "PUSH_BYTES",
    "PUSH_LINES",
    "PUSH_SECONDS",
    "UPLOAD_LIMIT",
    "AlreadyDecided",
    "AlreadyOver",
    "ArchiveFacts",
    "BadSourceName",
    "CannotUnpack",
    "KeyReused",
    "LeaseLost",
    "NotAFeed",
    "NotAState",
    "NotPushable",
    "Pushed",
    "ReasonMissing",
    "SourceBusy",
    "SourceHealth",
    "TooManyTokens",
    "TooMuch",
    "Uploads",
    "digest_of",
    "end_token",
    "facts_for",
    "forget_answers",
    "get_source",
    "import_feed",
    "import_state",
    "judge_some",
    "make_token",
    "push",
    "read_aside",
    "read_state",
    "recompute_due",
    "refresh_findings",
    "review_finding",
    "ring_again",
    "source_health",
    "start_upload",
    "summary",
    "sync_identities",
    "token_for",
    "unpack",
]
