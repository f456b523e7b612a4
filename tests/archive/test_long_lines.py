"""A line of 100 MB, in every kind of file: set aside, the next one is read, and memory stays as it was."""

import gzip
import json
import random
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.models import Message, SetAside
from archive.sources.base import KEPT_OF_ASIDE
from tests.archive.conftest import line
from tests.archive.mails import mail

ROOT = Path(__file__).parents[2]
LONG = 100 * 10**6  # bytes
MOST_MB = 48  # more than before, of whatever it reads
# Base64 of chance, so that packing it is no bomb; each piece repeats farther back than deflate remembers.
PIECE = b64encode(random.Random(7).randbytes(3 * 2**16))

# Reads a file as the importer does, a batch at a time, and tells by how much its memory grew.
READ = """
import json, resource, sys
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
django.setup()
from pathlib import Path
from archive.sources.feed import How, open_feed
from archive.sources.base import Aside
path, kind = Path(sys.argv[1]), sys.argv[2]
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 1024)
open_feed(open(sys.argv[3], "rb"), Path(sys.argv[3]).stat().st_size, How(kind)).read()
before = most()
with path.open("rb") as stream:
    feed = open_feed(stream, path.stat().st_size, How(kind))
    told = [(one.place.line, one.reason if isinstance(one, Aside) else "read") for one in feed.read()]
print(json.dumps({"told": told, "mb": most() - before}))
"""


def long(before: bytes, after: bytes) -> Iterator[bytes]:
    yield before
    for _n in range(LONG // len(PIECE) + 1):
        yield PIECE
    yield after


GOOD = json.dumps(line(9)).encode() + b"\n"
HEAD = b"message_id,sent_at,sender,recipients,text\n"
ROW = b"m1,2026-10-12T01:01:12Z,li.na,wang,hello\n"
FROM = b"From a@b Mon Oct 12 01:02:03 2026\n"
FILES = {
    "JSON lines": ("wecom", (b'{"seq":1,"msg":{"msgid":"1","x":"', b'"}}\n' + GOOD), ["too_long", "read"]),
    "JSON lines, no end": ("wecom", (GOOD + b'{"seq":1,"msg":{"msgid":"1","x":"', b""), ["read", "too_long"]),
    "CSV": ("csv", (HEAD + b"m0,2026-10-12T01:01:12Z,li.na,wang,", b"\n" + ROW), ["too_long", "read"]),
    "mbox": (
        "mail",
        (FROM + b"From: a@b.example\n\n", b"\n\n" + FROM + mail(b"hello") + b"\n"),
        ["mail_too_large", "read"],
    ),
    "mbox, a header": (
        "mail",
        (FROM + b"Subject: ", b"\n\nx\n\n" + FROM + mail(b"hello") + b"\n"),
        ["mail_too_large", "read"],
    ),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", FILES)
def test_a_line_of_100_mb_is_set_aside_in_the_memory_of_a_short_one(tmp_path, name, packed):
    kind, (before, after), expected = FILES[name]
    path, short = tmp_path / "feed", tmp_path / "short"
    with gzip.open(path, "wb", compresslevel=1) if packed else path.open("wb") as file:
        file.writelines(long(before, after))
    short.write_bytes(GOOD)
    read = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", READ, path, kind, short], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert read.returncode == 0, read.stderr
    found = json.loads(read.stdout)
    assert [what for _line, what in found["told"]] == expected
    assert found["mb"] <= MOST_MB


@pytest.mark.django_db
def test_it_is_stored_as_its_beginning_with_its_length(run_import, tmp_path, make_employee):
    make_employee(wecom_userid="li.na")
    path = tmp_path / "feed.jsonl"
    _kind, (before, after), _expected = FILES["JSON lines"]
    with path.open("wb") as file:
        file.writelines(long(before, after))
    counts = run_import(path)
    assert (counts["lines"], counts["stored"], counts["set_aside"]) == (2, 1, 1)
    aside = SetAside.objects.get()
    assert (aside.reason, aside.length) == ("too_long", path.stat().st_size - len(GOOD))
    assert len(aside.sealed) < 2 * KEPT_OF_ASIDE
    assert Message.objects.get().seq == 9
