"""Who may message, as data with a version: what ships, and over it the firm's own file."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from portal import firmfiles
from portal.firmfiles import BrokenFile

PATH = Path(__file__).with_name("policy.yaml")
CONFIRMED, OPEN, OVERDUE, NEVER = "confirmed", "open", "overdue", "never"
WHEN = (CONFIRMED, OPEN, OVERDUE, NEVER)


@dataclass(frozen=True)
class Policy:
    """What a firm decides for itself. ``offices`` in scope by code, none: all; ``blocks``: finding kind -> WHEN."""

    version: str = "1"
    offices: tuple[str, ...] = ()
    until_due: bool = True
    grace_days: int = 0
    blocks: dict[str, str] = field(default_factory=dict)
    digest: str = ""

    def covers(self, office: str | None) -> bool:
        return not self.offices or office in self.offices


def load(firms: Path | None = None) -> Policy:
    """Return the policy that ships, with what the firm's own file says instead. Raises firmfiles.BrokenFile."""
    data, path = firmfiles.read(PATH, firms)
    firmfiles.check_types(path, {"until_due": (data["until_due"], bool), "grace_days": (data["grace_days"], int)})
    offices = data["offices"]
    if not isinstance(offices, list) or not all(isinstance(code, str) for code in offices):
        raise BrokenFile(f"{path}: offices must be a list of codes; [] means all.")
    if wrong := sorted(kind for kind, when in data["blocks"].items() if when not in WHEN):
        raise BrokenFile(f"{path}: blocks.{wrong[0]} must be one of {', '.join(WHEN)}.")
    return Policy(
        version=str(data["version"]),
        offices=tuple(offices),
        until_due=data["until_due"],
        grace_days=data["grace_days"],
        blocks=dict(data["blocks"]),
        digest=firmfiles.digest(data),
    )


@lru_cache(maxsize=2)
def _loaded(firms: Path | None) -> Policy:
    return load(firms)


def current() -> Policy:
    """Return the policy in force. A change of the file takes effect when the site is started anew."""
    return _loaded(settings.STANDING_POLICY_FILE)
