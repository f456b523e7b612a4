"""The front door of the archive room: one function a business verb."""

from archive.retention import BadSchedules
from archive.sealing import KeyMissing
from archive.services.disposing import (
    AnotherIsOpen,
    NotRunning,
    NotThatDay,
    NotWaiting,
    SamePerson,
    SchedulesChanged,
    ask_disposal,
    count_some,
    decide_disposal,
    dispose_some,
    stop_disposal,
    sweep,
)
from archive.services.facts import ArchiveFacts, SourceHealth, facts_for, source_health
from archive.services.feeds import BadSourceName, LeaseLost, SourceBusy, get_source
from archive.services.findings import AlreadyDecided, ReasonMissing, review_finding
from archive.services.holding import (
    AlreadyLifted,
    Count,
    Criteria,
    NameTaken,
    NothingHeld,
    count_held,
    lift_hold,
    make_hold,
    something,
)
from archive.services.identities import sync_identities
from archive.services.integrity import verify, verify_step, verify_tonight
from archive.services.judging import refresh_findings
from archive.services.keeping import KeepingFacts, keeping_facts
from archive.services.keeping_pages import preview_told, schedules_told, verification
from archive.services.proving import NotHere, proof_of
from archive.services.records import recompute_due
from archive.services.rotating import rotate_keys
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
    "AlreadyLifted",
    "AnotherIsOpen",
    "ArchiveFacts",
    "BadSchedules",
    "BadSourceName",
    "Count",
    "Criteria",
    "KeepingFacts",
    "KeyMissing",
    "LeaseLost",
    "NameTaken",
    "NotAFeed",
    "NotAState",
    "NotHere",
    "NotRunning",
    "NotThatDay",
    "NotWaiting",
    "NothingHeld",
    "ReasonMissing",
    "SamePerson",
    "SchedulesChanged",
    "SourceBusy",
    "SourceHealth",
    "Uploads",
    "ask_disposal",
    "count_held",
    "count_some",
    "decide_disposal",
    "digest_of",
    "dispose_some",
    "facts_for",
    "get_source",
    "import_feed",
    "import_state",
    "keeping_facts",
    "lift_hold",
    "make_hold",
    "preview_told",
    "proof_of",
    "read_aside",
    "read_state",
    "recompute_due",
    "refresh_findings",
    "review_finding",
    "rotate_keys",
    "schedules_told",
    "something",
    "source_health",
    "start_upload",
    "stop_disposal",
    "summary",
    "sweep",
    "sync_identities",
    "verification",
    "verify",
    "verify_step",
    "verify_tonight",
]
