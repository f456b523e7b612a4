"""Foreign bytes and foreign markup become plain text: what our questions are made of."""

import re
from html.parser import HTMLParser

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

FILE_MOST = 32 * 2**20  # bytes of one question file
PARAGRAPHS = {
    "p", "table", "ul", "ol", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "dl",
    "figure",
}  # fmt: skip
LINES = {"div", "br", "li", "tr", "hr", "dt", "dd", "figcaption"}
SILENT = {"script", "style", "template", "noscript", "iframe", "object", "embed"}
MARKUP = re.compile(
    r"</?(?:p|div|br|span|b|i|u|em|strong|sub|sup|ul|ol|li|table|tr|td|th|img|a|font|h[1-6]|code|pre|hr|script|style)"
    r"(?:\s[^<>]*)?/?>|&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});",
    re.IGNORECASE,
)
COMMON_CHINESE = re.compile("[\u4e00-\u9fa5\u3000-\u303f\uff00-\uffef]")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\u200b]")
SUPERSCRIPT = str.maketrans("0123456789+-()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ")
SUBSCRIPT = str.maketrans("0123456789+-()", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎")


def decoded(data: bytes, notes: list[str]) -> str:
    """Return the text of a file, whatever it was saved as. What had to be guessed is noted."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return lines_of(data.decode("utf-16", errors="replace"))
    try:
        return lines_of(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
        if _is_chinese(text):
            notes.append(_("the file is not UTF-8; read as GB 18030"))
            return lines_of(text)
    except UnicodeDecodeError:
        pass
    notes.append(_("the file is not UTF-8; read as Windows-1252"))
    return lines_of(data.decode("cp1252", errors="replace"))


def _is_chinese(text: str) -> bool:
    """Return whether most of what is not ASCII are common characters: else it was another encoding."""
    foreign = [letter for letter in text if ord(letter) > 127]
    common = COMMON_CHINESE.findall(text)
    return len(common) > len(foreign) * 0.9


def lines_of(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def tidy(text: str) -> str:
    """Return the text without control characters, without spaces that nobody sees, with one empty line at most."""
    text = re.sub(r"[ \t\u00a0]+", " ", CONTROLS.sub("", text))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()


class Collector:
    """Collects the text of markup, piece by piece. ``notes``: what could not come along."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.pieces: list[str] = []
        self.silent = 0
        self.raised: list[str] = []

    def start(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in SILENT:
            self.silent += 1
            self._note(_("<%(tag)s> was left out") % {"tag": tag})
        elif tag == "img":
            self._picture(attributes)
        elif tag in ("audio", "video", "math", "svg", "canvas"):
            self._note(_("<%(tag)s> was left out") % {"tag": tag})
        elif tag in PARAGRAPHS:
            self.pieces.append("\n\n")
        elif tag in LINES:
            self.pieces.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th") and self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append(" | ")
        if tag in ("sup", "sub"):
            self.raised.append(tag)

    def end(self, tag: str) -> None:
        if tag in SILENT:
            self.silent = max(self.silent - 1, 0)
        elif tag in PARAGRAPHS:
            self.pieces.append("\n\n")
        elif tag == "div":
            self.pieces.append("\n")
        if tag in ("sup", "sub") and self.raised:
            self.raised.pop()

    def data(self, text: str) -> None:
        if self.silent:
            return
        text = re.sub(r"[ \t\n\f\r]+", " ", text)
        if self.raised:
            to, sign = (SUPERSCRIPT, "^") if self.raised[-1] == "sup" else (SUBSCRIPT, "_")
            text = text.translate(to) if all(letter in "0123456789+-()n" for letter in text) else sign + text
        self.pieces.append(text)

    def _picture(self, attributes: dict[str, str | None]) -> None:
        name = attributes.get("alt") or (attributes.get("src") or "").rsplit("/", 1)[-1][:80] or "picture"
        self.pieces.append(f"[{name}]")
        self._note(_("the picture '%(name)s' was left out; its name stands in its place") % {"name": name})

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def text(self) -> str:
        joined = "".join(self.pieces)
        return tidy(re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", joined)))


class _Html(HTMLParser):
    def __init__(self, into: Collector) -> None:
        super().__init__(convert_charrefs=True)
        self.into = into

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.into.start(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.into.start(tag, dict(attrs))
        self.into.end(tag)

    def handle_endtag(self, tag: str) -> None:
        self.into.end(tag)

    def handle_data(self, data: str) -> None:
        self.into.data(data)


def of_html(markup: str, notes: list[str]) -> str:
    """Return the text of HTML: paragraphs and list items as lines, markup gone, pictures by name."""
    collector = Collector(notes)
    reader = _Html(collector)
    reader.feed(CONTROLS.sub("", markup))
    reader.close()
    return collector.text()


def of_format(text: str, name: str, notes: list[str]) -> str:
    """Return plain text. ``name``: html, markdown, plain, or moodle: whatever it looks like."""
    if name == "html" or (name == "moodle" and MARKUP.search(text)):
        return of_html(text if name == "html" else text.replace("\n", "<br>"), notes)
    if name == "markdown":
        return of_html(MarkdownIt("commonmark", {"html": True}).render(text), notes)
    return tidy(text)
