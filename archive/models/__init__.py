"""What the archive room stores: feeds, messages, who is who, what follows from it, and how long it is kept."""

from archive.models.asides import SetAside
from archive.models.casework import FindingStep, Sample, SampleItem, SelfReport
from archive.models.copies import AnswerCopy, RobotName, Room, RoomMember
from archive.models.feeds import (
    Batch,
    Heard,
    Import,
    Intake,
    PushAnswer,
    Source,
    SourceMonth,
    SourceToken,
)
from archive.models.holes import FilledHole, Hole
from archive.models.keeping import Disposal, Hold, Posting, Tombstone
from archive.models.messages import (
    Attachment,
    Conflict,
    Delivery,
    Message,
    MessageText,
    Participant,
    Recall,
    Signal,
)
from archive.models.outcome import Finding, Record, RecordDue, RecordVersion
from archive.models.parties import Bar, ConsentWord, Identity, Robot, Seat, SeatCopy, Unmatched
from archive.models.words import LexiconVersion

__all__ = [
    "AnswerCopy",
    "Attachment",
    "Bar",
    "Batch",
    "Conflict",
    "ConsentWord",
    "Delivery",
    "Disposal",
    "FilledHole",
    "Finding",
    "FindingStep",
    "Heard",
    "Hold",
    "Hole",
    "Identity",
    "Import",
    "Intake",
    "LexiconVersion",
    "Message",
    "MessageText",
    "Participant",
    "Posting",
    "PushAnswer",
    "Recall",
    "Record",
    "RecordDue",
    "RecordVersion",
    "Robot",
    "RobotName",
    "Room",
    "RoomMember",
    "Sample",
    "SampleItem",
    "Seat",
    "SeatCopy",
    "SelfReport",
    "SetAside",
    "Signal",
    "Source",
    "SourceMonth",
    "SourceToken",
    "Tombstone",
    "Unmatched",
]
