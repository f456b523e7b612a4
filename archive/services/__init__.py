"""The front door of the archive room: one function a business verb."""

from archive.services.bars import set_bars
from archive.services.days import Day, days_of, holes_in
from archive.services.facts import ArchiveFacts, SourceHealth, facts_for, source_health
from archive.services.feeds import BadSourceName, LeaseLost, SourceBusy, get_source
from archive.services.findings import AlreadyDecided, ReasonMissing, review_finding
from archive.services.identities import sync_identities
from archive.services.judging import refresh_findings
from archive.services.leaves import NotALeaveList, read_leaves, take_leaves
from archive.services.records import period, recompute_due
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

__all__ = [
    "UPLOAD_LIMIT",
    "AlreadyDecided",
    "ArchiveFacts",
    "BadSourceName",
    "Day",
    "LeaseLost",
    "NotAFeed",
    "NotALeaveList",
    "NotAState",
    "ReasonMissing",
    "SourceBusy",
    "SourceHealth",
    "Uploads",
    "days_of",
    "digest_of",
    "facts_for",
    "get_source",
    "holes_in",
    "import_feed",
    "import_state",
    "period",
    "read_aside",
    "read_leaves",
    "read_state",
    "recompute_due",
    "refresh_findings",
    "review_finding",
    "set_bars",
    "source_health",
    "start_upload",
    "summary",
    "sync_identities",
    "take_leaves",
]
