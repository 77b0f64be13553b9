/** How a preview is, as events (HTML standard, "Server-sent events"): at once, and whenever that changes. */
import { ERRORS } from "../../error_codes.ts";
import type { ErrorCode } from "../../errors.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import type { FrameState } from "../../pages/frame_state.ts";
import type { BodyReader, Bytes } from "../../stream/body_reader.ts";

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

/** The body of a response with the events, until the preview has ended for whoever listens, or nobody does. */
export function stateEvents(
  { draining, ...options }: StateEventsOptions,
): BodyReader {
  const left = new AbortController();
  const end = AbortSignal.any([draining, left.signal]);
  const events = eventsUntil(end, options);
  return {
    read: async () => (await events.next()).value ?? null,
    cancel: () => left.abort(),
  };
}

async function* eventsUntil(
  end: AbortSignal,
  { look, now }: Omit<StateEventsOptions, "draining">,
): AsyncGenerator<Bytes, void> {
  let told = "";
  let beat = 0;
  for (;;) {
    const latest = await look();
    const text = JSON.stringify(latest);
    const isNew = text !== told;
    if (isNew || beat !== Math.floor(now() / BEAT_MS)) {
      told = text;
      beat = Math.floor(now() / BEAT_MS);
      yield new TextEncoder().encode(isNew ? `data: ${text}\n\n` : ":\n\n");
    }
    if (latest.state === "ended") return;
    // All who listen look at the same time.
    const paceMs = paceOf(latest);
    await fulfilsWithin(new Promise(() => {}), paceMs - now() % paceMs, end);
    if (end.aborted) return;
  }
}

function paceOf({ code }: ToldState): number {
  if (code === null) return BEAT_MS;
  return ERRORS[code].passes === "by_itself" ? SOON_MS : LATER_MS;
}
