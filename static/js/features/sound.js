// A sound of two soft notes, generated here. A browser allows it only after a click or a key on the page.

const NOTES_HZ = [660, 880];
const NOTE_S = 0.16;
const AT_MOST_EVERY_MS = 2000;

let output = null;
let playedAt = -Infinity;

// Play the sound at most once in two seconds, even if many messages arrive.
export function play() {
  if (performance.now() - playedAt < AT_MOST_EVERY_MS) return;
  playedAt = performance.now();
  output ??= new AudioContext();
  output.resume();
  NOTES_HZ.forEach((hertz, i) => playNote(hertz, output.currentTime + i * NOTE_S));
}

function playNote(hertz, at) {
  const tone = new OscillatorNode(output, { frequency: hertz });
  const volume = new GainNode(output, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.15, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S * 1.5);
  tone.connect(volume).connect(output.destination);
  tone.start(at);
  tone.stop(at + NOTE_S * 1.6);
}
