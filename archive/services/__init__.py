"""The front door of the archive room: one function a business verb."""

from archive.services.afterwards import judge_some, ring_again
from archive.services.facts import ArchiveFacts, SourceHealth, facts_for, source_health
from archive.services.feeds import (
    BadSourceName,
    LeaseLost,
    NotEmpty,
    SourceBusy,
    add_source,
    change_source,
    get_source,
)
from archive.services.findings import AlreadyDecided, ReasonMissing, review_finding
from archive.services.holes import AlreadySettled, seems_to_skip, settle_hole
from archive.services.identities import sync_identities
from archive.services.judging import refresh_findings
from archive.services.matching import (
    AlreadyMatched,
    BadSpan,
    NotByHand,
    candidates,
    declare_robot,
    likely,
    match_handle,
    rematch_some,
    stranger,
    undo,
)
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
from archive.services.repairing import (
    AlreadyRepaired,
    NothingToRead,
    NotWhole,
    StillBroken,
    is_whole,
    read_again,
    read_aside,
    repair,
)
from archive.services.running import (
    UPLOAD_LIMIT,
    NotAFeed,
    Uploads,
    digest_of,
    import_feed,
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
    "AlreadyMatched",
    "AlreadyOver",
    "AlreadyRepaired",
    "AlreadySettled",
    "ArchiveFacts",
    "BadSourceName",
    "BadSpan",
    "CannotUnpack",
    "KeyReused",
    "LeaseLost",
    "NotAFeed",
    "NotAState",
    "NotByHand",
    "NotEmpty",
    "NotPushable",
    "NotWhole",
    "NothingToRead",
    "Pushed",
    "ReasonMissing",
    "SourceBusy",
    "SourceHealth",
    "StillBroken",
    "TooManyTokens",
    "TooMuch",
    "Uploads",
    "add_source",
    "candidates",
    "change_source",
    "declare_robot",
    "digest_of",
    "end_token",
    "facts_for",
    "forget_answers",
    "get_source",
    "import_feed",
    "import_state",
    "is_whole",
    "judge_some",
    "likely",
    "make_token",
    "match_handle",
    "push",
    "read_again",
    "read_aside",
    "read_state",
    "recompute_due",
    "refresh_findings",
    "rematch_some",
    "repair",
    "review_finding",
    "ring_again",
    "seems_to_skip",
    "settle_hole",
    "source_health",
    "start_upload",
    "stranger",
    "summary",
    "sync_identities",
    "token_for",
    "undo",
    "unpack",
]
