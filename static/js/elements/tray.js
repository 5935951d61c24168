// Pictures that were picked, pasted or dropped, before they are sent.

import { t } from "../words/words.js";
import { iconButton, make } from "./dom.js";

const MOST = 9;

export class Tray {
  #room;
  #list;
  #changed;
  #items = [];

  constructor(room, list, changed) {
    this.#room = room;
    this.#list = list;
    this.#changed = changed;
  }

  // As Outbox.add() takes them, with `preview`, an object URL.
  get images() {
    return this.#items.map(({ image }) => image);
  }

  add(files) {
    const { limits, say } = this.#room;
    for (const file of files) {
      // An empty type is a file whose kind the browser does not know, as HEIC often is: the server looks.
      if (file.type && !file.type.startsWith("image/")) say(t("not_a_picture", { name: file.name }));
      else if (file.size > limits.upload_max_bytes) say(t("picture_too_large", { megabytes: Math.floor(limits.upload_max_bytes / 1048576) }));
      else if (this.#items.length >= MOST) say(t("too_many_pictures", { limit: MOST }));
      else this.#items.push(this.#item(file));
    }
    this.#draw();
  }

  // The previews live on: the pending messages show them.
  clear() {
    this.#items = [];
    this.#draw();
  }

  #item(file) {
    const image = { blob: file, name: file.name || "image.png", width: 0, height: 0, preview: URL.createObjectURL(file) };
    const node = make("li", "tray-item");
    const picture = make("img");
    picture.alt = image.name;
    picture.addEventListener("load", () => Object.assign(image, { width: picture.naturalWidth, height: picture.naturalHeight }));
    picture.addEventListener("error", () => picture.replaceWith(make("span", "tray-name", image.name)));
    picture.src = image.preview;
    const item = { image, node };
    node.append(picture, iconButton("tray-remove", "close", t("remove_picture", { name: image.name }), () => this.#remove(item)));
    return item;
  }

  #remove(item) {
    URL.revokeObjectURL(item.image.preview);
    this.#items = this.#items.filter((each) => each !== item);
    this.#draw();
  }

  #draw() {
    this.#list.hidden = this.#items.length === 0;
    this.#list.replaceChildren(...this.#items.map(({ node }) => node));
    this.#changed();
  }
}
