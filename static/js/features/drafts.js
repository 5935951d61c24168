// The draft: the unsent text and its reply, kept by this browser for each member. It outlives a reload
// and a crash of the tab. It is replaced only when the message is stored elsewhere: in the stored
// outbox, or in the room. All tabs of the member show the same draft.

export function start(room) {
  if (!room.me) return;
  const { composer, reply, outbox, timeline } = room;
  const drafts = new Drafts(room.me.id);
  // During a task of the composer, its text is not a draft.
  const save = () => composer.task ?? drafts.save({ text: composer.text, reply_to: reply.id });
  const { text, reply_to } = drafts.load();
  // The browser may have restored the form itself, with a newer text.
  composer.text ||= text;
  reply.set(reply_to !== null && timeline.get(reply_to)?.state === "live" ? reply_to : null);
  // A draft that is typed, sent or cleared in another tab changes here too.
  drafts.onChange((draft) => {
    if (composer.task) {
      composer.task.draft = draft;
      return;
    }
    if (composer.text !== draft.text) composer.text = draft.text;
    if (reply.id !== draft.reply_to) reply.set(draft.reply_to);
  });
  composer.addEventListener("change", save);
  reply.addEventListener("change", save);
  outbox.addEventListener("stored", save);
  outbox.addEventListener("change", () => outbox.entries.every(({ stored }) => stored !== false) && save());
}

class Drafts {
  #storage = browserStorage();
  #key;

  constructor(user_id) {
    this.#key = `draft:${user_id}`;
  }

  load() {
    try {
      const draft = JSON.parse(this.#storage.getItem(this.#key) ?? "null");
      return { text: String(draft?.text ?? ""), reply_to: draft?.reply_to ?? null };
    } catch {
      return { text: "", reply_to: null };
    }
  }

  // A browser reports only the changes of other tabs here.
  onChange(changed) {
    addEventListener("storage", ({ key }) => key === this.#key && changed(this.load()));
  }

  save({ text, reply_to }) {
    try {
      if (!text && reply_to === null) this.#storage.removeItem(this.#key);
      else this.#storage.setItem(this.#key, JSON.stringify({ text, reply_to }));
    } catch {
      // Storage is full or forbidden, so a reload loses the draft.
    }
  }
}

// Some browsers throw at any use of localStorage when cookies are blocked.
function browserStorage() {
  const none = { getItem: () => null, setItem() {}, removeItem() {} };
  try {
    return globalThis.localStorage ?? none;
  } catch {
    return none;
  }
}
