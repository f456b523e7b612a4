// Keys for the findings desk. Without this script everything is a link, a form or a button all the same.
(() => {
  "use strict";
  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select");

  // The queue: j and k go through the rows, x chooses one. Enter opens, as it does on any link.
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(document.activeElement?.closest("[data-row]"));
    all[Math.min(all.length - 1, Math.max(0, now + by))].querySelector("th a").focus();
  };
  const choose = () => {
    const box = document.activeElement?.closest("[data-row]")?.querySelector("input[type=checkbox]");
    if (box) box.checked = !box.checked;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const found = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (found) {
      event.preventDefault();
      found.matches("a, button") ? found.click() : found.focus();
    } else if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      move(event.key === "j" ? 1 : -1);
    } else if (event.key === "x") {
      event.preventDefault();
      choose();
    }
  });
})();
