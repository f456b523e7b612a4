"""WeCom feeds that want to break the importer, of any length: each line is well formed, all of them together are not.

What they bring to light grows with their length: a finding for every line or two, where an honest feed has a few.
"""

import json
from collections.abc import Iterator

from portal.demo.bulk_feed import BEGINS

STEP = 1_000  # ms between two messages
PEOPLE = [f"bench.user{n:05}" for n in range(250)]


def _message(n: int, **fields) -> dict:
    sent = BEGINS + n * STEP
    return {
        "msgid": f"{7_300_000_000_000_000_000 + n}_{sent}",
        "action": "send",
        "from": PEOPLE[n % len(PEOPLE)],
        "tolist": [PEOPLE[(n + 1) % len(PEOPLE)]],
        "roomid": "",
        "msgtime": sent,
        "msgtype": "text",
        "text": {"content": "hello"},
        **fields,
    }


def _line(seq: int, message: dict, *, late: int = 40_000) -> bytes:
    line = {"seq": seq, "publickey_ver": 1, "pulled_at": message["msgtime"] + late, "msg": message}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def holes(count: int) -> Iterator[bytes]:
    """Every second number is missing."""
    for n in range(count):
        yield _line(2 * n + 1, _message(n))


def conflicts(count: int) -> Iterator[bytes]:
    """Every second line says something else under the id of the line before."""
    for n in range(count):
        twin = _message(n - n % 2)
        yield _line(n + 1, {**twin, "text": {"content": f"no, {n}"}} if n % 2 else twin)


def strangers(count: int) -> Iterator[bytes]:
    """Every message is by somebody else, whom nobody knows."""
    for n in range(count):
        yield _line(n + 1, _message(n, **{"from": f"stranger.{n}"}))


def signals(count: int) -> Iterator[bytes]:
    """Every message points off the channel."""
    for n in range(count):
        yield _line(n + 1, _message(n, text={"content": "add me on my personal WeChat"}))


def kinds(count: int) -> Iterator[bytes]:
    """Every message is of a kind that was never heard of."""
    for n in range(count):
        yield _line(n + 1, _message(n, msgtype=f"kind_{n}"))


def days(count: int) -> Iterator[bytes]:
    """Every message is of another day, from 1990 on and round again, and was pulled late."""
    for n in range(count):
        sent = (7_305 + n % 13_000) * 86_400_000
        yield _line(n + 1, _message(n, msgtime=sent, msgid=f"d{n}"), late=86_400_000)


def unreadable(count: int) -> Iterator[bytes]:
    """No record could be decrypted, each under a key version of its own."""
    for n in range(count):
        yield b'{"seq":%d,"msgid":"u%d","publickey_ver":%d,"error":10007}\n' % (n + 1, n, n + 1)


FEEDS = {
    "holes": holes,
    "conflicts": conflicts,
    "strangers": strangers,
    "signals": signals,
    "kinds": kinds,
    "days": days,
    "unreadable": unreadable,
}
