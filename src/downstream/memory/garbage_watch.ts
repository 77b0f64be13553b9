/** Has garbage collected before memory gets short: nobody's WebSocket is to be dropped for what nobody uses. */

interface GarbageWatchOptions {
  /** What the process takes, bytes. */
  readonly usedBytes: () => number;
  /** What it may take, bytes. */
  readonly limitBytes: number;
  readonly collect: () => void;
}

/** The part of the memory below which garbage is left to V8: dropping begins at three quarters. */
const USED_SHARE = 5 / 8;

/** It is collected for each growth by such a part of the memory: what is in use may be as much for long. */
const STEP_SHARE = 1 / 16;

/** Time until the next look, ms: connections that come and go make 10 MB of garbage in 200 ms. */
const PAUSE_MS = 200;

/** The pause of a process which takes less than half of its memory: one at rest is to be left asleep. */
const RELAXED_PAUSE_MS = 500;

export class GarbageWatch {
  readonly #options: GarbageWatchOptions;
  /** The least since it was collected last, or then, bytes. */
  #lowestBytes = Infinity;

  constructor(options: GarbageWatchOptions) {
    this.#options = options;
  }

  /** Collects if it is time to; returns the time until the next look, ms. */
  tick(): number {
    const { usedBytes, limitBytes, collect } = this.#options;
    const used = usedBytes();
    this.#lowestBytes = Math.min(this.#lowestBytes, used);
    const hasGrown = used >= this.#lowestBytes + STEP_SHARE * limitBytes;
    if (hasGrown && used >= USED_SHARE * limitBytes) {
      collect();
      this.#lowestBytes = usedBytes();
    }
    return used < limitBytes / 2 ? RELAXED_PAUSE_MS : PAUSE_MS;
  }
}
