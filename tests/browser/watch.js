// Runs in every page that the tests open, before its own scripts. What is amiss is said on the console, which they read.
(() => {
  "use strict";
  addEventListener("securitypolicyviolation", (event) => {
    console.error(`against the policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
  });

  const name = (element) => `${element.tagName.toLowerCase()}${[...element.classList].map((c) => `.${c}`).join("")}`;
  const scrolls = (element) => ["auto", "hidden", "scroll", "clip"].includes(getComputedStyle(element).overflowX);
  const inScroller = (element) => {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) if (scrolls(up)) return true;
    return false;
  };

  // A page that is wider than its window; and which elements stick out of it.
  const look = () => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return;
    const out = [...document.body.querySelectorAll("*")].filter(
      (element) => element.getBoundingClientRect().right > root.clientWidth + 0.5 && !inScroller(element),
    );
    console.error(`${location.pathname} is ${root.scrollWidth} px wide in a window of ${root.clientWidth}:`,
      out.slice(-5).map(name).join(", "));
  };
  addEventListener("load", look);
  addEventListener("htmx:afterSettle", look);
})();
