"""Addresses out of header fields as real mail has them.

Python's own parsers take the wrong part where a display name is itself an address, so what stands in angle brackets
counts here, and names are dropped: who somebody is, the staff list says.
"""

import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header

from archive.sources.text import clean, decode

_SPACES = re.compile(r"\s+")


def header_text(raw: str) -> tuple[str, bool]:
    """Return (a header's value with its encoded words read, whether nothing was replaced). Bytes come as surrogates."""
    whole = True
    parts = []
    try:
        chunks = decode_header(raw.encode("ascii", "surrogateescape").decode("latin-1")) if "=?" in raw else []
    except (HeaderParseError, ValueError):
        chunks = []
    for chunk, charset in chunks or [(raw, None)]:
        if isinstance(chunk, str):
            # decode_header hands back what it did not touch; latin-1 carried the bytes through it.
            chunk = chunk.encode("latin-1") if chunks else chunk.encode("utf-8", "surrogateescape")
        text, every_byte = decode(chunk, charset)
        parts.append(text)
        whole = whole and every_byte
    joined = _SPACES.sub(" ", "".join(parts)).strip()
    cleaned = clean(joined)
    return cleaned, whole and cleaned == joined


def addresses(raw: str) -> list[str]:
    """Return the addresses or plain handles that a header's raw value lists, each once, as they came."""
    return list(dict.fromkeys(_addresses(raw, is_decoded=False)))


def _addresses(raw: str, *, is_decoded: bool) -> Iterator[str]:
    for bracketed, plain in _entries(raw):
        found = _tidy(bracketed if bracketed is not None else plain)
        if "@" not in found and "=?" in found and not is_decoded:
            yield from _addresses(header_text(plain)[0], is_decoded=True)
        elif found and (bracketed is not None or "@" in found or not _SPACES.search(plain.strip())):
            yield header_text(found)[0]


def _tidy(text: str) -> str:
    return _SPACES.sub("", text).strip("'\"").removeprefix("mailto:")


def _entries(raw: str) -> Iterator[tuple[str | None, str]]:
    """Yield (what stands in angle brackets or None, what stands outside) for each entry, in one pass over the text.

    Entries end at a comma or semicolon outside quotes, comments and brackets; ``name:`` before a group is dropped.
    """
    bracketed: list[str] = []
    plain: list[str] = []
    for where, one in _characters(raw):
        if where == "<":
            if one == "<":
                bracketed.clear()  # of several brackets the last counts
            else:
                bracketed.append(one)
        elif where == "" and one in ",;":
            yield "".join(bracketed).strip() or None, "".join(plain)
            bracketed, plain = [], []
        elif where == "" and one == ":" and "@" not in plain:
            plain.clear()
        else:
            plain.append(one)
    yield "".join(bracketed).strip() or None, "".join(plain)


def _characters(raw: str) -> Iterator[tuple[str, str]]:
    """Yield (where it stands: ``"`` in quotes, ``<`` in brackets or opening one, else empty; character).

    Comments are passed over, and the marks of quotes and the closing ones of brackets. A quote that is never closed is
    none: what follows it would be lost.
    """
    where, depth, is_escaped, last_quote = "", 0, False, raw.rfind('"')
    for at, one in enumerate(raw):
        if is_escaped:
            is_escaped = False
            if where == '"':
                yield where, one
        elif where in ('"', "(") and one == "\\":
            is_escaped = True
        elif where == "(":
            depth += (one == "(") - (one == ")")
            where = where if depth else ""
        elif where and one == {'"': '"', "<": ">"}[where]:
            where = ""
        elif where == "" and (one in "(<" or (one == '"' and at < last_quote)):
            where, depth = one, 1
            if one == "<":
                yield where, one
        else:
            yield where, one
