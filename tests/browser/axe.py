"""axe-core on the page in view: what breaks WCAG 2.2 AA."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """(tags) => axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]})
  .then((found) => found.violations.flatMap((rule) => rule.nodes.map((node) => [rule.id, node.target.join(" "),
    node.any.concat(node.all, node.none).map((check) => check.message).join("; ")])))"""


def violations(page: Page) -> list[str]:
    """Return what axe finds in the page as it stands: the rule, where, and what is wrong."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [": ".join(found) for found in page.evaluate(RUN, TAGS)]
