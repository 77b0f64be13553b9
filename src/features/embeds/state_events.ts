/** How a preview is, as events (HTML standard, "Server-sent events"): at once, and whenever that changes. */
import { ERRORS } from "../../error_codes.ts";
import type { ErrorCode } from "../../errors.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import type { FrameState } from "../../pages/frame_state.ts";
import type { BodyReader, Bytes } from "../../upstream/http1/body_reader.ts";

/** What is told of a preview. */
export interface ToldState {
  readonly state: FrameState;
  readonly code: ErrorCode | null;
  readonly port: number;
  readonly ready: boolean;
  readonly retryAfterSec?: number;
}

interface StateEventsOptions {
  readonly look: () => Promise<ToldState>;
  readonly now: () => number;
  /** Aborted when nobody is to wait any more. */
  readonly draining: AbortSignal;
}

/** Time after which there is a sign of life at the latest, ms; an app that is ready is asked as seldom. */
const BEAT_MS = 15_000;

/** Time between two looks at what passes by itself, and at what somebody has to change, ms. */
const SOON_MS = 1000;
const LATER_MS = 5000;

/** The body of a response with the events. */
export class StateEvents implements BodyReader {
  readonly #options: Omit<StateEventsOptions, "draining">;
  readonly #left = new AbortController();
  /** Aborted when whoever listens has left, or nobody is to listen any more. */
  readonly #end: AbortSignal;
  #latest: ToldState | undefined;
  #told = "";
  #beat = 0;

  constructor({ draining, ...options }: StateEventsOptions) {
    this.#options = options;
    this.#end = AbortSignal.any([draining, this.#left.signal]);
  }

  /** The next event or sign of life; null once the preview has ended for whoever listens, or nobody does. */
  async read(): Promise<Bytes | null> {
    const { look, now } = this.#options;
    for (;;) {
      const latest = this.#latest;
      if (latest !== undefined) {
        if (latest.state === "ended") return null;
        await this.#pause(latest);
        if (this.#end.aborted) return null;
      }
      this.#latest = await look();
      const text = JSON.stringify(this.#latest);
      const beat = Math.floor(now() / BEAT_MS);
      const isNew = text !== this.#told;
      if (!isNew && beat === this.#beat) continue;
      this.#told = text;
      this.#beat = beat;
      return new TextEncoder().encode(isNew ? `data: ${text}\n\n` : ":\n\n");
    }
  }

  cancel(): void {
    this.#left.abort();
  }

  /** Until the next look is due, which is at the same time for all who listen. */
  async #pause(latest: ToldState): Promise<void> {
    const paceMs = paceOf(latest);
    const leftMs = paceMs - this.#options.now() % paceMs;
    await fulfilsWithin(new Promise(() => {}), leftMs, this.#end);
  }
}

function paceOf({ code }: ToldState): number {
  if (code === null) return BEAT_MS;
  return ERRORS[code].passes === "by_itself" ? SOON_MS : LATER_MS;
}
