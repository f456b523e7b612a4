"""A mail's words: the sender's own apart from those of others that hang below them."""

import html
import re

TEXT_LIMIT = 4 * 2**20  # bytes of all text in one mail

# What mail programs write above the words of others. A line each, nothing that can run away over a long text.
_ABOVE_OTHERS = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*)?(?:"
    r"original message|forwarded message|begin forwarded message:?|original appointment|"
    r"原始邮件|原邮件|转发邮件信息|转发的邮件|转发邮件|轉寄郵件|原始郵件|开始转发邮件：?"
    r")[ \t]*(?:-{2,})?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# Outlook writes a block of fields and no line above it.
_FIELDS = re.compile(
    r"^[ \t]*\**(?:from|发件人|寄件者|寄件人)\**[ \t]*[:：][^\n]*\n"
    r"(?:[ \t]*\**(?:to|cc|收件人|抄送)\**[ \t]*[:：][^\n]*\n)?"
    r"[ \t]*\**(?:sent|date|发送时间|日期|传送时间|寄件日期)\**[ \t]*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_WROTE, _WROTE_BEGINS = ("wrote:", "写道:", "写道："), ("on ", "在", "于")
_WROTE_LIMIT = 300  # characters of such a line
_OTHERS_SUBJECT = re.compile(r"\s*(?:re|aw|fw|fwd|wg|答复|回复|回覆|转发|轉寄)\s*[:：]", re.IGNORECASE)

_TAG = re.compile(r"<(/?)([a-z][a-z0-9:]*)[^<>]*>|<[!?][^<>]*>", re.IGNORECASE)
_UNSHOWN = ("script", "style", "head", "title", "template")
_BREAKS = {"br", "p", "div", "tr", "li", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "hr", "pre"}
_SQUEEZE = re.compile(r"\W+")


def of_html(text: str) -> str:
    """Return what an HTML text shows, line by line; lines of a quotation begin with ``>`` as in plain text.

    One pass over the tags. Comments are cut out first; an open one is not: everything after it would be unseen.
    """
    text = _without(text, "<!--", "-->")
    for name in _UNSHOWN:
        text = _without_element(text, name)
    pieces: list[str] = []
    quoted, at = 0, 0
    for tag in _TAG.finditer(text):
        pieces.append(re.sub(r"\s+", " ", text[at : tag.start()]))
        at, name = tag.end(), (tag[2] or "").lower()
        if name == "blockquote":
            quoted = max(0, quoted + (-1 if tag[1] else 1))
        if name in _BREAKS:
            pieces.append("\n> " if quoted else "\n")
    pieces.append(re.sub(r"\s+", " ", text[at:]))
    return html.unescape("".join(pieces)).replace("\xa0", " ")


def _without(text: str, opens: str, closes: str) -> str:
    """Return the text without what stands between the marks. In one pass."""
    kept, at = [], 0
    while (start := text.find(opens, at)) != -1 and (end := text.find(closes, start + len(opens))) != -1:
        kept.append(text[at:start])
        at = end + len(closes)
    return "".join(kept) + text[at:]


def _without_element(text: str, name: str) -> str:
    low = text.lower() if text.isascii() else re.sub("[A-Z]", lambda one: one[0].lower(), text)
    kept, at, opens, closes = [], 0, f"<{name}", f"</{name}"
    while (start := low.find(opens, at)) != -1:
        if low[start + len(opens) : start + len(opens) + 1] not in (">", " ", "\t", "\r", "\n", "/"):
            end = start + len(opens)  # the beginning of a longer name
            kept.append(text[at:end])
        elif (end := low.find(closes, start)) != -1:
            kept.append(text[at:start])
        else:
            break
        at = end
    return "".join(kept) + text[at:]


def own_and_others(text: str) -> tuple[str, str]:
    """Return (the sender's own words, words of others that were forwarded or hang below).

    Lines that begin with ``>`` quote what was itself sent once and are left out, with the line that says who wrote.
    What follows a mark such as “Original Message” is others' words: it is judged apart, so that nobody can hide words
    of their own behind such a line.
    """
    text = text.replace("\r\n", "\n")
    starts = [found.start() for mark in (_ABOVE_OTHERS, _FIELDS) if (found := mark.search(text))]
    cut = min(starts, default=len(text))
    return _unquoted(text[:cut]), _unquoted(text[cut:])


def _unquoted(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith(">") and not _says_who_wrote(line)).strip()


def _says_who_wrote(line: str) -> bool:
    line = line.strip()[: _WROTE_LIMIT + 1].casefold()
    return len(line) <= _WROTE_LIMIT and line.endswith(_WROTE) and (line.startswith(_WROTE_BEGINS) or " 于" in line)


def of_subject(subject: str) -> str:
    """Return a subject if it is the sender's own: that of an answer is somebody else's."""
    return "" if _OTHERS_SUBJECT.match(subject) else subject


def joined(plain: str, shown: str) -> str:
    """Return the words of a mail that has them as plain text and as HTML: once if they are the same, else both."""
    if not plain.strip():
        return shown
    if not shown.strip() or _SQUEEZE.sub("", shown) in _SQUEEZE.sub("", plain):
        return plain
    return f"{plain}\n{shown}"
