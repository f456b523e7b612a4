import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from training import markdown

SOURCES = {
    "sec-17a-4": {"short": "SEC Rule 17a-4", "link": "https://example.com/17a-4?a=1&b=2"},
    "practice": {"short": "Good <practice>", "link": ""},
}


def render(text: str, first_line: int = 1) -> tuple[str, list[tuple[int, str]]]:
    mistakes: list[tuple[int, str]] = []
    html = markdown.render(
        text, sources=SOURCES, report=lambda line, what, remedy: mistakes.append((line, what)), first_line=first_line
    )
    return html, mistakes


def test_paragraphs_headings_lists_tables_and_bold_are_shown():
    html, mistakes = render("## Head\n\n* **one**\n* two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    assert mistakes == []
    for piece in ("<h2>Head</h2>", "<li><strong>one</strong></li>", "<td>1</td>"):
        assert piece in html


def test_a_table_scrolls_in_its_own_box_that_the_keyboard_reaches():
    html, _ = render("| a |\n|---|\n| 1 |\n")
    assert '<div class="scroll" tabindex="0"><table>' in html
    assert html.rstrip().endswith("</table></div>")


def test_a_citation_is_a_link_with_the_short_name_of_its_source():
    html, mistakes = render("Keep it [@sec-17a-4].")
    rel = 'rel="noopener nofollow external"'
    link = f'<a class="cite" href="https://example.com/17a-4?a=1&amp;b=2" {rel}>SEC Rule 17a-4</a>'
    assert html == f"<p>Keep it. {link}</p>\n"
    assert mistakes == []


def test_a_source_without_a_link_is_named_and_not_linked():
    assert render("As usual [@practice].")[0] == ('<p>As usual. <span class="cite">Good &lt;practice&gt;</span></p>\n')


@pytest.mark.parametrize("stop", list(".,;:。，；：、"))
def test_a_stop_is_never_left_alone_behind_its_sources(stop):
    text = BeautifulSoup(render(f"Both say so\n[@practice] [@sec-17a-4]{stop} and more")[0], "html.parser").get_text()
    assert text.strip() == f"Both say so{stop} Good <practice> SEC Rule 17a-4 and more"


def test_every_link_leaves_without_saying_where_from():
    assert 'rel="noopener nofollow external"' in render("[x](https://example.com)")[0]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("one\n\ntwo [@nobody]", 3, "source 'nobody' is not known"),
        ("one\ntwo\nthree [@Bad Id] four", 3, "a citation that cannot be read"),
        ("# Title", 1, "a heading of the first level"),
        ("Title\n=====", 1, "a heading of the first level"),
        ("one\n\n<div>\nx\n</div>", 3, "raw HTML: <div>"),
        ("one\ntwo <b>bold</b>", 2, "raw HTML: <b>"),
        ("one <!-- note -->", 1, "raw HTML: <!--"),
        ("one\n![x](https://example.com/x.png)", 2, "a picture"),
        ("[x](http://example.com)", 1, "a link to http://example.com"),
        ("one\n\n* a\n* [x](/admin/)", 4, "a link to /admin/"),
        ("[x](javascript:alert(1))", 1, "a link to javascript:alert(1)"),
        ("[x](data:text/html,x)", 1, "a link to data:text/html,x"),
        ("<http://example.com>", 1, "a link to http://example.com"),
        ("| a |\n|---|\n| 1 |\n| [@nobody] |", 4, "source 'nobody' is not known"),
        ("one <b\nclass='x'> two\n[@nobody]", 3, "source 'nobody' is not known"),
        ("> one\n> two [@nobody]", 2, "source 'nobody' is not known"),
    ],
)
def test_a_mistake_is_reported_with_its_line(text, line, what):
    _, mistakes = render(text)
    assert (line, what) in [(at, said[: len(what)]) for at, said in mistakes]


def test_lines_count_from_where_the_text_begins_in_its_file():
    assert render("one\n\n[@nobody]", first_line=40)[1] == [(42, "source 'nobody' is not known")]


@pytest.mark.parametrize("text", ["5 < 6 > 4", "<3", "AT&T", "`<b>` in code", "```\n<b> [@x]\n```", "a @ b [c]"])
def test_what_only_looks_like_markup_is_no_mistake(text):
    assert render(text)[1] == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<a href="https://example.com" onclick="x()">x</a>',
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        '<p style="x" id="y" class="btn" hx-get="/z" data-q="1">x</p>',
        "<svg/onload=alert(1)>",
        '![x" onerror="alert(1)](https://example.com/x.png)',
        '<div hx-on:click="x()">x</div>',
    ],
)
def test_nothing_hostile_survives_even_where_the_mistake_was_ignored(text):
    html, _ = render(text)
    tags = " ".join(re.findall(r"<[^>]*>", html)).lower()
    for hostile in ("script", "onclick", "onload", "onerror", "style=", "id=", "hx-", "data-", "<img", "<svg", "btn"):
        assert hostile not in tags


def test_raw_html_is_text_even_where_its_tag_is_one_of_ours():
    assert render("<h2>x</h2>")[0] == "<p>&lt;h2&gt;x&lt;/h2&gt;</p>\n"


def test_a_link_that_is_not_https_leads_nowhere():
    assert "href" not in render("[x](http://example.com) [y](ftp://example.com) [z](mailto:a@example.com)")[0]


@given(st.text(alphabet="<>[]()@!`*#|-:/\\\"'= \nabhrefscriptj&;.", max_size=80))
def test_no_text_makes_a_tag_or_attribute_that_is_not_ours(text):
    allowed = r"</?(p|h[1-6]|ul|ol|li|strong|em|a|code|pre|blockquote|br|hr|table|thead|tbody|tr|th|td|div|span)"
    attribute = (
        r'( (href="https://[^"]*"|class="(cite|scroll)"|rel="noopener nofollow external"|tabindex="0"|start="\d+"))*'
    )
    for tag in re.findall(r"<[^>]*>", render(text)[0]):
        assert re.fullmatch(allowed + attribute + r" ?/?>", tag), tag
