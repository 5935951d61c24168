// The theme: light, dark, or that of the system. It is stored in a cookie, so that the server renders the
// next page with it, the room's too. The buttons are hidden without scripts: a script writes the cookie.

const YEAR_S = 365 * 86_400;
const group = document.querySelector("[data-themes]");

group.hidden = false;
group.addEventListener("click", (event) => {
  const theme = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
  if (!theme) return;
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; SameSite=Lax`;
  document.documentElement.dataset.theme = theme;
  document.querySelector('meta[name="color-scheme"]').content = theme === "auto" ? "light dark" : theme;
  for (const each of group.children) each.setAttribute("aria-pressed", String(each.dataset.themeChoice === theme));
});
