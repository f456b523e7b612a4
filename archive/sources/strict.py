"""JSON from strangers: exact integers, no double keys, no NaN, bounded depth and width."""

import json
from math import isinf

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


def canonical(value: object) -> bytes:
    """Return the one way to write a value from ``loads``: keys sorted, no spaces, integers exact.

    Lone surrogates pass through: a fingerprint is of what was delivered, not of what we made storable.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "surrogatepass")
