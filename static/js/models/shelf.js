// Where unsent messages wait over a reload: IndexedDB, because pictures are among them.
// Where a browser refuses it, the shelf says so and the draft is kept instead.

const STORE = "unsent";

export class Shelf {
  #database = null;
  #user_id;

  constructor(user_id) {
    this.#user_id = user_id;
  }

  async load() {
    const kept = (await this.#run("readonly", (store) => store.getAll())) || [];
    return kept
      .filter((row) => row.user_id === this.#user_id)
      .sort((a, b) => a.entry.created_ms - b.entry.created_ms)
      .map((row) => row.entry);
  }

  // True when the entry is kept.
  async save(entry) {
    const { client_id, text, reply_to, image, created_ms, state, code, reason } = entry;
    const plain = { client_id, text, reply_to, image, created_ms, state, code, reason, progress: 0 };
    return (await this.#run("readwrite", (store) => store.put({ client_id, user_id: this.#user_id, entry: plain }))) !== undefined;
  }

  async remove(client_id) {
    await this.#run("readwrite", (store) => store.delete(client_id));
  }

  // What `act` asked for, or undefined when the browser keeps nothing.
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
