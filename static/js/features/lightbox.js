// A picture in full size: fitted, zoomed by pinch, wheel or double tap, dragged, and closed by a swipe. A long picture
// is as wide as the screen, and scrolls.

import { t } from "../words/words.js";

const SCALE_MAX = 6;
const TAP_SCALE = 2.5;
const SWIPE_PX = 60;
const CLOSE_PX = 100;
// A picture that is higher than this many times its width is shown at the width of the screen, and scrolled.
const LONG_RATIO = 2;
const SCROLL_PX = 120;

let lightbox = null;

export function open(room, clicked, message) {
  // The picture may have been recalled while this module was loaded.
  if (!message || !room.timeline.get(message.id)?.image) return;
  lightbox ??= new Lightbox(room, document.getElementById("lightbox"));
  lightbox.open(message.id);
}

class Lightbox {
  #room;
  #dialog;
  #stage;
  #picture;
  #id = null;
  #view = { scale: 1, x: 0, y: 0 };
  #pointers = new Map();
  #from = null;
  #tappedAt = 0;
  #isLong = false;

  constructor(room, dialog) {
    this.#room = room;
    this.#dialog = dialog;
    this.#stage = dialog.querySelector(".lightbox-stage");
    this.#picture = dialog.querySelector("img");
    dialog.querySelector("[data-go=back]").addEventListener("click", () => this.#go(-1));
    dialog.querySelector("[data-go=on]").addEventListener("click", () => this.#go(1));
    dialog.addEventListener("keydown", ({ key }) => {
      if (key === "ArrowLeft") this.#go(-1);
      if (key === "ArrowRight") this.#go(1);
      if (this.#isLong && key === "ArrowDown") this.#stage.scrollBy(0, SCROLL_PX);
      if (this.#isLong && key === "ArrowUp") this.#stage.scrollBy(0, -SCROLL_PX);
    });
    dialog.addEventListener("close", () => this.#picture.removeAttribute("src"));
    room.timeline.addEventListener("change", () => this.#closeIfRemoved());
    this.#listen();
  }

  // `id` of a message with a picture.
  open(id) {
    this.#show(id);
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  get #ids() {
    const { timeline } = this.#room;
    return timeline.ids.filter((id) => timeline.get(id).image);
  }

  #show(id) {
    const message = this.#room.timeline.get(id);
    const ids = this.#ids;
    this.#id = id;
    this.#move({ scale: 1, x: 0, y: 0 });
    const { width, height, image, thumb } = message;
    Object.assign(this.#picture, { src: thumb || image, alt: t("picture_of", { name: message.user }) });
    this.#picture.style.setProperty("--width", width);
    this.#picture.style.setProperty("--height", height);
    this.#isLong = height > LONG_RATIO * width;
    const save = this.#dialog.querySelector("a[download]");
    // The stage of a long picture scrolls, and so has the focus; the next one may lose it, and Escape with it.
    if (document.activeElement === this.#stage) save.focus();
    this.#stage.classList.toggle("lightbox-stage--long", this.#isLong);
    this.#stage.scrollTop = 0;
    this.#sharpen(image);
    this.#dialog.querySelector(".lightbox-caption").textContent =
      `${message.user} · ${this.#room.dates.exact(message.created_ms)}`;
    this.#dialog.querySelector("[data-go=back]").hidden = id === ids[0];
    this.#dialog.querySelector("[data-go=on]").hidden = id === ids[ids.length - 1];
    save.href = image;
    save.download = image.slice(image.lastIndexOf("/") + 1);
  }

  // The thumbnail is loaded already. The full picture replaces it after decoding, if the reader has not moved on.
  async #sharpen(address) {
    const whole = new Image();
    whole.src = address;
    await whole.decode().catch(() => {});
    const shown = this.#dialog.open && this.#dialog.querySelector("a[download]").getAttribute("href");
    if (shown === address) this.#picture.src = address;
  }

  #go(step) {
    const ids = this.#ids;
    const next = ids[ids.indexOf(this.#id) + step];
    if (next !== undefined) this.#show(next);
  }

  // Close a picture that was recalled, was deleted or has expired.
  #closeIfRemoved() {
    if (this.#dialog.open && !this.#room.timeline.get(this.#id)?.image) this.#dialog.close();
  }

  #listen() {
    const stage = this.#stage;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => this.#up(event));
    stage.addEventListener("wheel", (event) => {
      if (this.#isLong) return;
      event.preventDefault();
      this.#zoom(this.#view.scale * Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    }, { passive: false });
  }

  #down(event) {
    this.#stage.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, event);
    this.#from = { event, view: { ...this.#view }, spread: this.#spread(), moved: false };
  }

  #drag(event) {
    if (!this.#pointers.has(event.pointerId)) return;
    this.#pointers.set(event.pointerId, event);
    const { event: start, view, spread } = this.#from;
    const dx = event.clientX - start.clientX;
    const dy = event.clientY - start.clientY;
    if (Math.hypot(dx, dy) > 6) this.#from.moved = true;
    if (this.#isLong) {
      this.#move({ scale: 1, x: Math.abs(dx) > Math.abs(dy) ? dx : 0, y: 0 });
    } else if (this.#pointers.size === 2 && spread) {
      const [a, b] = [...this.#pointers.values()];
      this.#zoom(view.scale * (this.#spread() / spread), (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
    } else if (this.#view.scale > 1) {
      this.#move({ ...this.#view, x: view.x + dx, y: view.y + dy });
    } else {
      this.#move({ scale: 1, x: Math.abs(dx) > Math.abs(dy) ? dx : 0, y: Math.abs(dy) > Math.abs(dx) ? Math.max(0, dy) : 0 });
    }
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId) || this.#pointers.size) return;
    const { moved } = this.#from;
    if (!moved) {
      this.#tap(event);
      return;
    }
    if (this.#view.scale > 1) return;
    const { x, y } = this.#view;
    this.#move({ scale: 1, x: 0, y: 0 });
    if (y > CLOSE_PX) this.#dialog.close();
    else if (Math.abs(x) > SWIPE_PX) this.#go(x > 0 ? -1 : 1);
  }

  #tap({ clientX, clientY, timeStamp }) {
    const twice = timeStamp - this.#tappedAt < 300;
    this.#tappedAt = twice ? 0 : timeStamp;
    if (twice && !this.#isLong) this.#zoom(this.#view.scale > 1 ? 1 : TAP_SCALE, clientX, clientY);
    else if (this.#outside(clientX, clientY)) this.#dialog.close();
  }

  #outside(x, y) {
    const { left, right, top, bottom } = this.#picture.getBoundingClientRect();
    return x < left || x > right || y < top || y > bottom;
  }

  // The point under the fingers stays in its place.
  #zoom(wanted, clientX, clientY) {
    const scale = Math.min(SCALE_MAX, Math.max(1, wanted));
    const box = this.#stage.getBoundingClientRect();
    const px = clientX - box.left - box.width / 2;
    const py = clientY - box.top - box.height / 2;
    const by = scale / this.#view.scale;
    const { x, y } = this.#view;
    this.#move(scale === 1 ? { scale, x: 0, y: 0 } : { scale, x: px - (px - x) * by, y: py - (py - y) * by });
  }

  #move(view) {
    this.#view = view;
    this.#picture.style.setProperty("transform", `translate(${view.x}px, ${view.y}px) scale(${view.scale})`);
    this.#stage.classList.toggle("lightbox-stage--zoomed", view.scale > 1);
  }

  #spread() {
    const [a, b] = [...this.#pointers.values()];
    return b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0;
  }
}
