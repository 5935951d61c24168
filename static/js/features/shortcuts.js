// Keyboard shortcuts: arrows among the messages, End for the newest, / for the search, ? for help, Esc for
// the field.

export function start(room) {
  const list = document.getElementById("messages");
  list.addEventListener("keydown", (event) => {
    const article = document.activeElement.closest("article");
    const step = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
    if (step) {
      event.preventDefault();
      (article ? besides(article, step) : lastInView(list))?.focus();
    } else if (event.key === "End") {
      event.preventDefault();
      room.view.toEnd();
    } else if (event.key === "Enter" && document.activeElement === article) {
      // Without this line the same key would also activate the first choice of the menu, because that choice gets the
      // focus.
      event.preventDefault();
      article.querySelector("[data-action=menu]")?.click();
    }
  });
  // Only the buttons of the focused message are tab stops: a hundred messages have 200 buttons.
  let reachable = null;
  const reach = (article) => {
    if (article === reachable) return;
    setStops(reachable, -1);
    setStops(article, 0);
    reachable = article;
  };
  list.addEventListener("focusin", ({ target }) => reach(target.closest("article")));
  reach(document.activeElement.closest("#messages article"));
  room.onKey((event) => {
    const typing = event.target.closest?.("input, textarea, select, dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") document.getElementById("help")?.showModal();
    else if (event.key === "/") document.querySelector("[data-opens=search]")?.click();
    else if (event.key === "Escape") room.composer?.focus();
    else return;
    event.preventDefault();
  });
}

function setStops(article, tabIndex) {
  for (const stop of article?.querySelectorAll(".message-who, [data-action=menu], [data-quick], .reaction") ?? []) stop.tabIndex = tabIndex;
}

// The next message in that direction which is not folded.
function besides(article, step) {
  const next = article[step];
  return next && isFolded(next) ? besides(next, step) : next;
}

function isFolded(article) {
  return article.classList.contains("message--folded");
}

function lastInView(list) {
  const line = list.scrollTop + list.clientHeight;
  const above = [...list.children].filter((article) => article.offsetTop < line - 20 && !isFolded(article));
  return above[above.length - 1];
}
