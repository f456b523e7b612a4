"""The fast way of reading JSON takes the same, refuses the same and writes the same as the strict one."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive.sources import strict
from archive.sources.wecom import fingerprint

TEXTS = st.text() | st.sampled_from(['":', '\\":', '"', ":", "\\", "\x00", "\x1f\x7f", "\u2028", "é😀", "<&>", "a\\"])
INTEGERS = st.integers() | st.sampled_from([0, 2**53, 2**63, 2**64 - 1, 2**64, -(2**63), 10**40])
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1e16, 1e22, 5e-324, -0.0, 1.0])
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=25,
)


def written(chance, value: object) -> str:
    """The value as somebody's JSON writer may have it: spaced or not, escaped or not."""
    separators = chance.choice([(",", ":"), (", ", ": "), (" , ", " : "), (",", "\t:")])
    return json.dumps(value, ensure_ascii=chance.random() < 0.5, separators=separators)


def strictly(raw: bytes) -> tuple[object, str]:
    try:
        return strict.loads(raw.decode("utf-8")), ""
    except strict.Refused as refused:
        return None, refused.reason


def quickly(raw: bytes) -> tuple[object, str]:
    try:
        return strict.parse(raw)[0], ""
    except strict.Refused as refused:
        return None, refused.reason


def same(one: object, other: object) -> bool:
    """Equal, and of the same types all the way: 1, 1.0 and True are three things, and so are 0.0 and -0.0."""
    return repr(one) == repr(other)


@given(VALUES, st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_whatever_is_written_is_read_alike_and_has_the_same_fingerprint(value, chance):
    raw = written(chance, value).encode("utf-8", "surrogatepass")
    read, is_plain = strict.parse(raw) if is_utf8(raw) else (strict.loads(raw.decode("utf-8", "surrogatepass")), False)
    assert same(read, value)
    assert strict.canonical(read, is_plain=is_plain) == strict.canonical(value)


def is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


TOKENS = """{ } [ ] "a" "b" "\\u0022:" "\\":" "\\\\" "\\u003a" : , 1 -1 -0 0.5 1e999
NaN true null "\\ud800" "\x01" \ufeff 01"""
PIECES = st.lists(
    st.sampled_from([*TOKENS.split(), " :", ": ", " ", "1" * 19, "1" * 25]),
    max_size=14,
).map("".join)


@given(PIECES | PIECES.map(lambda inside: '{"a":1,' + inside + "}") | st.text())
@example('{"a":1,"a":2}')
@example('{"a" :1,"a":2}')
@example('{"a":"\\u0022:","a":2}')
@example('{"a":"\\"\\u003a","a":2}')
@example('{"a":"\\"\\u003A","a":"\\":"}')
@example('{"a":{"b":1,"b":2}}')
@example('{"a":-0}')
@settings(max_examples=1500, deadline=None)
def test_whatever_comes_is_taken_or_refused_alike(text):
    raw = text.encode("utf-8", "surrogatepass")
    if is_utf8(raw):
        assert same(quickly(raw), strictly(raw))


def test_a_fingerprint_is_what_it_always_was():
    message = json.loads('{"msgtype":"text","b":[1,true,null,"é\\n"],"a":{"z":18446744073709551615,"y":"微信"}}')
    told = "97d22686fd001f53e90a6094a1f7e314e853a8f2f89aa6ffb2ca7a1bbb6c42af"
    assert fingerprint(message).hex() == fingerprint(message, is_plain=True).hex() == told


@pytest.mark.parametrize(("levels", "reason"), [(40, ""), (51, ""), (52, "too_deep"), (100_000, "too_deep")])
def test_depth_is_refused_alike(levels, reason):
    raw = b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"
    assert quickly(raw)[1] == strictly(raw)[1] == reason
