// A quiz paper: tells how much time is left, hands in when it is up, lets running saves end before handing in, and
// keeps Enter in a field from reloading the page. Without this script the server keeps the time all the same.
(() => {
  "use strict";
  const paper = document.querySelector("form[data-paper]");
  if (!paper) return;

  // --- saves -------------------------------------------------------------------------------------------------
  let running = 0;
  let waiting = null; // the button that was pressed while a save was on its way
  document.addEventListener("htmx:beforeRequest", () => { running += 1; });
  document.addEventListener("htmx:afterRequest", () => {
    running -= 1;
    if (running || !waiting) return;
    const button = waiting;
    waiting = null;
    paper.requestSubmit(button);
  });
  paper.addEventListener("submit", (event) => {
    const scene = event.submitter?.hasAttribute("hx-post");
    if (!running || scene) return;
    event.preventDefault();
    waiting = event.submitter ?? paper.querySelector(".handin .btn:not(.plain)");
  });
  paper.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input[type=text]")) return;
    event.preventDefault();
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // --- time --------------------------------------------------------------------------------------------------
  const clock = document.querySelector("[data-seconds-left]");
  if (!clock) return;
  const shown = clock.querySelector("[data-clock]");
  const say = document.querySelector("[data-clock-say]");
  const TOLD_AT = [1800, 600, 300, 120, 60, 30]; // seconds; said politely once each
  const ends = performance.now() + Number(clock.dataset.secondsLeft) * 1000;
  let before = Number(clock.dataset.secondsLeft) + 1;
  let handedIn = false;

  const words = (seconds) => {
    if (seconds < 60) return clock.dataset.seconds.replace("{n}", String(seconds));
    const minutes = Math.ceil(seconds / 60);
    return minutes === 1 ? clock.dataset.minute : clock.dataset.minutes.replace("{n}", String(minutes));
  };
  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    // In the last minute every ten seconds: what changes each second draws the eye away from the questions.
    const text = words(left < 60 ? Math.ceil(left / 10) * 10 : left);
    if (shown.textContent !== text) shown.textContent = text;
    const due = TOLD_AT.find((mark) => before > mark && left <= mark);
    if (due) say.textContent = words(due);
    before = left;
    if (left > 0 || handedIn) return;
    handedIn = true;
    shown.textContent = say.textContent = clock.dataset.up;
    paper.requestSubmit(paper.querySelector(".handin .btn:not(.plain)"));
  };
  tick();
  setInterval(tick, 1000);
})();
