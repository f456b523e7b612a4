"""What the pages ask of a browser: nothing that the oldest one we promise cannot do (docs/browsers.md).

Each feature that our CSS and scripts use is known by name with the Chromium that first had it. One that is newer than
the promise may be used where pages work without it: then it stands in EXTRAS, and alone, so that a browser that does
not know it loses that and nothing else.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLDEST = 99  # Chromium, March 2022: the first one with cascade layers, in which all our CSS stands
STYLES = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "static/css").rglob("*.css"))}
OURS = [path for path in sorted((ROOT / "static/js").glob("*.js")) if not path.name.startswith("htmx")]
SCRIPTS = {path.name: path.read_text("utf-8") for path in OURS}
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

AT_RULES = {"@layer": 99, "@media": 1, "@supports": 28, "@keyframes": 43, "@page": 2, "@import": 1, "@font-face": 4}
AT_RULES |= {"@container": 105, "@scope": 118, "@starting-style": 117, "@property": 85}
PSEUDOS = {
    **dict.fromkeys(("hover", "focus", "active", "checked", "disabled", "empty", "root", "not", "before", "after"), 4),
    **dict.fromkeys(("first-child", "last-child", "nth-child", "only-child", "first-of-type", "last-of-type"), 4),
    **dict.fromkeys(("nth-of-type", "nth-last-child", "required", "invalid", "valid", "target", "visited", "link"), 10),
    **dict.fromkeys(("lang", "selection", "placeholder", "first-letter", "first-line", "marker"), 86),
    **dict.fromkeys(("focus-within", "placeholder-shown", "indeterminate", "read-only", "enabled"), 60),
    **dict.fromkeys(("focus-visible", "is", "where"), 88),
    **dict.fromkeys(("file-selector-button",), 89),
    **dict.fromkeys(("backdrop", "details-content", "popover-open", "user-invalid", "user-valid"), 119),
    **dict.fromkeys(("has",), 105),
    **dict.fromkeys(("-webkit-details-marker", "-webkit-search-cancel-button"), 1),
    **dict.fromkeys(("-webkit-progress-bar", "-webkit-progress-value", "-moz-progress-bar"), 1),
    **dict.fromkeys(("-webkit-meter-bar", "-webkit-meter-optimum-value"), 1),
}
FUNCTIONS = {
    **dict.fromkeys(("var", "calc", "url", "rgb", "rgba", "hsl", "hsla", "attr", "repeat", "minmax", "env"), 69),
    **dict.fromkeys(
        ("linear-gradient", "radial-gradient", "counter", "rotate", "scale", "translate", "cubic-bezier"), 26
    ),
    **dict.fromkeys(("translatex", "translatey", "steps", "inset", "circle", "polygon", "blur", "brightness"), 60),
    **dict.fromkeys(("min", "max", "clamp"), 79),
    **dict.fromkeys(("grayscale", "invert", "drop-shadow", "contrast", "saturate", "sepia", "opacity", "format"), 53),
    **dict.fromkeys(("color-mix", "oklch", "oklab", "lab", "lch"), 111),
    **dict.fromkeys(("light-dark",), 123),
    **dict.fromkeys(("fit-content",), 94),
}
# Properties, values and units that came after what every browser had for years. Only those can be too new.
RECENT = {
    r"(?<![\w-])rotate\s*:": 104,
    r"(?<![\w-])(?:scale|translate)\s*:": 104,
    r"text-wrap\s*:": 114,
    r"field-sizing\s*:": 123,
    r"accent-color\s*:": 93,
    r"scrollbar-(?:width|color)\s*:": 121,
    r"scrollbar-gutter\s*:": 94,
    r"content-visibility\s*:": 85,
    r"(?:animation|scroll|view)-timeline": 115,
    r"view-transition-name": 111,
    r"anchor-name|position-anchor": 125,
    r"interpolate-size": 129,
    r"(?<![\w-])mask(?:-image)?\s*:": 120,
    r"(?<![\w-])zoom\s*:": 128,
    r"print-color-adjust\s*:": 136,
    r"subgrid": 117,
    r"\d(?:dvh|svh|lvh|dvw|svw|lvw|dvb|svb)\b": 108,
    r"\d(?:cqw|cqh|cqi|cqb)\b": 105,
    r"\d(?:lh|rlh)\b": 109,
    r"@media[^{]*[<>]": 104,
    r"(?<=[{;])\s*&": 112,
    r"\btext-box\b": 133,
    r"initial-letter": 110,
    r"hyphenate-": 106,
    r"overflow(?:-[xy])?\s*:\s*clip": 90,
}
OF_SCRIPTS = {
    r"\?\.": 80,
    r"\?\?(?!=)": 80,
    r"\?\?=|\|\|=|&&=": 85,
    r"\.replaceAll\(": 85,
    r"\.at\(": 92,
    r"\bObject\.hasOwn\(": 93,
    r"\bstructuredClone\(": 98,
    r"\.findLast(?:Index)?\(": 97,
    r"\.(?:toSorted|toReversed|toSpliced|with)\(": 110,
    r"\bObject\.groupBy\(": 117,
    r"\bPromise\.(?:withResolvers|try)\(": 119,
    r"\bPromise\.any\(": 85,
    r"\bAbortSignal\.(?:timeout|any)\(": 103,
    r"\bstatic\s*\{": 94,
    r"\bURL\.canParse\(": 120,
    r"\bURL\.parse\(": 126,
    r"\.(?:show|hide|toggle)Popover\(": 114,
    r"\bstartViewTransition\(": 111,
    r"\b(?:scheduler\.yield|requestClose)\b": 129,
    r"\bnew Set\([^)]*\)\.(?:union|intersection|difference)\(": 122,
    r"\.checkVisibility\(": 105,
    r"\bsetHTML(?:Unsafe)?\(": 124,
    r"\bIterator\.": 122,
    r"/[a-z]*v[a-z]*(?=[;,)\s.])": 112,  # the v flag of a regular expression
}
# Newer than the promise, and nothing is lost without it but a nicety.
EXTRAS = {
    ":backdrop": "the shade behind a question that is asked once more",
    ":has": "the frame around a chosen option (the radio itself shows it), and room above the bar of a paper",
    r"(?<![\w-])rotate\s*:": "the turn of a small sign",
    r"text-wrap\s*:": "headings break in lines of one length",
    r"field-sizing\s*:": "a field grows with its text",
}


def selectors(css: str) -> list[str]:
    """Return what stands before each brace."""
    return [part.rpartition("}")[2].rpartition(";")[2].strip() for part in COMMENT.sub("", css).split("{")[:-1]]


def used(css: str) -> dict[str, int | None]:
    """Return {feature: since which Chromium}; None: nobody has said."""
    plain = COMMENT.sub("", css)
    heads = " ".join(selectors(css))
    found: dict[str, int | None] = {}
    for name in re.findall(r"@[a-z-]+", plain):
        found[name] = AT_RULES.get(name)
    for name in re.findall(r"::?(-?[a-z][a-z-]*)", re.sub(r"@media[^{]*?(?=$|\s[.#\w:\[*])", "", heads)):
        found[f":{name}"] = PSEUDOS.get(name)
    for name in re.findall(r"(?<![\w:-])([a-z][a-z-]*)\(", plain.lower()):
        if name not in PSEUDOS and name not in ("and", "or"):
            found[f"{name}()"] = FUNCTIONS.get(name)
    for pattern, since in RECENT.items():
        if re.search(pattern, plain):
            found[pattern] = since
    return found


@pytest.mark.parametrize("name", STYLES)
def test_styles_use_what_the_oldest_browser_can_do(name):
    found = used(STYLES[name])
    assert [one for one, since in found.items() if since is None] == [], "say here since which Chromium there is this"
    assert [one for one, since in found.items() if since > OLDEST and one not in EXTRAS] == []


@pytest.mark.parametrize("name", STYLES)
def test_a_selector_that_may_be_unknown_takes_no_other_with_it(name):
    """A browser drops a whole rule of which it does not know one selector."""
    lists = [head for head in selectors(STYLES[name]) if ":has(" in head]
    assert [head for head in lists if not all(":has(" in one for one in re.split(r",(?![^(]*\))", head))] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_use_what_the_oldest_browser_can_do(name):
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", SCRIPTS[name], flags=re.DOTALL)
    assert [pattern for pattern, since in OF_SCRIPTS.items() if since > OLDEST and re.search(pattern, text)] == []


def test_what_is_extra_is_used():
    everything = {one for css in STYLES.values() for one in used(css)}
    assert EXTRAS.keys() - everything == set()


def test_the_list_notices_what_is_too_new():
    """What the tests above would say if somebody wrote it."""
    new = ".a { color: color-mix(in srgb, red, blue); height: 100dvh; & b { x: y } } @container (width > 3rem) "
    new += "{ a:has(b) {} }"
    too_new = {one for one, since in used(new).items() if since and since > OLDEST}
    assert {"color-mix()", "@container", ":has", r"(?<=[{;])\s*&"} <= too_new
    assert any("dvh" in one for one in too_new)
    assert used("a:brand-new { }")[":brand-new"] is None


def test_the_promise_stands_in_the_docs():
    assert f"Chromium {OLDEST}" in (ROOT / "docs/browsers.md").read_text("utf-8")
