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

  // Deciding by key: y confirms, f is a false alarm, e closes. The reason must be there, and it is asked once more.
  const ACTS = { y: "confirm", f: "dismiss", e: "close" };
  const decide = (button) => {
    const asked = document.querySelector("[data-ask]");
    if (!button || !asked || !button.form.reportValidity()) return;
    for (const said of asked.querySelectorAll("[data-says]")) said.hidden = said.dataset.says !== button.dataset.act;
    asked.querySelector("button[value=yes]").onclick = (event) => {
      event.preventDefault();
      asked.close();
      button.form.requestSubmit(button);
    };
    asked.showModal();
  };

  // Ctrl+Enter sends the form that one writes in, by its first button.
  const send = (form) => {
    const button = form?.querySelector("button[name=act], button");
    if (!button) return;
    button.dataset.act ? decide(button) : form.requestSubmit(button);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea, input")) {
      event.preventDefault();
      send(event.target.form);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const act = ACTS[event.key] && document.querySelector(`button[data-act="${ACTS[event.key]}"]`);
    if (act) {
      event.preventDefault();
      decide(act);
      return;
    }
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
