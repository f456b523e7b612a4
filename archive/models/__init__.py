"""What the archive room stores: feeds, messages, who is who, and what follows from it."""

from archive.models.feeds import Batch, Hole, Import, SetAside, Source
from archive.models.messages import Conflict, Message, MessageText, Participant, Recall, Signal
from archive.models.outcome import Finding, Record, RecordDue
from archive.models.parties import ConsentWord, Identity, Seat, SeatCopy, Unmatched

__all__ = [
    "Batch",
    "Conflict",
    "ConsentWord",
    "Finding",
    "Hole",
    "Identity",
    "Import",
    "Message",
    "MessageText",
    "Participant",
    "Recall",
    "Record",
    "RecordDue",
    "Seat",
    "SeatCopy",
    "SetAside",
    "Signal",
    "Source",
    "Unmatched",
]
