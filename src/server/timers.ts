/** Timers that look after what lasts. */
import type { InFlight } from "../proxy/in_flight.ts";

interface Ticking {
  tick(): void;
}

interface SelfPaced {
  /** Returns the time until the next tick, ms. */
  tick(): number;
}

/**
 * Time between two rechecks of the access behind tunnels and streams, ms. With the 5 s for which a signed link may
 * outlive its end, that makes 30 s until what it opened ends.
 */
const RECHECK_INTERVAL_MS = 25_000;

/** Time between two looks for tunnels and streams that have stalled, or whose use must be reported again, and for runners that do not answer, ms. */
const TICK_MS = 5_000;

/**
 * Starts the timers that look after tunnels and streams, which keep no process alive; returns a function to stop them.
 * A body of which nothing is taken for `bodyIdleTimeoutMs` ends; 0 for no limit.
 */
export function startTimers(
  bodyIdleTimeoutMs: number,
  inFlight: InFlight,
  ticking: readonly Ticking[],
  garbageWatch: SelfPaced | undefined,
): () => void {
  const timers = [
    setInterval(() => inFlight.recheckAll(), RECHECK_INTERVAL_MS),
    setInterval(() => {
      for (const each of ticking) each.tick();
      if (bodyIdleTimeoutMs > 0) {
        inFlight.abortStalled(performance.now() - bodyIdleTimeoutMs);
      }
    }, TICK_MS),
  ];
  timers.forEach((timer) => Deno.unrefTimer(timer));
  const stopWatch = garbageWatch && startSelfPaced(garbageWatch);
  return () => {
    timers.forEach((timer) => clearInterval(timer));
    stopWatch?.();
  };
}

function startSelfPaced(ticking: SelfPaced): () => void {
  let timer: ReturnType<typeof setTimeout>;
  function tick() {
    timer = setTimeout(tick, ticking.tick());
    Deno.unrefTimer(timer);
  }
  tick();
  return () => clearTimeout(timer);
}
