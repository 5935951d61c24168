// Stores the outbox, so that unsent messages survive a reload: in IndexedDB, because it can hold pictures.
// save() is false if the browser refuses storage; then the draft is kept instead.

const STORE = "unsent";

export class StoredOutbox {
  #database = null;
  #user_id;

  constructor(user_id) {
    this.#user_id = user_id;
  }

  async load() {
    const rows = (await this.#run("readonly", (store) => store.getAll())) || [];
    return rows
      .filter((row) => row.user_id === this.#user_id)
      .sort((a, b) => a.entry.created_ms - b.entry.created_ms)
      .map((row) => row.entry);
  }

  // True when the entry is stored.
  async save(entry) {
    const { client_id, text, reply_to, image, album, created_ms, state, code, reason } = entry;
    const plain = { client_id, text, reply_to, image, album, created_ms, state, code, reason };
    return (await this.#run("readwrite", (store) => store.put({ client_id, user_id: this.#user_id, entry: plain }))) !== undefined;
  }

  async remove(client_id) {
    await this.#run("readwrite", (store) => store.delete(client_id));
  }

  // The result of `act`, or undefined if the browser refuses storage.
  async #run(mode, act) {
    try {
      this.#database ??= open();
      const store = (await this.#database).transaction(STORE, mode).objectStore(STORE);
      return await answer(act(store));
    } catch {
      return undefined;
    }
  }
}

function open() {
  const request = indexedDB.open("chat", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "client_id" });
  return answer(request);
}

function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
