"""JSON from strangers: exact integers, no double keys, no NaN, bounded depth and width.

Python's own reader can be told to keep to that, at a price. orjson is several times as fast, but takes the last of two
equal keys, reads integers of over 64 bits as floats and writes floats in its own way. So bytes in which nothing of the
kind can be go through orjson, all others through Python's reader: what comes out is the same.
"""

import json
from math import isinf

import orjson
import re2

DEPTH_LIMIT = 50
KEYS_LIMIT = 1000


class Refused(ValueError):
    """The text is not JSON that we take; ``reason`` is a SetAside reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _object(pairs: list[tuple[str, object]]) -> dict:
    if len(pairs) > KEYS_LIMIT:
        raise Refused("too_many_keys")
    return _once(pairs)


def _once(pairs: list[tuple[str, object]]) -> dict:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Refused("duplicate_key")
    return made


def _float(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise Refused("bad_number")
    return number


def _constant(name: str) -> None:
    raise Refused("bad_number")  # NaN and Infinity are not JSON


_decode = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant).decode
_decode_wide = json.JSONDecoder(object_pairs_hook=_once, parse_float=_float, parse_constant=_constant).decode


def loads(text: str, *, is_wide: bool = False) -> object:
    """Return the value. ``is_wide`` is for a file of ours whose keys are ids, many to an object. Raises Refused."""
    try:
        value = (_decode_wide if is_wide else _decode)(text)
    except Refused:
        raise
    except RecursionError as error:
        raise Refused("too_deep") from error
    except ValueError as error:
        # Python refuses integers of more than 4,300 digits with a plain ValueError.
        raise Refused("not_json" if isinstance(error, json.JSONDecodeError) else "bad_number") from error
    if text.count("{") + text.count("[") > DEPTH_LIMIT and _depth(value) > DEPTH_LIMIT:
        raise Refused("too_deep")
    return value


# What orjson would read otherwise than we do, or what would spoil the counting of keys in _plainly: a space between a
# key and its colon, a quotation mark or a colon written as an escape; a number that is negative, no integer or long.
_ODD = re2.compile(rb'"[ \t\r\n]+:|\\u00(?:22|3[aA])|[:,\[][ \t\r\n]*(?:-|[0-9]{19}|[0-9]+[.eE])')
_KEY = b'":'


def parse(raw: bytes) -> tuple[object, bool]:
    """Return (the value, whether it is plain: no floats, no integers of over 64 bits). Raises Refused.

    Raises UnicodeDecodeError for bytes that are not UTF-8.
    """
    try:
        return _plainly(raw), True
    except ValueError:  # nothing to be said yet: the strict reader knows what it is
        return loads(raw.decode("utf-8")), False


def _plainly(raw: bytes) -> object:
    """Return the object that orjson reads, or raise ValueError where it may not be what loads() would return.

    Every key ends in a quotation mark and a colon; inside a text the two stand together only after a backslash. So if
    what was read is written with as many of these pairs as it came with, no key was there twice.
    """
    keys = raw.count(_KEY)
    if (
        not raw.startswith(b"{")
        or keys > KEYS_LIMIT
        or raw.count(b"{") + raw.count(b"[") > DEPTH_LIMIT
        or _ODD.search(raw)
    ):
        raise ValueError
    value = orjson.loads(raw)
    if orjson.dumps(value).count(_KEY) != keys:
        raise ValueError
    return value


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth - 1  # the innermost plain values are not a level of nesting


def canonical(value: object, *, is_plain: bool = False) -> bytes:
    """Return the one way to write a value from ``loads`` or ``parse``: keys sorted, no spaces, integers exact.

    Lone surrogates pass through: a fingerprint is of what was delivered, not of what we made storable.
    """
    if is_plain:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "surrogatepass")
