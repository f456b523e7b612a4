// Keeps the reader's place: tells the server which block is in view while somebody reads, and carries the place
// over when the language is switched. Without this script the server counts by page requests alone.
(() => {
  "use strict";
  const BEAT = 20_000; // milliseconds between two signs of reading
  const AWAY = 180_000; // nobody touched the page for so long: nobody reads it
  const parts = [...document.querySelectorAll("[data-place]")];
  if (!parts.length) return;

  let touched = Date.now();
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchmove", "scroll"]) {
    addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
  }

  // The part in view: the last one that has reached the top of the window; at the end of the page, the last one.
  const inView = () => {
    if (scrollY > 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 2) return parts.at(-1);
    return parts.filter((part) => part.getBoundingClientRect().top < Math.min(120, innerHeight / 4)).pop() ?? parts[0];
  };

  const article = document.querySelector("[data-reading]");
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  const beat = () => {
    if (!article || !token) return;
    const body = new URLSearchParams({ place: inView().dataset.place });
    const headers = { "X-CSRFToken": token };
    fetch(article.dataset.reading, { method: "POST", headers, body, keepalive: true }).catch(() => {});
  };
  setInterval(() => {
    if (document.visibilityState === "visible" && Date.now() - touched < AWAY) beat();
  }, BEAT);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") beat();
  });

  document.addEventListener("submit", (event) => {
    const next = event.target.querySelector("input[name=next]");
    const switches = event.submitter?.name === "language";
    if (next && switches && scrollY > 0) next.value = `${next.value.split("#")[0]}#${inView().id}`;
  });
})();
