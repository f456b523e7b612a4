"""Mails built by hand, for tests: what is not said is dull."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from archive.sources.base import Aside, Captured, Place
from archive.sources.feed import How, open_feed
from archive.sources.mail import Mails

DATA = Path(__file__).parent / "data"
JOURNAL = DATA / "mail" / "journal.eml"
TABLE = DATA / "messages.csv"
CAPTURE = {
    "channel": "X-Capture-Channel",
    "native_id": "X-Capture-Native-Id",
    "sender": "X-Capture-Sender",
    "recipients": "X-Capture-Recipients",
    "room": "X-Capture-Room",
    "kind": "X-Capture-Type",
}
FROM_LINE = b"From capture@example.com Mon Oct 12 01:02:10 2026\n"


def mail(body: bytes | str = "hello", **headers: str | None) -> bytes:
    """Return a mail. A header that is None is left out; ``_`` in a name is ``-``."""
    fields = {
        "From": "Li Na <li.na@example.com>",
        "To": "Zhang Wei <zhangwei@example.com>",
        "Date": "Mon, 12 Oct 2026 01:01:12 +0000",
        "Message-ID": "<1@example.com>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\n" for name, value in fields.items() if value is not None)
    return head.encode("utf-8", "surrogateescape") + b"\n" + (body if isinstance(body, bytes) else body.encode())


def multipart(*parts: bytes, closed: bool = True, **headers: str | None) -> bytes:
    edge = hashlib.sha256(b"\n".join(parts)).hexdigest()[:20]
    mark = f"--{edge}".encode()
    body = b"".join(mark + b"\n" + part + b"\n" for part in parts) + (mark + b"--\n" if closed else b"")
    return mail(body, **{"Content_Type": f'multipart/mixed; boundary="{edge}"', **headers})


def part(body: bytes, kind: str = "text/plain; charset=utf-8", encoding: str = "8bit", more: str = "") -> bytes:
    return f"Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n{more}\n".encode() + body


def file_part(content: bytes, kind: str = "application/pdf") -> bytes:
    letters = base64.encodebytes(content)
    return part(letters, kind, "base64", 'Content-Disposition: attachment; filename="f"\n')


def wrapped(inner: bytes, envelope: str = "Sender: li.na@example.com\n", **headers: str | None) -> bytes:
    """A journal report around a mail."""
    outer = {
        "From": "journal@example.com",
        "To": "archive@example.com",
        "Date": "Mon, 12 Oct 2026 01:02:10 +0000",
        "Message-ID": "<report@example.com>",
        "X-MS-Journal-Report": "",
    }
    return multipart(part(envelope.encode()), b"Content-Type: message/rfc822\n\n" + inner, **{**outer, **headers})


def read(raw: bytes, mapping: dict | None = None, **how: str) -> Captured | Aside:
    how = How("mail", mapping or {}, **{"time_zone": "Asia/Shanghai", **how})
    return Mails(how).parse(Place(1, 0, len(raw)), raw)


def mbox(mails: Iterable[bytes]) -> bytes:
    """An mbox as a careful writer makes it: ``From `` in a mail gets a ``>``."""
    lines = []
    for one in mails:
        lines.append(FROM_LINE)
        for line in one.splitlines(keepends=True):
            lines.append(b">" + line if line.lstrip(b">").startswith(b"From ") else line)
        lines.append(b"\n" if one.endswith(b"\n") else b"\n\n")
    return b"".join(lines)


def zipped(members: Iterable[tuple[str | zipfile.ZipInfo, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content, compression)
    return out.getvalue()


def records(data: bytes, kind: str = "mail", *, line: int = 0, offset: int = 0, mapping: dict | None = None) -> list:
    how = How(kind, mapping or {}, "Asia/Shanghai")
    return list(open_feed(io.BytesIO(data), len(data), how).read(line=line, offset=offset))


def told(found: list) -> list:
    """What a list of records says, short: a message's id, or the reason why there is none."""
    return [one.reason if isinstance(one, Aside) else one.msgid for one in found]
