"""Bytes into text that both databases take, whatever charset they claim to be in."""

import codecs
import re

# What senders write under a name is often wider than the name.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "hz",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso8859-1": "cp1252",
    "ascii": "utf-8",
    "utf-8": "utf-8",
}
# Codecs of Python that are no charsets of text (idna, punycode, rot13, unicode_escape …) are not for strangers.
_CHARSET = re.compile(r"(utf|iso8859|iso2022|cp\d|gb|big5|shift_jis|euc|koi8|mac|hz|ascii|johab|tis|ptcp|kz)")
_SWITCHING = ("utf-7", "utf-16", "utf-32", "hz", "iso2022")  # plain ASCII bytes may mean something else in these
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WIDE = re.compile("[\u0800-\U0010ffff]")


def clean(text: str) -> str:
    """Return the text with U+FFFD for NUL and lone surrogates, which no database takes."""
    return _UNSTORABLE.sub("�", text)


def codec_of(charset: str | None) -> str | None:
    """Return the codec for a claimed charset, None if there is none that we use."""
    try:
        name = codecs.lookup((charset or "").strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    return _WIDER.get(name, name) if _CHARSET.match(name) else None


def decode(raw: bytes, charset: str | None = None) -> tuple[str, bool]:
    """Return (text, whether every byte meant something).

    The claim is believed unless the bytes are UTF-8 beyond doubt: characters of three bytes and no error anywhere are
    no accident in any other charset. What the claimed charset cannot read is tried as UTF-8, then as GB 18030.
    """
    claimed = codec_of(charset)
    switches = bool(claimed) and claimed.startswith(_SWITCHING)
    if raw.isascii() and not switches:
        return raw.decode("ascii"), True
    unicode = None if switches else strictly(raw, "utf-8")
    if unicode is not None and (claimed in (None, "utf-8", "cp1252") or _WIDE.search(unicode)):
        return unicode, True
    for codec in (claimed, "utf-8", "gb18030"):
        if codec and (text := strictly(raw, codec)) is not None:
            return text, True
    return raw.decode(claimed or "utf-8", "replace"), False


def strictly(raw: bytes, codec: str) -> str | None:
    """Return the text if every byte is sound, else None."""
    try:
        return raw.decode(codec)
    except UnicodeError:
        return None
