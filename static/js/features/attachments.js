// Pictures for the next message: picked from a file, the album or the camera, pasted or dropped, and
// shown above the field until they are sent or removed.

import { iconButton, make } from "../elements/dom.js";
import { t } from "../words/words.js";

const PICTURES_MAX = 9;

export function start(room) {
  if (!room.me) return;
  const form = document.getElementById("composer");
  const attachments = new Attachments(room, form.querySelector(".attachments"));
  room.attachments = attachments;
  const add = (files) => {
    if (files.length === 0) return;
    attachments.add([...files]);
    if (room.composer.enterSends) room.composer.focus();
  };
  listenForPicking(room, form.elements.image, add);
  listenForPasting(add);
  listenForDrops(add);
}

class Attachments {
  #room;
  #list;
  #items = [];

  constructor(room, list) {
    this.#room = room;
    this.#list = list;
  }

  // The images for Outbox.add(), with `preview`, an object URL.
  get images() {
    return this.#items.map(({ image }) => image);
  }

  add(files) {
    const { limits, toast, composer, isMuted } = this.#room;
    if (composer.task || isMuted()) {
      toast(composer.task ? composer.task.noPictures : t("muted_now"));
      return;
    }
    for (const file of files) {
      // The type is empty if the browser does not know it, which is common for HEIC: then the server decides.
      if (file.type && !file.type.startsWith("image/")) toast(t("not_a_picture", { name: file.name }));
      else if (file.size > limits.upload_max_bytes) toast(t("picture_too_large", { megabytes: Math.floor(limits.upload_max_bytes / 1048576) }));
      else if (this.#items.length >= PICTURES_MAX) toast(t("too_many_pictures", { limit: PICTURES_MAX }));
      else this.#items.push(this.#item(file));
    }
    this.#draw();
    this.#prepare(files);
  }

  // The pictures are made smaller while the member writes. If that fails, they are sent unchanged.
  async #prepare(files) {
    try {
      const [{ smallerPicture }] = await Promise.all([import("../models/smaller_picture.js"), import("../net/upload.js")]);
      for (const file of files) await smallerPicture(file, this.#room.limits.image_max_bytes);
    } catch {}
  }

  // Do not revoke the previews, because the pending messages show them.
  clear() {
    this.#items = [];
    this.#draw();
  }

  #item(file) {
    const image = { blob: file, name: file.name || "image.png", width: 0, height: 0, preview: URL.createObjectURL(file) };
    const node = make("li", "attachment");
    const picture = make("img");
    picture.alt = image.name;
    picture.addEventListener("load", () => Object.assign(image, { width: picture.naturalWidth, height: picture.naturalHeight }));
    picture.addEventListener("error", () => picture.replaceWith(make("span", "attachment-name", image.name)));
    picture.src = image.preview;
    const item = { image, node };
    node.append(picture, iconButton("attachment-remove", "close", t("remove_picture", { name: image.name }), () => this.#remove(item)));
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
    this.#room.composer.draw();
  }
}

// [data-pick=album] and [data-pick=camera] open the same file input.
function listenForPicking(room, input, add) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    add(files);
  });
  room.onClick("[data-pick]", (pressed) => {
    pressed.closest("dialog")?.close();
    if (pressed.dataset.pick === "camera") input.setAttribute("capture", "environment");
    else input.removeAttribute("capture");
    input.click();
  });
}

function listenForPasting(add) {
  document.addEventListener("paste", (event) => {
    const { files } = event.clipboardData;
    if (files.length === 0 || hasTextOfItsOwn(event.clipboardData)) return;
    event.preventDefault();
    add(files);
  });
}

// A spreadsheet copies its cells as text and as a picture: then the text is pasted. A file manager copies a file and
// its name as text: then the file is pasted.
function hasTextOfItsOwn(clipboard) {
  const names = new Set([...clipboard.files].map(({ name }) => name));
  const lines = clipboard.getData("text/plain").split(/\r\n|\r|\n/).map((line) => line.trim()).filter(Boolean);
  return lines.some((line) => !names.has(line) && !names.has(line.slice(line.lastIndexOf("/") + 1)));
}

function listenForDrops(add) {
  const { documentElement: page } = document;
  const carriesFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    page.classList.add("dropping");
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) page.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    page.classList.remove("dropping");
    if (!carriesFiles(event)) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
}
