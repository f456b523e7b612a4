"""Lesson Markdown to clean HTML: CommonMark and tables, no raw HTML, no pictures, citations as links."""

import re
from collections.abc import Iterator, Mapping
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from quizzes.formats.fields import Report

CITATION = re.compile(r"\[@([a-z0-9-]+)\]")
TAGS = {
    *("p", "h2", "h3", "h4", "ul", "ol", "li", "strong", "em", "a", "code", "pre", "blockquote", "br", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td", "div", "span"),
}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "div": {"tabindex"}}
CLASSES = {"a": {"cite"}, "span": {"cite"}, "div": {"scroll"}}
CITE = r'(?:<a class="cite"[^>]*>[^<]*</a>|<span class="cite">[^<]*</span>)'
BEFORE_A_STOP = re.compile(rf"\s?({CITE}(?:\s?{CITE})*)([.,;:。，；：、])")
LINK_REL = "noopener nofollow external"


def render(text: str, *, sources: Mapping[str, Mapping], report: Report, first_line: int = 1) -> str:
    """Return the Markdown as HTML that is safe to show as it is; the only HTML of a lesson that is marked safe.

    ``sources`` maps an id to {short, link}: ``[@id]`` becomes a link with the short name, or the short name alone
    where there is no link. ``first_line`` is the line of the file on which ``text`` begins, for the reports.
    """
    for line, what, remedy in _mistakes(_STRICT.parse(text, {}), sources):
        report(first_line + line, what, remedy)
    html = _SAFE.render(text, {"sources": sources})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        url_schemes={"https"},
        link_rel=LINK_REL,
        strip_comments=True,
    )
    # A chip after the stop, or the stop would stand alone at the beginning of a line.
    return BEFORE_A_STOP.sub(r"\2 \1", clean)


def _mistakes(tokens: list[Token], sources: Mapping) -> Iterator[tuple[int, str, str]]:
    line = 0
    for token in tokens:
        line = token.map[0] if token.map else line
        if token.type == "html_block":
            yield line, f"raw HTML: {token.content.split()[0]}", "Write Markdown."
        elif token.type == "heading_open" and token.tag == "h1":
            yield line, "a heading of the first level", "Begin it with '## '; the title is in the front matter."
        elif token.type == "inline":
            yield from _inline_mistakes(token.children or [], line, sources)


def _inline_mistakes(children: list[Token], line: int, sources: Mapping) -> Iterator[tuple[int, str, str]]:
    for token in children:
        match token.type:
            case "softbreak" | "hardbreak":
                line += 1
            case "html_inline":
                yield line, f"raw HTML: {token.content.splitlines()[0]}", "Write Markdown."
                line += token.content.count("\n")
            case "image":
                yield line, "a picture", "Describe it in words; lessons hold no pictures."
            case "link_open" if not str(token.attrs.get("href", "")).startswith("https://"):
                yield line, f"a link to {token.attrs.get('href')}", "Link to an address that begins with https://."
            case "cite" if token.content not in sources:
                yield line, f"source '{token.content}' is not known", "Correct the id, or add it to sources.yaml."
            case "text" if "[@" in token.content:
                yield line, "a citation that cannot be read", "Write [@id], with the id of one source."


def _cite(state: StateInline, silent: bool) -> bool:
    """The inline rule for ``[@id]``."""
    found = CITATION.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("cite", "a", 0).content = found[1]
    state.pos = found.end()
    return True


def _render_cite(renderer: RendererHTML, tokens: list[Token], index: int, options: Mapping, env: dict) -> str:
    source = env["sources"].get(tokens[index].content)
    if source is None:
        return ""
    short = escape(source["short"])
    if not source["link"]:
        return f'<span class="cite">{short}</span>'
    return f'<a class="cite" href="{escape(source["link"])}">{short}</a>'


def _table_open(renderer: RendererHTML, tokens: list[Token], index: int, options: Mapping, env: dict) -> str:
    """A wide table scrolls in a box of its own, by keyboard too, so that the page does not."""
    return '<div class="scroll" tabindex="0"><table>\n'


def _table_close(renderer: RendererHTML, tokens: list[Token], index: int, options: Mapping, env: dict) -> str:
    return "</table></div>\n"


def _parser(*, html: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": html}).enable("table")
    parser.inline.ruler.before("link", "cite", _cite)
    parser.add_render_rule("cite", _render_cite)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


_SAFE = _parser(html=False)  # makes the page: what looks like HTML is text
_STRICT = _parser(html=True)  # finds the mistakes: sees HTML as HTML and every link as a link
_STRICT.validateLink = lambda url: True
