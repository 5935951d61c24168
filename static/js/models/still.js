// Animations stand still for those who asked their system for less motion.

// The side in px up to which a picture is its own thumbnail, and so may move in the list (chatserver/media/images.py).
const MOVING_SIDE = 480;

// Show the first frame alone, once it is there. A larger picture has a thumbnail that does not move.
export function holdStill(picture, { width, height }) {
  if (Math.max(width, height) > MOVING_SIDE || !matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  picture.addEventListener("load", () => (picture.src = firstFrame(picture)), { once: true });
}

function firstFrame(picture) {
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL();
}
