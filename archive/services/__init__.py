"""The front door of the archive room: one function a business verb."""

from archive.services.facts import ArchiveFacts, SourceHealth, facts_for, source_health
from archive.services.feeds import BadSourceName, LeaseLost, OtherTerms, SourceBusy, Terms, get_source
from archive.services.findings import AlreadyDecided, ReasonMissing, review_finding
from archive.services.identities import sync_identities
from archive.services.judging import refresh_findings
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

__all__ = [
    "UPLOAD_LIMIT",
    "AlreadyDecided",
    "ArchiveFacts",
    "BadSourceName",
    "LeaseLost",
    "NotAFeed",
    "NotAState",
    "OtherTerms",
    "ReasonMissing",
    "SourceBusy",
    "SourceHealth",
    "Terms",
    "Uploads",
    "digest_of",
    "facts_for",
    "get_source",
    "import_feed",
    "import_state",
    "read_aside",
    "read_state",
    "recompute_due",
    "refresh_findings",
    "review_finding",
    "source_health",
    "start_upload",
    "summary",
    "sync_identities",
]
