"""The front door of the archive room: one function a business verb."""

from archive.services.bars import set_bars
from archive.services.casework import (
    AlreadyDecided,
    EvidenceMissing,
    NotAsked,
    ReasonMissing,
    SomebodyElses,
    WrongWay,
    answer_question,
    ask_person,
    claim_finding,
    excerpts,
    note_on_finding,
    read_words,
    release_finding,
    report_slip,
    review_finding,
    second_finding,
)
from archive.services.days import Day, days_of, holes_in
from archive.services.facts import ArchiveFacts, SourceHealth, facts_for, source_health
from archive.services.feeds import BadSourceName, LeaseLost, OtherTerms, SourceBusy, Terms, get_source
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
from archive.services.sampling import draw_sample, review_item
from archive.services.state import NotAState, import_state, read_state

__all__ = [
    "UPLOAD_LIMIT",
    "AlreadyDecided",
    "ArchiveFacts",
    "BadSourceName",
    "Day",
    "EvidenceMissing",
    "LeaseLost",
    "NotAFeed",
    "NotALeaveList",
    "NotAState",
    "NotAsked",
    "OtherTerms",
    "ReasonMissing",
    "SomebodyElses",
    "SourceBusy",
    "SourceHealth",
    "Terms",
    "Uploads",
    "WrongWay",
    "answer_question",
    "ask_person",
    "claim_finding",
    "days_of",
    "digest_of",
    "draw_sample",
    "excerpts",
    "facts_for",
    "get_source",
    "holes_in",
    "import_feed",
    "import_state",
    "note_on_finding",
    "period",
    "read_aside",
    "read_leaves",
    "read_state",
    "read_words",
    "recompute_due",
    "refresh_findings",
    "release_finding",
    "report_slip",
    "review_finding",
    "review_item",
    "second_finding",
    "set_bars",
    "source_health",
    "start_upload",
    "summary",
    "sync_identities",
    "take_leaves",
]
