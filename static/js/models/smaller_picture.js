// Makes a photograph smaller before it is sent, because the server stores only 2,048 px and about 200 KB of it, and
// over 750 kbit/s the 4 MB of a phone's camera take 37 s. The server still decides and checks.
//
// A large still JPEG, PNG or WebP is drawn to a canvas, upright as its EXIF says and in sRGB, as on the server. A JPEG
// stays a JPEG, so that the server treats it as a photograph. A picture that cannot be drawn here, is animated, or
// would not become much smaller is sent as it is.

// The same limits as on the server: chatserver/media/images.py.
const LONG_SIDE = 2048;
const SHORT_SIDE = 600;
const SIDE_MAX = 16_383;

// A picture of fewer bytes is sent unchanged. A result of more than TARGET times the stored size is encoded again.
const WORTH_BYTES = 600_000;
const TARGET = 2.25;
const WORTH_PART = 0.8;
const QUALITIES = [0.86, 0.76, 0.66];

const known = new WeakMap();

// A Blob: the picture made smaller, or `blob` itself. `stored_bytes` is the maximum size of a stored picture.
export function smallerPicture(blob, stored_bytes) {
  if (!known.has(blob)) known.set(blob, made(blob, stored_bytes).catch(() => blob));
  return known.get(blob);
}

async function made(blob, stored_bytes) {
  const type = { "image/jpeg": "image/jpeg", "image/png": "image/webp", "image/webp": "image/webp" }[blob.type];
  if (!type || blob.size < Math.max(WORTH_BYTES, TARGET * stored_bytes) || (await isAnimated(blob))) return blob;
  const address = URL.createObjectURL(blob);
  try {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    return await encoded(picture, type, TARGET * stored_bytes, blob);
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function encoded(picture, type, target, original) {
  const canvas = drawn(picture);
  if (!isFaithful()) return original;
  let smallest = original;
  for (const quality of QUALITIES) {
    const result = await new Promise((resolve) => canvas.toBlob(resolve, type, quality));
    // A browser that cannot write this type writes a PNG instead.
    if (result?.type !== type) break;
    if (result.size < smallest.size) smallest = result;
    if (result.size <= target) break;
  }
  canvas.width = 0; // Without this, Safari keeps the memory of a canvas for a while.
  return smallest.size <= WORTH_PART * original.size ? smallest : original;
}

// All supported browsers draw an image element upright, as its EXIF says.
function drawn(picture) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const scale = scaleOf(width, height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// The scale, at most 1. A long picture keeps its short side, so that a screenshot of a conversation can be read.
function scaleOf(width, height) {
  const long = Math.max(width, height);
  const short = Math.min(width, height);
  const readable = Math.min(SHORT_SIDE / short, LONG_SIDE / Math.sqrt(width * height), SIDE_MAX / long);
  return Math.min(1, Math.max(LONG_SIDE / long, readable));
}

// False if the browser returns other pixels than were drawn, to prevent fingerprinting.
function isFaithful() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const context = canvas.getContext("2d");
  const colours = [[200, 40, 90], [10, 160, 60], [30, 60, 220], [250, 250, 250]];
  colours.forEach((colour, i) => {
    context.fillStyle = `rgb(${colour.join(",")})`;
    context.fillRect(2 * i, 0, 2, 8);
  });
  const { data } = context.getImageData(0, 0, 8, 8);
  return colours.every((colour, i) => colour.every((value, channel) => Math.abs(data[4 * (8 * 4 + 2 * i) + channel] - value) < 8));
}

// An APNG is marked before the image data, an animated WebP in its header (RFC 9649, section 2.7.1.1).
async function isAnimated(blob) {
  const head = new Uint8Array(await blob.slice(0, 64 * 1024).arrayBuffer());
  const text = (from, to) => String.fromCharCode(...head.subarray(from, to));
  if (text(0, 4) === "RIFF") return text(12, 16) === "VP8X" && (head[20] & 2) !== 0;
  if (text(1, 4) !== "PNG") return false;
  for (let at = 8; at + 8 < head.length; ) {
    const name = text(at + 4, at + 8);
    if (name === "acTL") return true;
    if (name === "IDAT") return false;
    at += 12 + head[at] * 2 ** 24 + (head[at + 1] << 16) + (head[at + 2] << 8) + head[at + 3];
  }
  // The image data begins after the part that was read, so the picture may be animated.
  return true;
}
