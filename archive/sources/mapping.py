"""How a source's files are read: what of a mail or a table means what, as the firm has told it for the source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

# Journal mail: field -> header.
HEADERS = ("channel", "native_id", "sender", "recipients", "room", "kind", "sent_at", "captured_at", "recalls")
# CSV: field -> column, where the file's name for it is another.
COLUMNS = (
    "message_id",
    "sent_at",
    "captured_at",
    "channel",
    "conversation_id",
    "sender",
    "sender_name",
    "recipients",
    "kind",
    "text",
    "attachments",
    "recalled_at",
)
JOURNAL = ("auto", "plain")
SEPARATORS = (",", ";", "\t")
ENCODINGS = ("utf-8", "gb18030")

_HEADER_NAME = re.compile(r"[!-9;-~]{1,76}\Z")
_DOMAIN = re.compile(r"[^\s@,;]+\.[^\s@,;]+\Z")


class BadMapping(ValueError):
    """The mapping names something that is not there; the message says what to mend."""


@dataclass(frozen=True)
class How:
    """How a source is read: its kind (a Source.Kind), mapping, zone and granularity, and the file's name as it came."""

    kind: str = "wecom"
    mapping: Mapping = field(default_factory=dict)
    time_zone: str = "UTC"
    label: str = ""
    granularity: str = "message"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def check(kind: str, mapping: object) -> dict:
    """Return the mapping if a source of this kind can be read by it. Raises BadMapping."""
    if not isinstance(mapping, dict):
        raise BadMapping(_("A mapping is a JSON object."))
    fields = {"mail": HEADERS, "csv": COLUMNS}.get(kind, ())
    options = _OPTIONS.get(kind, {})
    for name, value in mapping.items():
        if name in options:
            options[name](name, value)
        elif name not in fields:
            known = ", ".join([*fields, *options]) or "–"
            raise BadMapping(_("“%(name)s” is no field of this kind of feed. Known: %(known)s.") % _told(name, known))
        elif kind == "mail" and not (isinstance(value, str) and _HEADER_NAME.match(value)):
            raise BadMapping(_("“%(name)s” must be the name of a header, such as X-Capture-Id.") % _told(name))
        elif not (isinstance(value, str) and value.strip()):
            raise BadMapping(_("“%(name)s” must be the name of a column.") % _told(name))
    return mapping


def _told(name: object, known: str = "") -> dict:
    return {"name": str(name)[:60], "known": known}


def _words(name: str, value: object) -> None:
    """Words of the vendor -> ours."""
    if not isinstance(value, dict) or not all(isinstance(one, str) and one for pair in value.items() for one in pair):
        raise BadMapping(_("“%(name)s” must say for words of the vendor what they are called here.") % _told(name))


def _domains(name: str, value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(one, str) and _DOMAIN.match(one) for one in value):
        raise BadMapping(_("“%(name)s” must be a list of domains, such as example.com.") % _told(name))


def _one_of(*choices: str):
    def checked(name: str, value: object) -> None:
        if value not in choices:
            known = ", ".join(repr(one) for one in choices)
            raise BadMapping(_("“%(name)s” must be one of: %(known)s.") % _told(name, known))

    return checked


def _format(name: str, value: object) -> None:
    try:
        told = datetime(2026, 10, 12, 9, 1, tzinfo=UTC).strftime(value)
        if datetime.strptime(told, value).date() == datetime(2026, 10, 12).date():  # noqa: DTZ001, DTZ007
            return
    except (TypeError, ValueError):
        pass
    raise BadMapping(_("“%(name)s” must be a date format such as %%d/%%m/%%Y %%H:%%M.") % _told(name))


_OPTIONS = {
    "mail": {"own_domains": _domains, "kinds": _words, "channels": _words, "journal": _one_of(*JOURNAL)},
    "csv": {
        "own_domains": _domains,
        "kinds": _words,
        "channels": _words,
        "separator": _one_of(*SEPARATORS),
        "encoding": _one_of(*ENCODINGS),
        "date_format": _format,
    },
}
