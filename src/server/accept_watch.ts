/**
 * Finds out that a server accepts no more. The accept loop of Deno's node:net ends without a word, and for good, where
 * file descriptors run out: the port then looks open and answers nobody.
 */

/** How often a server is looked at, ms; it may be busy with something else for less than that. */
const LOOK_MS = 2000;

/** So many looks in a row must have found nothing accepted although somebody knocked. */
const MISSES_TO_FAIL = 2;

/** A running watch. */
export interface AcceptWatch {
  /** Rejects when the server accepts no more; pending otherwise. */
  readonly failed: Promise<never>;
  /** Ends the watch. */
  stop(): void;
}

/** What is watched, and how. */
export interface AcceptWatchOptions {
  /** Calls back with each connection that the server has accepted. */
  readonly onAccept: (callback: () => void) => void;
  /** Opens a connection to the server and closes it again; rejects where that cannot be. */
  readonly knock: (signal: AbortSignal) => Promise<void>;
  /** @default {2000} */
  readonly lookMs?: number;
}

/** Watches a server; where nobody comes by, it knocks itself. */
export function watchAccepting(
  { onAccept, knock, lookMs = LOOK_MS }: AcceptWatchOptions,
): AcceptWatch {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // whoever wants to know has asked
  let hasAccepted = true;
  let hasKnocked = false;
  let misses = 0;
  let knocking = new AbortController();

  function look(): void {
    // One that is still waiting has found the backlog full.
    knocking.abort();
    if (hasAccepted) misses = 0;
    else if (hasKnocked) misses++;
    if (misses === MISSES_TO_FAIL) {
      clearInterval(timer);
      return failed.reject(new Error("Cannot accept connections"));
    }
    hasKnocked = !hasAccepted;
    hasAccepted = false;
    if (!hasKnocked) return;
    knocking = new AbortController();
    const { signal } = knocking;
    knock(signal).catch(() => {
      // Our own lack of descriptors says nothing about the server.
      if (!signal.aborted) hasKnocked = false;
    });
  }

  onAccept(() => {
    hasAccepted = true;
  });
  const timer = setInterval(look, lookMs);
  Deno.unrefTimer(timer);
  return {
    failed: failed.promise,
    stop() {
      clearInterval(timer);
      knocking.abort();
    },
  };
}
