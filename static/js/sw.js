// The service worker, served as /sw.js. Online it changes nothing: every request goes to the server
// first. Without a line it shows the room's shell with the history that the page last put beside it
// (elements/copy.js). No POST, and nothing of another address, ever passes through it.

const CACHE = "room";
const SHELL = "/";
const HISTORY = "/history";
const PRESENT = 'id="present">';

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  // Whoever logs out leaves nothing behind, even where the page could not see to it.
  if (pathname === "/logout/") event.waitUntil(caches.delete(CACHE));
  if (request.method !== "GET") return;
  if (pathname === "/") event.respondWith(room(event));
  else if (pathname.startsWith("/static/") || pathname.startsWith("/media/")) event.respondWith(file(request));
});

// A notification was pressed: to the room that is open, or to a new one.
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.matchAll({ type: "window" }).then(([open]) => (open ? open.focus() : clients.openWindow("/"))));
});

async function room(event) {
  try {
    const response = await fetch(event.request);
    event.waitUntil(response.ok ? keepShell(response.clone()) : forgetIfShutOut(response));
    return response;
  } catch (failure) {
    const kept = await offline();
    if (kept) return kept;
    throw failure;
  }
}

async function file(request) {
  try {
    return await fetch(request);
  } catch (failure) {
    const kept = await caches.match(request);
    if (kept) return kept;
    throw failure;
  }
}

// The page without what it says of the room: that is kept apart, and changes more often.
async function keepShell(response) {
  const html = await response.text();
  const from = html.indexOf(PRESENT) + PRESENT.length;
  const to = html.indexOf("</script>", from);
  if (from < PRESENT.length || to < 0) return;
  const { headers } = response;
  await put(SHELL, new Response(html.slice(0, from) + html.slice(to), { headers }));
}

// Sent on to the login: these pages may not be read any more.
async function forgetIfShutOut({ type, status }) {
  if (type === "opaqueredirect" || status === 401 || status === 403) await caches.delete(CACHE);
}

async function offline() {
  const [shell, history] = await Promise.all([caches.match(SHELL), caches.match(HISTORY)]);
  if (!shell || !history) return undefined;
  const html = await shell.text();
  const at = html.indexOf(PRESENT) + PRESENT.length;
  const present = (await history.text()).replaceAll("<", "\\u003c");
  return new Response(html.slice(0, at) + present + html.slice(at), { headers: shell.headers });
}

async function put(name, response) {
  const cache = await caches.open(CACHE);
  await cache.put(name, response);
}
