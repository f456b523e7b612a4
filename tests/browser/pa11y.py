"""HTML_CodeSniffer 2.6.0, the engine of pa11y, on the page in view: its errors against WCAG 2 AA.

It lies beside this file as its makers built it (npm: @pa11y/html_codesniffer, BSD 3-Clause), so that no Node is needed
to look at every page. Notices and warnings, which a person has to judge, are left out, as pa11y does.
"""

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = (Path(__file__).with_name("htmlcs") / "HTMLCS.js").read_text("utf-8")
# It looks for a form's button inside the form only; one that names its form stands elsewhere, and works.
RUN = """() => new Promise((found) => {
const hasButton = (form) => [...form.elements].some((one) => one.type === "submit");
HTMLCS.process("WCAG2AA", document, () => found(HTMLCS.getMessages()
  .filter((one) => one.type === HTMLCS.ERROR && !(one.code.endsWith("H32.2") && hasButton(one.element)))
  .map((one) => [one.code, one.element.outerHTML?.slice(0, 120) ?? "the document", one.msg])))})"""


def violations(page: Page) -> list[str]:
    """Return what it finds in the page as it stands: the rule, where, and what is wrong."""
    if not page.evaluate("() => 'HTMLCS' in window"):
        page.evaluate(SCRIPT)
    return [": ".join(found) for found in page.evaluate(RUN)]
