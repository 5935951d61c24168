// The service worker, served as /sw.js. Every request goes to the server first. Only if the server
// cannot be reached, it answers from the offline copy: the page's HTML with the history that the page
// stored last (features/offline_copy.js). It never handles a POST or a request to another origin.

const CACHE = "room";
const SHELL = "/";
const HISTORY = "/history";
// The server sends the current file for any version in the path.
const ICON = "/static/now/img/icon-192.png";
const PAGE_DATA = 'id="page-data">';
// For browsers without scripts. It is not stored, because it would keep recalled messages.
const PLAIN = /<noscript data-plain>[^]*?<\/noscript>/;

// A page that was requested before a logout is not stored after the logout.
let logouts = 0;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  // A logout removes the copy, even if the page could not do it.
  if (pathname === "/logout/") {
    logouts += 1;
    event.waitUntil(caches.delete(CACHE));
  }
  if (request.method !== "GET") return;
  if (pathname === "/") event.respondWith(room(event));
  else if (pathname.startsWith("/static/") || pathname.startsWith("/media/")) event.respondWith(file(request));
});

// A push message, sent by `chatserver push`: its notification replaces an earlier one with the same tag.
addEventListener("push", (event) => {
  if (event.data) event.waitUntil(showPushed(event.data.json()));
});

// A click on a notification shows the open room, or opens it.
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.matchAll({ type: "window" }).then(([open]) => (open ? open.focus() : clients.openWindow("/"))));
});

// `alerts`: with a sound, also if it replaces another notification. Otherwise only the text changes.
function showPushed({ title, body, tag, alerts }) {
  return registration.showNotification(title, { body, tag, icon: ICON, renotify: alerts, silent: !alerts });
}

async function room(event) {
  const before = logouts;
  try {
    const response = await fetch(event.request);
    event.waitUntil(response.ok ? storeShell(response.clone(), before) : removeIfRefused(response));
    return response;
  } catch (failure) {
    const stored = await offline();
    if (stored) return stored;
    throw failure;
  }
}

async function file(request) {
  try {
    return await fetch(request);
  } catch (failure) {
    // An AVIF varies with Accept, but the stored answer was made for this browser.
    const stored = await caches.match(request, { ignoreVary: true });
    if (stored) return stored;
    throw failure;
  }
}

// The page's HTML without the room's data, which changes more often and is stored separately.
async function storeShell(response, before) {
  const html = await response.text();
  if (logouts !== before) return;
  const from = html.indexOf(PAGE_DATA) + PAGE_DATA.length;
  const to = html.indexOf("</script>", from);
  if (from < PAGE_DATA.length || to < 0) return;
  const { headers } = response;
  await put(SHELL, new Response((html.slice(0, from) + html.slice(to)).replace(PLAIN, ""), { headers }));
}

// The response is a redirect to the login: this browser may not read the room any more.
async function removeIfRefused({ type, status }) {
  if (type === "opaqueredirect" || status === 401 || status === 403) await caches.delete(CACHE);
}

async function offline() {
  const [shell, history] = await Promise.all([caches.match(SHELL), caches.match(HISTORY)]);
  if (!shell || !history) return undefined;
  const html = await shell.text();
  const at = html.indexOf(PAGE_DATA) + PAGE_DATA.length;
  // An earlier version of the page stored this copy, and marked its data differently.
  if (at < PAGE_DATA.length) return undefined;
  const pageData = (await history.text()).replaceAll("<", "\\u003c");
  return new Response(html.slice(0, at) + pageData + html.slice(at), { headers: shell.headers });
}

async function put(name, response) {
  const cache = await caches.open(CACHE);
  await cache.put(name, response);
}
