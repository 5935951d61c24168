// Two soft notes, made here. A browser lets a page sound only after its reader has touched it.

const NOTES_HZ = [660, 880];
const NOTE_S = 0.16;
const QUIET_MS = 2000;

let output = null;
let rangAt = -Infinity;

// At most once in two seconds, however much is said.
export function ring() {
  if (performance.now() - rangAt < QUIET_MS) return;
  rangAt = performance.now();
  output ??= new AudioContext();
  output.resume();
  NOTES_HZ.forEach((hertz, i) => play(hertz, output.currentTime + i * NOTE_S));
}

function play(hertz, at) {
  const tone = new OscillatorNode(output, { frequency: hertz });
  const volume = new GainNode(output, { gain: 0 });
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.15, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S * 1.5);
  tone.connect(volume).connect(output.destination);
  tone.start(at);
  tone.stop(at + NOTE_S * 1.6);
}
