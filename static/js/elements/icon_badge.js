// A number on the page's icon, drawn on a canvas.

const SIZE = 64;
const NUMBER_MAX = 99;

const original = document.querySelector('link[rel="icon"]');
const others = [...document.querySelectorAll('link[rel="icon"]')].slice(1);
const address = original.getAttribute("href");
let picture = null;
let wanted = 0;

export async function drawBadge(count) {
  wanted = count;
  picture ??= load(address);
  const drawn = count ? draw(await picture, count > NUMBER_MAX ? `${NUMBER_MAX}+` : String(count)) : address;
  // The number may have changed while the picture was loading.
  if (wanted !== count) return;
  original.href = drawn;
  original.type = count ? "image/png" : "image/svg+xml";
  // A browser uses the last icon that it supports, so the page has only this icon while there is a number.
  if (count) others.forEach((each) => each.remove());
  else original.after(...others);
}

async function load(source) {
  const image = new Image(SIZE, SIZE);
  image.src = source;
  await image.decode().catch(() => {});
  return image;
}

function draw(image, label) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext("2d");
  if (image.complete && image.naturalWidth) pen.drawImage(image, 0, 0, SIZE, SIZE);
  const wide = label.length > 1 ? 46 : 36;
  pen.beginPath();
  // Draws two half circles and the area between them, because Chromium before 99 and Safari before 16 lack roundRect().
  pen.arc(SIZE - wide + 18, SIZE - 18, 18, Math.PI / 2, -Math.PI / 2);
  pen.arc(SIZE - 18, SIZE - 18, 18, -Math.PI / 2, Math.PI / 2);
  pen.fillStyle = "#1d2622";
  pen.fill();
  pen.font = "bold 28px system-ui, sans-serif";
  pen.fillStyle = "#fbfaf7";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(label, SIZE - wide / 2, SIZE - 17, wide - 8);
  return canvas.toDataURL("image/png");
}
