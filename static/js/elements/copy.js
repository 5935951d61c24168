// The copy of the room that is shown when there is no line: the newest messages, the files of the
// page, and small pictures. It loses at once what was recalled, deleted or has expired, and all of
// it when the login ends. The service worker (sw.js) keeps the shell beside it.

const CACHE = "room";
const HISTORY = "/history";
const MESSAGES = 100;
const PICTURE_MAX_BYTES = 60_000;
const LATER_MS = 1500;

// Resolves once a first copy is kept; does nothing where the browser has no service workers.
export async function keepCopy(room) {
  if (!navigator.serviceWorker || !globalThis.caches) return;
  try {
    await navigator.serviceWorker.register(workerAddress());
  } catch {
    return;
  }
  await controlled();
  const copy = new Copy(room);
  room.timeline.addEventListener("change", ({ detail }) => (detail.posted?.length ? copy.later() : copy.save()));
  room.socket.addEventListener("state", () => room.socket.ended && copy.forget());
  document.addEventListener("submit", ({ target }) => target.getAttribute("action") === "/logout/" && copy.forget());
  await copy.save();
  await keepFiles();
  // The visit that brought the worker did not pass through it: its page is asked for once more.
  if (!(await caches.match("/"))) await fetch("/").catch(() => {});
}

function controlled() {
  const { serviceWorker } = navigator;
  return serviceWorker.controller ?? new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
}

class Copy {
  #room;
  #timer = 0;
  #saving = null;
  #again = false;
  #forgotten = false;

  constructor(room) {
    this.#room = room;
  }

  later() {
    this.#timer ||= setTimeout(() => this.save(), LATER_MS);
  }

  // One writing at a time; what changed meanwhile is written right after it.
  save() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#saving) this.#again = true;
    else this.#saving = this.#write().finally(() => (this.#saving = null));
    return this.#saving;
  }

  async forget() {
    this.#forgotten = true;
    await this.#saving;
    await caches.delete(CACHE);
  }

  async #write() {
    do {
      this.#again = false;
      if (this.#forgotten || this.#room.staleReader) return;
      const cache = await caches.open(CACHE);
      const messages = this.#messages();
      await cache.put(HISTORY, new Response(JSON.stringify(this.#present(messages))));
      await keepPictures(cache, messages);
    } while (this.#again);
  }

  #messages() {
    const { timeline } = this.#room;
    return timeline.ids.slice(-MESSAGES).map((id) => ({ ...timeline.get(id), client_id: "" }));
  }

  // As the page itself brings it; nobody is known to be here, and no window to be open.
  #present(messages) {
    const { timeline, me, ui, limits, reading } = this.#room;
    const { seq, epoch, firstId: first_id } = timeline;
    return {
      messages, seq, epoch, first_id, user: me, ui, limits, read_id: reading.lastRead, offline: true, has_more: false,
      now_ms: 0, window: null, announcement: "", online: 0, guests: 0, members: [], people: [],
    };
  }
}

// Faces and thumbnails of the messages that are kept, and no others.
async function keepPictures(cache, messages) {
  const wanted = new Set(messages.flatMap(({ avatar, thumb }) => [avatar, thumb]).filter(Boolean));
  const kept = (await cache.keys()).filter(({ url }) => new URL(url).pathname.startsWith("/media/"));
  for (const request of kept) {
    if (!wanted.delete(new URL(request.url).pathname)) await cache.delete(request);
  }
  await Promise.all([...wanted].map((address) => keepPicture(cache, address)));
}

async function keepPicture(cache, address) {
  try {
    const response = await fetch(address);
    if (response.ok && Number(response.headers.get("Content-Length")) <= PICTURE_MAX_BYTES) await cache.put(address, response);
  } catch {
    // It is missing from the copy, as it is from the page.
  }
}

// What this page has loaded, all of one version; the browser has them at hand.
async function keepFiles() {
  const cache = await caches.open(CACHE);
  const [, version] = /(\/static\/[^/]+\/)/.exec(import.meta.url);
  const loaded = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/static/") && !pathname.startsWith(version)) await cache.delete(request);
  }
  const wanted = new Set(loaded.filter((path) => path.startsWith(version)));
  await cache.addAll([...wanted]).catch(() => {});
}

// Scripts are named through a policy only; ours names one.
function workerAddress() {
  const address = "/sw.js";
  if (!globalThis.trustedTypes) return address;
  return trustedTypes.createPolicy("worker", { createScriptURL: () => address }).createScriptURL(address);
}
