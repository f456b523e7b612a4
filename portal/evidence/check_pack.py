"""Checks an evidence pack of Onchannel, or one proof, without a network and without trusting whoever made it.

    python3 check_pack.py [PACK.zip | FOLDER | PROOF] [--key KEY] [--seal FILE]... [--join FILE]... [--lang en|zh]

Needs Python 3.8 or newer and nothing else. Without a name it checks the folder in which it lies. KEY is the newest
public key that you trust, as text or as a file: you should have it from somewhere else than from this pack. --seal is a
seal that somebody kept outside of the firm's own machines; with one, even whoever has the firm's key is found out.
--join is a proof that joins such a seal to the pack's, which the firm gives to whoever asks.

Ends with 0 if all holds, with 1 if something does not, with 2 if it cannot be read, and with 3 if all holds but a seal
that you gave is not joined to it: then it has proved nothing against whoever has the firm's key. Nothing is written.
"""

import argparse
import base64
import csv
import hashlib
import hmac
import io
import json
import os
import re
import sys
import zipfile
import zlib
from bisect import bisect_left

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
ODD_SPACES = " \u00a0\u2000\u200b\u3000\ufeff"
MOST_FAULTS = 20
DISPOSED, SHARED = "ledger.disposed", "archive.records_computed"
# SHA-256 of the descriptions of tables that this program knows, newest first: another could hide what is proved.
KNOWN = (
    "9837af9f60754972fabd27fb164f63b2de26a62177b8d38ac4c4c351efdb3cd6",
    "e893326e9c743bf89ab56890f487c5f59c78b9f763247856bed04a1577c5e01e",
    "a8a329e3fdf7ee0a3bcc383117698b1487de18f7b19d4fd42bbe31544d501b0f",
)
PUBLISHED = "training.edition_published"
TOLD_BY_HR = ("people.added", "people.changed")
LOOSE = ("read.csv",)  # the tables that may have rows without an entry: lessons were not always written into the log
PARTS = {"format", "entry", "body", "salt", "path", "first_seal", "seal", "keys", "batch"}  # of a proof
HANDOVER = re.compile(r"onchannel key rotation\n[^\n]*\nfrom ([^\n]*)\nto ([^\n]*)\n")
NAMES = ("employee_no", "name_en", "name_zh")
csv.field_size_limit(2**27)


class Unreadable(Exception):
    """This is no pack and no proof."""


# All that a file can bring about that is not what it should be.
BROKEN = (
    Unreadable, OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError,
    RecursionError, NotImplementedError, MemoryError, OverflowError, csv.Error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


# --- Ed25519, RFC 8032, section 5.1 and its appendix ---------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _add(one, other):
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number, point):
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _add(found, point)
        point, number = _add(point, point), number >> 1
    return found


def _point(raw):
    """Return the point that 32 bytes stand for, None if they stand for none."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def _bytes(point):
    z = pow(point[2], P - 2, P)
    x, y = point[0] * z % P, point[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verifies(public, signature, message):
    """Say whether the signature is that of the public key's owner over the message."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, number = _point(public), int.from_bytes(signature[32:], "little")
    if key is None or number >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus = (P - key[0], key[1], key[2], P - key[3])
    return _bytes(_add(_times(number, BASE), _times(challenge, minus))) == signature[:32]


# --- signed notes and seals, C2SP ----------------------------------------------------------------------------------


class Key:
    """A public key as text: name+id+base64."""

    def __init__(self, text):
        self.text = text.strip()
        self.name, self.id, raw = self.text.split("+", 2)
        raw = base64.b64decode(raw, validate=True)
        self.raw = raw[1:]
        if raw[:1] != b"\x01" or len(raw) != 33 or sha(self.name.encode(), b"\n", raw)[:4].hex() != self.id:
            raise ValueError("not a public key")


def signers(note, keys):
    """Return (text, those of the keys that have signed it). Raises ValueError for no note and for a bad signature."""
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise ValueError("not a signed note")
    text, found = text + "\n", []
    for line in tail[:-1].split("\n"):
        dash, name, signature = line.split(" ")
        if dash != "\u2014":
            raise ValueError("not a signature")
        signature = base64.b64decode(signature, validate=True)
        for key in keys:
            if (key.name, key.id) == (name, signature[:4].hex()) and key not in found:
                if not ed25519_verifies(key.raw, signature[4:], text.encode()):
                    raise ValueError("the signature does not fit")
                found.append(key)
    return text, found


class Seal:
    """A signed note over so many entries: origin, size, root, and lines of its own."""

    def __init__(self, note, keys):
        text, self.by = signers(note, keys)
        lines = text.split("\n")
        self.note, self.origin = note, lines[0]
        if not re.fullmatch("[1-9][0-9]{0,18}", lines[1]):
            raise ValueError("not a seal")
        self.size, self.root = int(lines[1]), base64.b64decode(lines[2], validate=True)
        self.at = next((line[5:] for line in lines[3:] if line.startswith("time ")), "")
        if len(self.root) != 32 or not self.by:
            raise ValueError("nobody who is known has signed it")


# --- the tree, RFC 9162, section 2.1 -------------------------------------------------------------------------------


def split(count):
    return 1 << ((count - 1).bit_length() - 1)


def root_around(leaves, size, nodes):
    """Return the root that these leaf hashes {index: hash} and the nodes around them, left to right, lead to."""
    indexes, rest = sorted(leaves), iter(nodes)
    if indexes and not 0 <= indexes[0] <= indexes[-1] < size:
        raise ValueError("a leaf lies outside the tree")

    def over(start, count, first, end):
        if first == end:
            return next(rest)
        if count == 1:
            return leaves[indexes[first]]
        half = split(count)
        middle = bisect_left(indexes, start + half, first, end)
        left = over(start, half, first, middle)
        return sha(b"\x01", left, over(start + half, count - half, middle, end))

    try:
        root = over(0, size, 0, len(indexes))
    except StopIteration as missing:
        raise ValueError("nodes are missing") from missing
    if next(rest, None) is not None:
        raise ValueError("there are nodes too many")
    return root


def climb(node, index, size, path):
    """Return the root that the path leads to from a leaf hash."""
    last = size - 1
    if not 0 <= index <= last:
        raise ValueError("no such leaf")
    for step in path:
        if not last:
            raise ValueError("the path is too long")
        if index & 1 or index == last:
            node = sha(b"\x01", step, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = sha(b"\x01", node, step)
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return node


def contains(later, earlier, path):
    """Say whether the path shows that the earlier seal's entries are under the later one, unchanged."""
    m, n, path = earlier.size, later.size, list(path)
    if m == n:
        return earlier.root == later.root and not path
    if m > n:
        return False
    if m & (m - 1) == 0:
        path.insert(0, earlier.root)
    if not path:
        return False
    left, last = m - 1, n - 1
    while left & 1:
        left, last = left >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if not last:
            return False
        if left & 1 or left == last:
            old, new = sha(b"\x01", step, old), sha(b"\x01", step, new)
            while left and not left & 1:
                left, last = left >> 1, last >> 1
        else:
            new = sha(b"\x01", new, step)
        left, last = left >> 1, last >> 1
    return not last and old == earlier.root and new == later.root


# --- rows: what a table says, and what the entry behind it says ----------------------------------------------------


def cell(value):
    """Return a value of an entry as a table says it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (dict, list)):
        return canonical(value).decode()
    return str(value)


def safe(text):
    """Return the cell as no spreadsheet runs it: what looks like a formula begins with an apostrophe."""
    return "'" + text if text.lstrip(ODD_SPACES)[:1] in FORMULA and text.lstrip(ODD_SPACES) else text


def reach(source, about):
    """Return what stands at a place such as ``body.after.course``, None where there is nothing."""
    found = about
    for name in source.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def items(section, body):
    """Return the parts of a body of which each has a row of its own: one None where the whole has one row."""
    if not section["each"]:
        return [None]
    found = reach(section["each"], {"body": body})
    if isinstance(found, dict):
        return [{"key": key, "value": found[key]} for key in sorted(found)]
    return found or []


def rows_of(section, entry, body, people, editions):
    """Return what the table must say of an entry: a list of rows, None for a cell that no entry speaks of.

    ``editions``: {(course, number): what the entry about its publication says}.
    """
    found = []
    for item in items(section, body):
        edition = editions.get((body.get("course"), body.get("edition")))
        about = {"entry": entry, "body": body, "item": item, "edition": edition}
        if section["person"] and reach(section["person"], about) not in people:
            continue
        found.append([safe(cell(reach(source, about))) if source else None for _, source in section["columns"]])
    return found


# --- where the files are -------------------------------------------------------------------------------------------


class Files:
    """The files of a pack, in a ZIP or in a folder."""

    def __init__(self, path):
        self.zip = None if os.path.isdir(path) else zipfile.ZipFile(path)
        self.folder = path

    def names(self):
        if self.zip:
            return [name for name in self.zip.namelist() if not name.endswith("/")]
        found = []
        for folder, _, names in os.walk(self.folder):
            found += [os.path.relpath(os.path.join(folder, name), self.folder).replace(os.sep, "/") for name in names]
        return found

    def open(self, name):
        return self.zip.open(name) if self.zip else open(os.path.join(self.folder, *name.split("/")), "rb")

    def read(self, name):
        with self.open(name) as file:
            return file.read()

    def lines(self, name):
        with io.TextIOWrapper(self.open(name), encoding="utf-8", newline="\n") as text:
            for line in text:
                yield json.loads(line)

    def digest(self, name):
        made, size = hashlib.sha256(), 0
        with self.open(name) as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                made.update(block)
                size += len(block)
        return {"sha256": made.hexdigest(), "size": size}


# --- the check -----------------------------------------------------------------------------------------------------


class Check:
    """What was found: sentences that are proved, that are not, and faults; each is (name in WORDS, facts)."""

    def __init__(self, files, trusted, outside, joins=()):
        """``trusted``: Keys. ``outside``: (name, seal as text) pairs. ``joins``: proofs between two seals."""
        self.files, self.trusted, self.outside, self.joins = files, trusted, outside, joins
        self.proved, self.unproved, self.open, self.faults = [], [], [], []
        self.said, self.leaves, self.bodies, self.silent, self.before = {}, {}, {}, {}, []

    def fault(self, name, **facts):
        self.faults.append((name, facts))

    def outcome(self):
        """0: all holds; 1: something does not; 3: a seal that was given is not joined to this."""
        return 1 if self.faults else 3 if self.open else 0

    def run(self):
        self.manifest = json.loads(self.files.read("manifest.json"))
        if self.manifest.get("format") != "onchannel-pack/1":
            raise Unreadable("manifest.json")
        for part in (self.described, self.keys, self.listed, self.entries, self.sealed, self.earlier, self.brought,
                     self.tables, self.papers):  # fmt: skip
            try:
                part()
            except BROKEN as error:
                self.fault("broken", part=part.__name__, why=f"{type(error).__name__}: {error}"[:200])
        self.unproved += [("truth", {}), ("whole", {}), ("after", {"at": self.manifest["as_at"]})]
        return self

    def keys(self):
        """Read the keys, oldest first. The newest, which must have signed the pack, has to be one that is trusted.

        Trust goes on from a key to the one that it was handed over to, never back to one that was replaced.
        """
        self.known = [Key(line) for line in self.files.read("proof/keys.txt").decode().splitlines() if line]
        self.newest = self.known[-1]
        trusted, handovers = {key.text for key in self.trusted}, self.handovers()
        for _ in handovers:
            trusted |= {new for old, new in handovers if old in trusted}
        if not self.trusted:
            self.unproved.append(("key", {"key": self.newest.text}))
        elif self.newest.text not in trusted:
            self.fault("other_key", key=self.newest.text)
        else:
            self.proved.append(("key", {"key": self.trusted[0].text}))

    def handovers(self):
        """Return (old, new) of every key that was replaced by another, each text as both of them have signed it."""
        found = []
        for line in self.files.lines("entries.jsonl"):
            if line["body"] and json.loads(line["entry"])["verb"] == "ledger.key_rotated":
                text, by = signers(json.loads(line["body"])["note"], self.known)
                told = HANDOVER.match(text)
                if told and {key.text for key in by} == set(told.groups()):
                    found.append(told.groups())
        return found

    def described(self):
        if hashlib.sha256(canonical(self.manifest["sections"])).hexdigest() not in KNOWN:
            self.fault("described")

    def listed(self):
        listed, here = self.manifest["files"], sorted(self.files.names())
        wanted = sorted([*listed, "manifest.json", "manifest.note"])
        for name in sorted(set(here) - set(wanted)):
            self.fault("stranger", file=name)
        if len(set(here)) != len(here):
            self.fault("twice")
        for name in sorted(listed):
            if name not in here:
                self.fault("gone", file=name)
            elif self.files.digest(name) != listed[name]:
                self.fault("changed", file=name)
        text, by = signers(self.files.read("manifest.note").decode(), [self.newest])
        digest = hashlib.sha256(self.files.read("manifest.json")).hexdigest()
        if not by or text.split("\n")[:2] != ["onchannel evidence pack", "manifest " + digest]:
            self.fault("manifest")
        elif not self.faults:
            self.proved.append(("listed", {"files": len(listed), "key": by[0].id}))

    def entries(self):
        """Read every entry; of those with a text, see that it is the one that was committed to."""
        why = {}
        for line in self.files.lines("entries.jsonl"):
            leaf = line["entry"].encode()
            entry = json.loads(leaf)
            seq = entry["seq"]
            if canonical(entry) != leaf or seq in self.said:
                self.fault("entry", seq=seq)
            self.said[seq], self.leaves[seq - 1] = entry, sha(b"\x00", leaf)
            if line["body"] is None:
                why[line["why"]] = why.get(line["why"], 0) + 1
                self.silent[seq] = line["why"]
                continue
            made = hmac.new(bytes.fromhex(line["salt"]), line["body"].encode(), hashlib.sha256).hexdigest()
            if made != entry["commitment"]:
                self.fault("body", seq=seq)
            self.bodies[seq] = json.loads(line["body"])
            if seq > self.manifest["upto"] and not entry["verb"].startswith("ledger."):
                self.fault("too_new", seq=seq)
        self.excused()
        if not self.faults:
            self.proved.append(("bodies", {"n": len(self.bodies)}))
        for name in ("disposed", "others"):
            if why.get(name):
                self.unproved.append((name, {"n": why[name]}))

    def excused(self):
        """An entry without its text must be named by one that disposed of it, or speak of many people."""
        orders = [self.bodies[seq]["seqs"] for seq in self.bodies if self.said[seq]["verb"] == DISPOSED]
        gone = {seq for seqs in orders for first, last in seqs for seq in range(first, last + 1)}
        for seq, why in sorted(self.silent.items()):
            is_gone, is_shared = why == "disposed" and seq in gone, self.said[seq]["verb"] == SHARED
            if not is_gone and not (why == "others" and is_shared):
                self.fault("silent", seq=seq)

    def sealed(self):
        self.seal = Seal(self.files.read("proof/seal.txt").decode(), [self.newest])
        given = json.loads(self.files.read("proof/inclusion.json"))
        if self.seal.origin != self.manifest["origin"]:
            self.fault("origin", seal=self.seal.origin)
        nodes = (bytes.fromhex(node) for node in given["nodes"])
        if given["size"] != self.seal.size or root_around(self.leaves, self.seal.size, nodes) != self.seal.root:
            self.fault("root", size=self.seal.size)
            return
        facts = {"n": len(self.leaves), "size": self.seal.size, "at": self.seal.at, "key": self.seal.by[0].id}
        self.proved.append(("sealed", facts))

    def earlier(self):
        for given in json.loads(self.files.read("proof/earlier.json")):
            seal = Seal(given["seal"], self.known)
            if seal.origin != self.seal.origin or not contains(self.seal, seal, map(bytes.fromhex, given["path"])):
                self.fault("earlier", at=seal.at, size=seal.size)
            self.before.append(seal)
        if self.before and not self.faults:
            self.proved.append(("earlier", {"n": len(self.before), "at": self.before[0].at}))

    def brought(self):
        """Seals from outside: each must be contained in the one that this is under, or contain it."""
        joins = [json.loads(text) for text in self.joins]
        for name, note in self.outside:
            seal = Seal(note, self.known)
            same = [one for one in [self.seal, *self.before] if one.size == seal.size]
            if seal.origin != self.seal.origin:
                self.fault("brought_other", file=name)
            elif same and seal.root != same[0].root:
                self.fault("brought_root", file=name, size=seal.size)
            elif same or any(self.is_joined(join, seal) for join in joins):
                self.proved.append(("brought", {"file": name, "at": seal.at, "size": seal.size}))
            else:
                self.open.append(("brought_between", {"file": name, "at": seal.at}))
        if not self.outside:
            self.unproved.append(("outside", {}))

    def is_joined(self, join, seal):
        """Say whether a proof shows that one of the two seals, this one's and the one given, contains the other."""
        early, late = sorted([seal, self.seal], key=lambda one: one.size)
        told = [Seal(join[name], self.known) for name in ("first_seal", "seal")]
        if [(one.size, one.root) for one in told] != [(one.size, one.root) for one in (early, late)]:
            return False
        return contains(late, early, map(bytes.fromhex, join["path"]))

    def tables(self):
        listed = list(self.table("people.csv"))
        people = {row["person"] for row in listed}
        self.names(listed)
        spoken = {entry["subject"] for entry in self.said.values() if not entry["subject"].startswith("system:")}
        for person in sorted(spoken - people):
            self.fault("unlisted", person=person)
        if people - spoken:
            self.unproved.append(("unspoken", {"n": len(people - spoken)}))
        rows, loose = 0, {}
        for section in self.manifest["sections"]:
            number, without = self.one_table(section, people)
            rows += number
            if without:
                loose[section["file"]] = without
        if not self.faults:
            self.proved.append(("rows", {"n": rows, "tables": len(self.manifest["sections"])}))
        if loose:
            told = ", ".join("{} ({})".format(*pair) for pair in sorted(loose.items()))
            self.unproved.append(("loose", {"n": sum(loose.values()), "files": told}))
        own = sorted(
            {name for section in self.manifest["sections"] for name, source in section["columns"] if not source}
        )
        self.unproved.append(("people", {"n": len(people), "columns": ", ".join(own)}))
        self.unproved.append(("print", {}))

    def names(self, people):
        """Names in people.csv must be the last that HR's entries told."""
        told, borne = {}, 0
        for seq in sorted(self.bodies):
            if self.said[seq]["verb"] in TOLD_BY_HR:
                told.setdefault(self.said[seq]["subject"], {}).update(self.bodies[seq].get("after") or {})
        for row in people:
            known = {name: safe(cell(value)) for name, value in told.get(row["person"], {}).items() if name in NAMES}
            if any(row[name] != value for name, value in known.items()):
                self.fault("name", person=row["person"])
            borne += "name_en" in known
        if borne and not self.faults:
            self.proved.append(("names", {"n": borne, "of": len(people)}))

    def table(self, name):
        with io.TextIOWrapper(self.files.open(name), encoding="utf-8-sig", newline="") as text:
            yield from csv.DictReader(text, strict=True)

    def one_table(self, section, people):
        """Compare every row with its entry, and every entry with its rows. Return (rows proved, rows without one)."""
        file, names = section["file"], [name for name, _ in section["columns"]]
        published = [self.bodies[seq] for seq in self.bodies if self.said[seq]["verb"] == PUBLISHED]
        editions = {(one.get("course"), one.get("edition")): one for one in published}
        wanted = {}
        for seq, entry in self.said.items():
            if entry["verb"] in section["verbs"] and seq in self.bodies:
                wanted[seq] = rows_of(section, entry, self.bodies[seq], people, editions)
        proved, without, plain = 0, 0, set()
        for number, row in enumerate(self.table(file), start=2):
            values = [row[name] for name in names]
            if None in row or None in values:
                self.fault("row", file=file, row=number)
                continue
            seq = int(row["entry"] or 0)
            if seq not in self.bodies:
                without += 1
                told = (seq, row.get("person"))
                is_alone = bool(row["entry"]) and told not in plain
                if not (self.is_plain(section, row, people) if is_alone else not row["entry"] and file in LOOSE):
                    self.fault("row", file=file, row=number)
                plain.add(told)
                continue
            found = next((one for one in wanted.get(seq, ()) if fits(one, values)), None)
            if found is None:
                self.fault("row", file=file, row=number)
            else:
                wanted[seq].remove(found)
                proved += 1
        for seq in sorted(seq for seq, left in wanted.items() if left and section["all"]):
            self.fault("no_row", file=file, seq=seq)
        return proved, without

    def is_plain(self, section, row, people):
        """Say whether a row of an entry without its text tells no more than the entry does: number, time and person."""
        seq = int(row["entry"])
        entry = self.said.get(seq)
        if entry is None or entry["verb"] not in section["verbs"]:
            return False
        if section["person"] and row["person"] not in people:
            return False
        if self.silent.get(seq) == "others":  # the portal's word, and told to be so
            return True
        told = {"entry.seq": row["entry"], "entry.at": entry["at"], "entry.subject": entry["subject"]}
        told[section["person"]] = row.get("person")
        return all(row[name] == safe(told.get(source, "")) for name, source in section["columns"] if source)

    def papers(self):
        """What was asked, word by word: questions lead to papers, papers to the entries about the attempts."""
        questions = {}
        for one in self.files.lines("questions.jsonl"):
            made = hashlib.sha256(canonical(one["content"])).hexdigest()
            if made != one["fingerprint"]:
                self.fault("question", question=one["question"])
            questions[made] = one["question"]
        told = {body["attempt"]: body.get("paper") for body in self.bodies.values()
                if isinstance(body, dict) and "paper" in body and "attempt" in body}  # fmt: skip
        n = 0
        for paper in self.files.lines("papers.jsonl"):
            known = all(one["fingerprint"] in questions for one in paper["questions"])
            if not known or hashlib.sha256(canonical(paper)).hexdigest() != told.get(paper["attempt"]):
                self.fault("paper", attempt=paper["attempt"])
            n += 1
        if n and not self.faults:
            self.proved.append(("papers", {"n": n, "questions": len(questions)}))


def fits(wanted, values):
    return all(one is None or one == value for one, value in zip(wanted, values))  # noqa: B905 - Python 3.8


def check_proof(text, trusted, outside=(), joins=()):
    """Check a proof, as JSON or as C2SP tlog-proof: of an entry, or that a seal contains another. Return a Check."""
    if text.startswith("c2sp.org/tlog-proof@v1\n"):
        proof = from_tlog(text)
    else:
        proof = json.loads(text)
        if proof.get("format") != "onchannel-proof/1" or not {"entry", "first_seal"} & set(proof):
            raise Unreadable("proof")
        if set(proof) - PARTS:
            raise Unreadable(", ".join(sorted(set(proof) - PARTS)))
    found = Check(None, trusted, outside, joins)
    found.known = [*trusted, *(Key(key) for key in proof["keys"])]
    if not found.known:
        raise Unreadable("--key")
    try:
        found.seal = Seal(proof["seal"], found.known)
        (two_seals if "first_seal" in proof else one_entry)(found, proof)
        found.brought()
    except ValueError as error:
        found.fault("broken", part="seal", why=str(error))
        return found
    found.unproved.append(("truth", {}))
    by = found.seal.by[0].text
    if not trusted:
        found.unproved.append(("key", {"key": by}))
    elif by in [key.text for key in trusted]:
        found.proved.append(("key", {"key": by}))
    else:
        found.fault("other_key", key=by)
    return found


def from_tlog(text):
    """Return a tlog-proof as the JSON of a proof, with the index that it names."""
    head, _, note = text.partition("\n\n")
    extra, index, *path = head.split("\n")[1:]
    leaf = base64.b64decode(extra.split(" ", 1)[1], validate=True).decode()
    index = int(index.split(" ")[1])
    return {
        "index": index,
        "entry": leaf,
        "path": [base64.b64decode(node).hex() for node in path],
        "seal": note,
        "keys": [],
    }


def one_entry(found, proof):
    """An entry under its seal; what it says, and a leaf of the batch that it names, if they come with it."""
    leaf, seal = proof["entry"].encode(), found.seal
    entry = json.loads(leaf)
    index = entry["seq"] - 1
    if proof.get("index", index) != index:
        raise ValueError("another place than the entry's")
    if climb(sha(b"\x00", leaf), index, seal.size, map(bytes.fromhex, proof["path"])) != seal.root:
        raise ValueError("another root")
    facts = {"n": 1, "size": seal.size, "at": seal.at, "key": seal.by[0].id}
    found.proved += [("one", {"seq": entry["seq"], "verb": entry["verb"], "at": entry["at"]}), ("sealed", facts)]
    if "body" in proof:
        made = hmac.new(bytes.fromhex(proof["salt"]), proof["body"].encode(), hashlib.sha256).hexdigest()
        if made != entry["commitment"]:
            found.fault("body", seq=entry["seq"])
            return
        found.proved.append(("says", {"body": proof["body"]}))
    if "batch" in proof:
        batch, told = proof["batch"], json.loads(proof["body"])
        leaf, path = bytes.fromhex(batch["leaf"]), map(bytes.fromhex, batch["path"])
        if climb(sha(b"\x00", leaf), batch["index"], told["count"], path).hex() != told["root"]:
            raise ValueError("the leaf is not in the batch that the entry names")
        found.proved.append(("leaf", {"leaf": batch["leaf"], "n": batch["index"] + 1, "of": told["count"]}))


def two_seals(found, proof):
    first = Seal(proof["first_seal"], found.known)
    if first.origin != found.seal.origin or not contains(found.seal, first, map(bytes.fromhex, proof["path"])):
        found.fault("earlier", at=first.at, size=first.size)
        return
    found.before = [first]
    found.proved.append(("earlier", {"n": 1, "at": first.at}))


# --- in words ------------------------------------------------------------------------------------------------------

PROVED = {
    "key": ("The keys are joined to the one that you said you trust: {key}", "所用密钥可追溯到您指定信任的密钥：{key}"),
    "listed": ("The pack is whole: all {files} files are as they were when the list of them was signed (key {key}).",
               "证据包完整：全部 {files} 个文件与清单签署时一致（密钥 {key}）。"),
    "bodies": ("{n} entries of the evidence log come with their text, and each says what it said when it was written.",
               "{n} 个证据日志条目附有正文，各条目正文均与写入时所承诺的内容一致。"),
    "sealed": ("{n} entries are in the evidence log at their places, unchanged, under the seal over {size} entries "
               "that was made at {at} (key {key}).",
               "{n} 个条目原样位于证据日志的相应位置，均在 {at} 签署、覆盖 {size} 个条目的封签之下（密钥 {key}）。"),
    "earlier": ("That seal contains {n} earlier seals, the first of {at}: nothing under them was changed or removed.",
                "该封签包含此前的 {n} 个封签（最早签署于 {at}）：其下的条目未被更改或删除。"),
    "brought": ("{file}: the seal of {at} over {size} entries that was kept elsewhere agrees with this pack.",
                "{file}：另行保管的封签（{at}，覆盖 {size} 个条目）与本证据包相符。"),
    "rows": ("{n} rows in {tables} tables say what their entries say, and no entry in the pack lacks its rows.",
             "{tables} 张表格中的 {n} 行与其对应条目一致，包内每个条目均有对应行。"),
    "names": ("{n} of {of} people bear the names that HR's entries tell.", "{of} 人中有 {n} 人的姓名与人事记录一致。"),
    "papers": ("{n} quiz papers are what was put before the person, word by word ({questions} questions).",
               "{n} 份测验试卷逐字与当时出示给本人的内容一致（{questions} 道题）。"),
    "leaf": ("The record {leaf} is number {n} of the {of} that the entry speaks of.",
             "记录 {leaf} 是该条目所涉 {of} 项中的第 {n} 项。"),
    "one": ("Entry {seq} ({verb}, {at}) is what was written.", "条目 {seq} （{verb}，{at}）与写入时一致。"),
    "says": ("It says: {body}", "其正文为：{body}"),
}  # fmt: skip
UNPROVED = {
    "key": ("That this key is the firm's: {key} — ask for it by another way and give it with --key.",
            "该密钥确属该公司：{key} —— 请通过其他途径取得公钥，并用 --key 指定。"),
    "outside": ("That nobody who has the firm's key wrote the log anew before that seal: for this, give a seal that "
                "somebody else kept with --seal.",
                "持有公司密钥者未在该封签之前重写整个日志：如需证明，请用 --seal 提供由他人保管的封签。"),
    "truth": ("That what was entered was true. The log shows that it was entered then and not changed since.",
              "所录入的内容真实无误。日志只能证明当时已如此录入，且此后未被更改。"),
    "whole": ("That the log holds nothing else about these people: the pack holds the kinds of entries that its tables "
              "name.",
              "日志中没有关于这些人员的其他条目：证据包只收录其表格所列类别的条目。"),
    "after": ("Anything that came after {at}.", "{at} 之后发生的任何事项。"),
    "loose": ("{n} rows have no entry with a text behind them and are the portal's word: {files}.",
              "{n} 行没有附正文的条目可供对照，仅为系统陈述：{files}。"),
    "people": ("What the list of {n} people says beside their names, and what is told in words: {columns}. These are "
               "signed with the pack, not sealed in the log.",
               "{n} 人名单中姓名以外的内容，以及以文字说明的栏目：{columns}。"
               "这些内容随包签署，但未单独封存于日志。"),
    "unspoken": ("That {n} people in the list belong there: no entry in the pack is about them.",
                 "名单中有 {n} 人没有任何相关条目，无法证明其应在名单之中。"),
    "disposed": ("What {n} entries said: it was disposed of when its time was over. That they were there is proved.",
                 "{n} 个条目的正文：保存期满后已依规处置。可证明这些条目曾经存在。"),
    "print": ("What the two PDFs and README.txt say: they are signed with the pack, and not compared with its tables.",
              "两份 PDF 和 README.txt 的内容：仅随包签署，未与表格逐项核对。"),
    "others": ("What {n} entries say: they speak of other people too, so their text is not in the pack.",
               "{n} 个条目的正文：其中亦涉及他人，故未收录于本证据包。"),
}  # fmt: skip
OPEN = {
    "brought_between": ("{file}: whether the seal of {at} and this are of one log. It is none of the seals that are "
                        "listed here: ask the firm for the proof that joins them and give it with --join.",
                        "{file}：{at} 的封签与此是否同属一份日志。此处未列该封签："
                        "请向公司索取一致性证明，并用 --join 提供。"),
}  # fmt: skip
FAULTS = {
    "broken": ("{part} cannot be checked: {why}", "无法核验 {part}：{why}"),
    "other_key": ("No key in this pack is joined to the one that you trust; it was signed with {key}",
                  "包内密钥均无法追溯到您信任的密钥；签署所用密钥为 {key}"),
    "stranger": ("{file} is not on the signed list.", "{file} 不在已签署的清单上。"),
    "twice": ("A file is in the pack twice.", "包内有重复的文件。"),
    "gone": ("{file} is missing.", "缺少 {file}。"),
    "changed": ("{file} was changed after the pack was made.", "{file} 在证据包生成后被更改。"),
    "manifest": ("The list of files is not what was signed.", "文件清单与签署内容不符。"),
    "entry": ("Entry {seq} is not written as entries are, or is there twice.", "条目 {seq} 格式不符或重复。"),
    "body": ("Entry {seq} said something else when it was written.", "条目 {seq} 的正文与写入时不符。"),
    "silent": ("Entry {seq} lacks its text, and nothing says that it was disposed of.",
               "条目 {seq} 缺少正文，且没有相应的处置条目。"),
    "described": ("The tables are described in another way than this program knows: take the program of that version.",
                  "表格的描述方式与本程序所知不符：请使用对应版本的程序。"),
    "too_new": ("Entry {seq} is newer than the date of the pack.", "条目 {seq} 晚于证据包的截止日期。"),
    "origin": ("The seal is one of another log: {seal}", "该封签属于另一份日志：{seal}"),
    "root": ("The entries do not lead to the root of the seal over {size}: one was changed, added or taken away.",
             "这些条目无法推得覆盖 {size} 个条目的封签之根：有条目被更改、添加或移除。"),
    "earlier": ("The seal of {at} over {size} entries is not contained in the pack's seal.",
                "{at} 的封签（覆盖 {size} 个条目）未包含在本包封签之中。"),
    "brought_other": ("{file} is a seal of another log.", "{file} 是另一份日志的封签。"),
    "brought_root": ("{file} covers {size} entries, and the log in this pack is another one.",
                     "{file} 覆盖 {size} 个条目，与本包中的日志不一致。"),
    "row": ("{file}, line {row}: says something else than its entry, or has none.",
            "{file} 第 {row} 行：与其条目不符，或没有对应条目。"),
    "name": ("people.csv: {person} bears another name than HR's entries tell.",
             "people.csv：{person} 的姓名与人事记录不符。"),
    "unlisted": ("people.csv does not name {person}, about whom there are entries.",
                 "people.csv 未列出 {person}，但包内有关于此人的条目。"),
    "no_row": ("{file}: the row of entry {seq} is missing.", "{file}：缺少条目 {seq} 对应的行。"),
    "question": ("Question {question} is not what was published.", "题目 {question} 与发布时不符。"),
    "paper": ("The paper of attempt {attempt} is not what was shown.", "作答 {attempt} 的试卷与当时出示的不符。"),
}  # fmt: skip
HEADS = {
    "good": ("ALL THAT CAN BE CHECKED HOLDS.", "可核验的内容全部成立。"),
    "unjoined": (
        "NOT SETTLED: a seal that you gave is not joined to this. The rest holds, but only against those who do not "
        "have the firm's key.",
        "尚无定论：您提供的封签未能与此相连。其余内容成立，但不能排除持有公司密钥者所为。",
    ),
    "bad": ("SOMETHING DOES NOT HOLD. Do not rely on this.", "有内容不成立，请勿采信。"),
    "faults": ("What does not hold:", "不成立的内容："),
    "open": ("Not settled:", "尚无定论："),
    "proved": ("Proved:", "已证明："),
    "unproved": ("Not proved:", "未证明："),
    "more": ("and {n} more", "另有 {n} 项"),
}


def told(check, language):
    """Return the result as lines of text in one language (0: English, 1: Chinese)."""
    lines = [HEADS[{0: "good", 1: "bad", 3: "unjoined"}[check.outcome()]][language]]
    parts = (("faults", FAULTS, check.faults), ("open", OPEN, check.open), ("proved", PROVED, check.proved),
             ("unproved", UNPROVED, check.unproved))  # fmt: skip
    for head, words, found in parts:
        if found:
            lines += ["", HEADS[head][language]]
            lines += ["  - " + words[name][language].format(**facts) for name, facts in found[:MOST_FAULTS]]
            if len(found) > MOST_FAULTS:
                lines.append("  - " + HEADS["more"][language].format(n=len(found) - MOST_FAULTS))
    return lines


def looked_at(path, trusted, outside, joins=()):
    if os.path.isdir(path) or zipfile.is_zipfile(path):
        return Check(Files(path), trusted, outside, joins).run()
    with open(path, encoding="utf-8") as file:
        return check_proof(file.read(), trusted, outside, joins)


def text_of(given):
    if os.path.exists(given):
        with open(given, encoding="utf-8") as file:
            return file.read()
    return given


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("what", nargs="?", default=here, help="a pack (ZIP or folder) or a proof")
    parser.add_argument("--key", help="the public key that you trust, or a file that holds it")
    parser.add_argument("--seal", action="append", default=[], help="a seal that was kept elsewhere")
    parser.add_argument("--join", action="append", default=[], help="a proof that joins such a seal to this one")
    parser.add_argument("--lang", choices=("en", "zh"), help="one language only")
    given = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        trusted = [Key(line) for line in text_of(given.key).split() if line] if given.key else []
        outside = [(os.path.basename(name), text_of(name)) for name in given.seal]
        joins = [text_of(name) for name in given.join]
        check = looked_at(given.what, trusted, outside, joins)
    except BROKEN as error:  # fmt: skip
        print(f"Cannot be read / 无法读取: {type(error).__name__}: {error}"[:300], file=sys.stderr)
        return 2
    languages = {"en": [0], "zh": [1]}.get(given.lang, [0, 1])
    print("\n\n".join("\n".join(told(check, language)) for language in languages))
    return check.outcome()


if __name__ == "__main__":
    sys.exit(main())
