// The offline copy of the room, shown when the server cannot be reached: the newest messages, the files of the page,
// and small pictures. Content that is recalled, deleted or expired is removed at once, and the whole copy when the
// login ends. The service worker (sw.js) stores the page's HTML beside it.

const CACHE = "room";
const HISTORY = "/history";
const MESSAGES_MAX = 100;
// The Accept header of an image element in Chromium 85, Firefox 93, Safari 16 and newer.
const PICTURES = "image/avif,image/webp,*/*;q=0.8";
const PICTURE_MAX_BYTES = 60_000;
const SAVE_AFTER_MS = 1500;

// Resolves once a first copy is stored; does nothing in a browser without service workers.
export async function keepCopy(room) {
  if (!navigator.serviceWorker || !globalThis.caches) return;
  try {
    await registerWorker();
  } catch {
    return;
  }
  await controlled();
  const copy = new OfflineCopy(room);
  // The login ended, or the logout was sent, before this module was loaded.
  if (room.socket.ended || room.isLeaving) {
    await copy.remove();
    return;
  }
  room.timeline.addEventListener("change", ({ detail }) => (detail.posted?.length ? copy.saveLater() : copy.save()));
  room.socket.addEventListener("state", () => room.socket.ended && copy.remove());
  document.addEventListener("submit", () => room.isLeaving && copy.remove());
  await copy.save();
  if (!room.isLeaving) await storeFiles();
  // The page that registered the worker was not requested through it, so the page is requested again for the copy.
  if (!(await caches.match("/")) && !room.isLeaving) await fetch("/").catch(() => {});
}

export function registerWorker() {
  return navigator.serviceWorker.register(workerAddress());
}

function controlled() {
  const { serviceWorker } = navigator;
  return serviceWorker.controller ?? new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
}

class OfflineCopy {
  #room;
  #timer = 0;
  #saving = null;
  #again = false;
  #removed = false;

  constructor(room) {
    this.#room = room;
  }

  saveLater() {
    this.#timer ||= setTimeout(() => this.save(), SAVE_AFTER_MS);
  }

  // Writes one copy at a time. Changes during a write are written after it.
  save() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#saving) this.#again = true;
    else this.#saving = this.#write().finally(() => (this.#saving = null));
    return this.#saving;
  }

  async remove() {
    this.#removed = true;
    await this.#saving;
    await caches.delete(CACHE);
  }

  async #write() {
    do {
      this.#again = false;
      if (this.#removed || this.#room.userChanged) return;
      const cache = await caches.open(CACHE);
      const messages = this.#messages();
      await cache.put(HISTORY, new Response(JSON.stringify(this.#pageData(messages))));
      await storePictures(cache, messages);
    } while (this.#again);
  }

  #messages() {
    const { timeline } = this.#room;
    return timeline.ids.slice(-MESSAGES_MAX).map((id) => ({ ...timeline.get(id), client_id: "" }));
  }

  // In the form of the page's own data; presence and the ordering window are not known offline.
  #pageData(messages) {
    const { timeline, me, ui, limits, page, view } = this.#room;
    const { seq, epoch, firstId: first_id } = timeline;
    return {
      messages, seq, epoch, first_id, user: me, ui, limits, read_id: view.lastRead, reactions: page.reactions, offline: true, has_more: false,
      now_ms: 0, window: null, announcement: "", online: 0, guests: 0, members: [], people: [],
    };
  }
}

// Stores the avatars and thumbnails of the stored messages, and removes others.
async function storePictures(cache, messages) {
  const wanted = new Set(messages.flatMap(({ avatar, thumb }) => [avatar, thumb]).filter(Boolean));
  const stored = (await cache.keys()).filter(({ url }) => new URL(url).pathname.startsWith("/media/"));
  for (const request of stored) {
    if (!wanted.delete(new URL(request.url).pathname)) await cache.delete(request);
  }
  await Promise.all([...wanted].map((address) => storePicture(cache, address)));
}

async function storePicture(cache, address) {
  try {
    const response = await fetch(address, { headers: { Accept: PICTURES } });
    if (response.ok && Number(response.headers.get("Content-Length")) <= PICTURE_MAX_BYTES) await cache.put(address, response);
  } catch {
    // The copy lacks the picture, as the page does.
  }
}

// Stores the files that this page has loaded, of its own version only; the browser has them in its cache.
async function storeFiles() {
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

// Trusted Types: a script address needs a policy; this one allows one address.
function workerAddress() {
  const address = "/sw.js";
  if (!globalThis.trustedTypes) return address;
  return trustedTypes.createPolicy("worker", { createScriptURL: () => address }).createScriptURL(address);
}
