/** Somebody who watches the status page all the time. */
import type { SoakedGateway } from "./gateway.ts";

/** What the watcher has seen. */
export interface StatusWatch {
  /** Looks that were told. */
  readonly events: number;
  /** The longest time without one, ms. */
  readonly longestGapMs: number;
}

/** Begins to watch; the function that is returned ends that, and resolves to what was seen. */
export async function watchStatus(
  { metricsPort }: Pick<SoakedGateway, "metricsPort">,
): Promise<() => Promise<StatusWatch>> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/events`);
  if (response.body === null) throw new Error(`/events: ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let events = 0;
  let longestGapMs = 0;
  let lastAt = performance.now();
  function note(isEvent: boolean): void {
    const now = performance.now();
    longestGapMs = Math.max(longestGapMs, now - lastAt);
    if (!isEvent) return;
    events++;
    lastAt = now;
  }
  async function read(): Promise<void> {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      if (value.includes("\n\n")) note(true);
    }
  }
  const reading = read().catch(() => {});
  return async () => {
    note(false); // also if no more came
    await reader.cancel();
    await reading;
    return { events, longestGapMs };
  };
}
