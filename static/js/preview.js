// Loads the page again when a file of the course has changed. The page says what it was made of: data-made-of.
"use strict";
(() => {
  const here = document.querySelector("[data-made-of]");
  const look = async () => {
    let now = here.dataset.madeOf;
    try {
      const answer = await fetch(here.dataset.watch, { cache: "no-store" });
      now = answer.ok ? await answer.text() : now;
    } catch {
      // The preview was stopped: go on asking, it may be started again.
    }
    if (now === here.dataset.madeOf) setTimeout(look, 700);
    else if (here.dataset.posted) location.replace(location.pathname);  // a reload would send the form again
    else location.reload();
  };
  setTimeout(look, 700);
})();
