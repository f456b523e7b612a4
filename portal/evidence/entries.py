"""Entries as a pack holds them: the leaf, and what it says, byte for byte."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.db.models import QuerySet

from portal.ledger import merkle, rules
from portal.ledger.models import Entry

_COLUMNS = ("seq", "at", "verb", "actor", "subject", "commitment", "prev", "v", "digest", "body__content", "body__salt")
DISPOSED, OTHERS = "disposed", "others"


@dataclass(frozen=True)
class Written:
    """An Entry with its Body. ``content``, ``salt``: None if the Body was disposed of, or is not for this pack."""

    seq: int
    verb: str
    subject: str
    at: datetime
    leaf: bytes
    content: bytes | None
    salt: bytes | None

    @cached_property
    def said(self) -> dict | None:
        return None if self.content is None else rules.read(self.content)

    @cached_property
    def entry(self) -> dict:
        return rules.read(self.leaf)

    def without_body(self) -> "Written":
        return replace(self, content=None, salt=None)

    def line(self, why: str = DISPOSED) -> bytes:
        """Return the line of entries.jsonl. ``why``: the reason, where there is no Body."""
        body = {"body": None, "salt": None, "why": why}
        if self.content is not None:
            body = {"body": self.content.decode(), "salt": self.salt.hex(), "why": None}
        return rules.canonical({"entry": self.leaf.decode(), **body}) + b"\n"


class Altered(RuntimeError):
    """A stored Entry is not what its digest says: no pack is made of it. verify_ledger says more."""


def read(rows: QuerySet[Entry]) -> Iterator[Written]:
    """Yield the Entries of the query, in its order. Raises Altered."""
    for seq, at, verb, actor, subject, committed, prev, v, digest, content, salt in rows.values_list(*_COLUMNS):
        columns = {"seq": seq, "at": at, "verb": verb, "actor": actor, "subject": subject, "v": v}
        leaf = rules.leaf(**columns, commitment=bytes(committed), prev=bytes(prev))
        if merkle.leaf_hash(leaf) != bytes(digest):
            raise Altered(seq)
        body = (None, None) if content is None else (bytes(content), bytes(salt))
        if content is not None and rules.commitment(body[1], body[0]) != bytes(committed):
            raise Altered(seq)
        yield Written(seq, verb, subject, at, leaf, *body)


def about(uids: Iterable[str], verbs: Iterable[str], upto: int) -> dict[str, list[Written]]:
    """Return {uid: Entries about the person, oldest first}."""
    found: dict[str, list[Written]] = {uid: [] for uid in uids}
    rows = Entry.objects.filter(subject__in=found, verb__in=list(verbs), seq__lte=upto).order_by("seq")
    for one in read(rows):
        found[one.subject].append(one)
    return found
