"""What goes wrong on the way from WeCom to the file: every fault that an importer must stand."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime

HOUR_MS = 3_600_000
LATE_MS = 3 * HOUR_MS


CONTACTS = ("wm", "wo")


def _has_client(message: dict) -> bool:
    return any(one.startswith(CONTACTS) for one in (message.get("from", ""), *message.get("tolist", ())))


def as_line(record: dict) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


class Faults:
    """Numbers the messages of each week and damages some lines. When, is told as a share of the whole time."""

    def __init__(self, *, weeks: int, first_seq: int, chance: random.Random) -> None:
        self.weeks, self.next_seq, self.chance = weeks, first_seq, chance
        self.repulled: list[dict] = []  # lost at first, asked for again, and in the next week's file

    def is_week(self, n: int, share: float) -> bool:
        return n == min(int(share * self.weeks), self.weeks - 1)

    def lines(self, n: int, messages: Sequence[dict]) -> list[bytes]:
        """Return the lines of week ``n`` (from 0) for its messages in order of time."""
        records = [self._record(n, message) for message in messages]
        if self.is_week(n, 0.7):
            self._late_day(records)
        if self.is_week(n, 0.9):
            self._words_that_had_to_be_mended(records)
        if self.is_week(n, 0.97):
            self._file_not_fetched(records)
        records = self._holes(n, records)
        lines = [self._line(n, position, record, len(records)) for position, record in enumerate(records)]
        for _ in range(3):  # two neighbours came the other way round: no fault at all
            k = self.chance.randrange(len(lines) - 1)
            lines[k], lines[k + 1] = lines[k + 1], lines[k]
        if any(self.is_week(n, share) for share in (0.3, 0.8, 1.0)):  # cut off, and whole right after
            k = self.chance.randrange(len(lines) // 2, len(lines))
            lines.insert(k, lines[k][: len(lines[k]) * 2 // 3])
        for _ in range(self.chance.randint(1, 3)):
            lines.append(as_line(self._again(self.chance.choice(records))))
        if self.is_week(n, 0.5):
            lines.append(as_line(self._contradicted(records)))
        again, self.repulled = self.repulled, self._lost_for_a_week
        return [*(as_line(self._again(record, after=2 * HOUR_MS)) for record in again), *lines]

    def _record(self, n: int, message: dict) -> dict:
        sent_at = message.get("msgtime") or message["time"]
        version = 1 if n < self.weeks * 0.5 else 2
        pulled_at = sent_at + self.chance.randint(5_000, 95_000)
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        return {"seq": seq, "publickey_ver": version, "pulled_at": pulled_at, "msg": message}

    def _late_day(self, records: list[dict]) -> None:
        """On one day the puller stood still over midday."""
        day = self._day(records[len(records) // 2])
        for record in records:
            hour = datetime.fromtimestamp(record["pulled_at"] / 1000, UTC).hour
            if self._day(record) == day and 2 <= hour < 6:
                record["pulled_at"] += LATE_MS

    @staticmethod
    def _day(record: dict) -> str:
        return datetime.fromtimestamp(record["pulled_at"] / 1000, UTC).date().isoformat()

    @staticmethod
    def _words_that_had_to_be_mended(records: list[dict]) -> None:
        """One message has a character in it that no database takes."""
        texts = (one for one in records if one["msg"].get("msgtype") == "text" and not _has_client(one["msg"]))
        if record := next(texts, None):
            record["msg"]["text"]["content"] += " \x00"

    @staticmethod
    def _file_not_fetched(records: list[dict]) -> None:
        """The puller came too late for one file that went to a client, and says so."""
        kinds = ("file", "image")
        files = (one for one in records if one["msg"].get("msgtype") in kinds and _has_client(one["msg"]))
        if record := next((one for one in files if not one["msg"]["from"].startswith(CONTACTS)), None):
            payload = record["msg"][record["msg"]["msgtype"]]
            record["media"] = [{"sdkfileid": payload["sdkfileid"], "error": "expired"}]

    def _holes(self, n: int, records: list[dict]) -> list[dict]:
        """Leave numbers out: a few that are gone for good, and once some that a later pull brings."""
        self._lost_for_a_week: list[dict] = []
        for share, length, comes_back in [(0.25, 3, False), (0.4, 5, True), (0.6, 14, False), (1.0, 2, False)]:
            if not self.is_week(n, share) or len(records) < 3 * length:
                continue
            k = self.chance.randrange(length, len(records) - 2 * length)
            lost = records[k : k + length]
            records = records[:k] + records[k + length :]
            if comes_back and n < self.weeks - 1:
                self._lost_for_a_week = lost
        return records

    def _line(self, n: int, position: int, record: dict, count: int) -> bytes:
        """Write a record down; around the change of keys four could not be decrypted."""
        if self.is_week(n, 0.5) and position in range(count // 3, count // 3 + 4):
            envelope = {key: record[key] for key in ("seq", "publickey_ver", "pulled_at")}
            return as_line({**envelope, "msgid": record["msg"]["msgid"], "error": 10007})
        return as_line(record)

    def _again(self, record: dict, after: int = 60_000) -> dict:
        return {**record, "pulled_at": record["pulled_at"] + after}

    def _contradicted(self, records: list[dict]) -> dict:
        """A record that was there already, with other words in it."""
        texts = [record for record in records[: len(records) // 4] if record["msg"].get("msgtype") == "text"]
        record = self.chance.choice(texts)
        message = {**record["msg"], "text": {"content": record["msg"]["text"]["content"] + " (v2)"}}
        return self._again({**record, "msg": message})
