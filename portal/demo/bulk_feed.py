"""A WeCom feed of any length for measuring: the same number of lines and seed make the same bytes.

Talk as in phrases.yaml, kinds as in payloads.py, in the proportions of a busy firm: four weeks in which everybody
writes some twenty times a working day, most of it text, a third in rooms, half with outside contacts. Nine contacts in
ten agree to being archived when they are first written to; one line in a hundred is pulled twice, one in two thousand
is broken.
"""

import json
import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

from portal.demo import payloads, phrases

SEED = 2026
LINES_EACH = 400  # so many lines to a person
CLIENTS_EACH = 4
MOST_PEOPLE = 25_000
BEGINS = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
DAYS = 28
# What is sent, and how often among a thousand lines.
KINDS = {
    "text": 800, "image": 60, "voice": 25, "file": 25, "sticker": 25, "link": 15, "reply": 20, "mixed": 6, "record": 6,
    "recall": 6, "switch": 3, "meeting": 3, "card": 6,
}  # fmt: skip
SLIPS = 6  # texts in a thousand that point off the channel
TWICE, BROKEN = 100, 2_000  # one line in so many
_NAMES, _UP_TO = list(KINDS), list(accumulate(KINDS.values()))


@dataclass
class _Firm:
    people: list[str]
    clients: list[str]
    rooms: list[tuple[str, list[str]]]
    asked: set[tuple[str, str]]  # (employee or room, client): who has been asked for consent


def people(lines: int, count: int | None = None) -> list[str]:
    """Return the userids of the staff of whom a feed of so many lines speaks, or of so many people."""
    return [f"bench.user{n:05}" for n in range(count or min(MOST_PEOPLE, max(20, lines // LINES_EACH)))]


def texts(count: int, seed: int = SEED) -> Iterator[str]:
    """Yield what people write, both languages, slips among it."""
    chance = random.Random(f"words/{seed}")  # noqa: S311 - invented, not secret
    said = _said(chance)
    for _n in range(count):
        yield _words(chance, said)


def lines(count: int, seed: int = SEED, begins: int = BEGINS, people: int | None = None) -> Iterator[bytes]:
    """Yield the lines of the feed, each with its line end. ``begins``: the moment of the first, ms."""
    chance = random.Random(f"bulk/{seed}")  # noqa: S311 - invented, not secret
    firm, said, before = _firm(chance, count, people), _said(chance), [{}]
    step = DAYS * 86_400_000 // max(1, count)
    seq, last = 0, b""
    for n in range(count):
        if last and n % TWICE == TWICE - 1:
            yield last
            continue
        seq += 1
        if n % BROKEN == BROKEN // 2:
            yield b'{"seq":%d,"pulled_at":%d,"msg":{"msgid":"cut o\n' % (seq, begins)
            continue
        sent = begins + n * step + chance.randrange(step or 1)
        message = _message(chance, firm, said, before, n, sent)
        pulled = sent + chance.randrange(20_000, 400_000)
        line = {"seq": seq, "publickey_ver": 1, "pulled_at": pulled, "msg": message}
        last = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        yield last


def _firm(chance: random.Random, count: int, heads: int | None) -> _Firm:
    staff = people(count, heads)
    clients = [f"wm{'BeNcH' * 4}{n:010}" for n in range(CLIENTS_EACH * len(staff))]
    rooms = []
    for n in range(max(4, len(staff) // 5)):
        members = chance.sample(staff, chance.randint(3, 12)) + chance.sample(clients, chance.randint(0, 3))
        rooms.append((f"wr{'RoOm' * 5}{n:010}", members))
    return _Firm(staff, clients, rooms, set())


def _said(chance: random.Random) -> list[tuple[str, str]]:
    """Return a stock of (language, words) to choose from; numbers put in later make each a little different."""
    said = []
    for _n in range(3_000):
        language, where = chance.choice(["zh", "zh", "en"]), chance.choice(["client", "internal"])
        said += [(language, line.text) for line in phrases.conversation(chance, where, language) if line.kind == "text"]
    return said


def _words(chance: random.Random, said: list[tuple[str, str]]) -> str:
    language, words = chance.choice(said)
    if chance.randrange(1000) < SLIPS:
        return phrases.one(chance, "off_channel" if chance.random() < 0.8 else "deletion", language)
    more = chance.choice(said)[1] if chance.random() < 0.3 else ""
    return f"{words} {more} {chance.randrange(1000)}" if chance.random() < 0.4 else words


def _message(
    chance: random.Random, firm: _Firm, said: list[tuple[str, str]], before: list[dict], n: int, sent: int
) -> dict:
    kind = _NAMES[bisect(_UP_TO, chance.randrange(1000))]
    number = f"{7_100_000_000_000_000_000 + n}_{sent}"
    if kind == "switch":
        return {"msgid": number, "action": "switch", "time": sent, "user": chance.choice(firm.people)}
    sender, to, room, is_external = _parties(chance, firm)
    head = {
        "msgid": f"{number}_external" if is_external else number,
        "action": "send",
        "from": sender,
        "tolist": to,
        "roomid": room,
        "msgtime": sent,
    }
    if kind == "recall":
        gone = chance.choice(before)
        back = {"action": "recall", "msgtype": "revoke", "revoke": {"pre_msgid": gone.get("msgid", "none")}}
        return {**head, "from": gone.get("from", sender), **back}
    if agreed := _agreement(chance, firm, head):
        return agreed
    if kind == "card":
        return {**head, "msgtype": "card", "card": {"corpname": "微信联系人", "userid": chance.choice(firm.people)}}
    make = payloads.SAID.get(kind) or getattr(payloads, kind)
    msgtype, payload = make(chance, _words(chance, said), "zh")
    before.append({"msgid": head["msgid"], "from": sender})
    del before[:-50]
    return {**head, "msgtype": msgtype, **payload}


def _agreement(chance: random.Random, firm: _Firm, head: dict) -> dict | None:
    """Return the record of a contact's answer where the message is the first to one who then agrees."""
    everybody = [head["from"], *head["tolist"]]
    for client in (one for one in everybody if one.startswith("wm")):
        others = [one for one in everybody if one != client]
        where = (head["roomid"] or next(one for one in others), client)
        if where not in firm.asked:
            firm.asked.add(where)
            if chance.random() < 0.9:
                word = {"agree": {"userid": client, "agree_time": head["msgtime"]}}
                return {**head, "from": client, "tolist": others, "msgtype": "agree", **word}
    return None


def _parties(chance: random.Random, firm: _Firm) -> tuple[str, list[str], str, bool]:
    """Return (sender, recipients, room, whether somebody outside takes part)."""
    if chance.random() < 0.33:
        room, members = chance.choice(firm.rooms)
        sender = chance.choice(members)
        return sender, [one for one in members if one != sender], room, members[-1].startswith("wm")
    at = chance.randrange(len(firm.people))
    if chance.random() < 0.6:
        pair = [firm.people[at], firm.clients[at * CLIENTS_EACH + chance.randrange(CLIENTS_EACH)]]
    else:
        pair = [firm.people[at], firm.people[(at + 1 + chance.randrange(8)) % len(firm.people)]]
    chance.shuffle(pair)
    return pair[0], [pair[1]], "", any(one.startswith("wm") for one in pair)
