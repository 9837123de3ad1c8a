// @ts-check
const KEPT_AS = "redrain.sound";

/** @typedef {[hz: number, atS: number, lengthS: number, loud: number]} Tone */

/** @type {Record<"tick" | "rush" | "coin", {tones: Tone[], shape: OscillatorType}>} */
const SOUNDS = {
  tick: { tones: [[880, 0, 0.07, 0.12]], shape: "sine" },
  rush: { tones: [[330, 0, 0.3, 0.08], [494, 0.08, 0.3, 0.08], [660, 0.16, 0.4, 0.1]], shape: "triangle" },
  coin: { tones: [[988, 0, 0.1, 0.14], [1319, 0.09, 0.4, 0.14]], shape: "square" },
};
const BUZZ = { tap: [18], win: [30, 40, 60] };

/** Sound, off until somebody switches it on, and vibration, where the device has one and motion is wanted. */
export class Feel {
  /** @param {boolean} calm whether motion is to be reduced */
  constructor(calm) {
    this._calm = calm;
    this.loud = kept() === "on";
    /** @type {AudioContext | null} */
    this._audio = null;
  }

  /** Switch the sound, remember it, and return whether it is on. */
  switch() {
    this.loud = !this.loud;
    try {
      localStorage.setItem(KEPT_AS, this.loud ? "on" : "off");
    } catch {
      // The choice then lasts as long as the page.
    }
    if (this.loud) this.sound("tick");
    return this.loud;
  }

  /** @param {keyof typeof SOUNDS} name */
  sound(name) {
    if (!this.loud) return;
    this._audio ??= new AudioContext();
    const audio = this._audio;
    const { tones, shape } = SOUNDS[name];
    for (const [hz, atS, lengthS, loud] of tones) {
      const start = audio.currentTime + atS;
      const tone = new OscillatorNode(audio, { type: shape, frequency: hz });
      const volume = new GainNode(audio, { gain: 0 });
      volume.gain.setValueAtTime(loud, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + lengthS);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + lengthS);
    }
  }

  /** @param {keyof typeof BUZZ} name */
  buzz(name) {
    if (!this._calm) navigator.vibrate?.(BUZZ[name]);
  }
}

function kept() {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null;
  }
}
