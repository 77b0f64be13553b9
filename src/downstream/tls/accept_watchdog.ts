/**
 * Deno 2.9.6: when file descriptors run out, the accept loop of a `node:net` or `node:tls` server ends silently and for
 * good. The port still looks open, but nobody is served. (Node goes on; `Deno.serve` says so, see
 * platform/accept_again.ts.) No upstream issue is known.
 *
 * Instead, a watchdog connects to the server now and then, and notices if that goes unnoticed: the port is opened again.
 */

/** Time between two checks, ms. A server that is merely busy accepts again sooner than that. */
const CHECK_INTERVAL_MS = 2000;

/** Checks in a row that found no accepted connection, in spite of a probe, after which the server has failed. */
const MISSES_TO_FAIL = 2;

interface AcceptWatch {
  /** Rejects when the server accepts no more connections; pending otherwise. */
  readonly failed: Promise<never>;
  /** To be called for each connection that the server accepts. */
  onAccept(): void;
  stop(): void;
}

/**
 * Watches a server, and connects to it itself if no client has since the last check: by `probe`, which rejects if it cannot,
 * at most `tries` times until it is accepted, more than once if other processes share the port.
 */
export function watchAccepting(
  probe: (signal: AbortSignal) => Promise<void>,
  tries = 1,
): AcceptWatch {
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // not an unhandled rejection if nobody awaits it
  let hasAccepted = true;
  let hasProbed = false;
  let misses = 0;
  let probing = new AbortController();

  async function probeUntilAccepted(signal: AbortSignal): Promise<void> {
    for (let i = 0; i < tries && !hasAccepted && !signal.aborted; i++) {
      await probe(signal);
    }
  }

  function check(): void {
    // A probe that is still connecting has found the backlog full.
    probing.abort();
    if (hasAccepted) misses = 0;
    else if (hasProbed) misses++;
    if (misses === MISSES_TO_FAIL) {
      clearInterval(timer);
      return failed.reject(new Error("Cannot accept connections"));
    }
    hasProbed = !hasAccepted;
    hasAccepted = false;
    if (!hasProbed) return;
    probing = new AbortController();
    const { signal } = probing;
    probeUntilAccepted(signal).catch(() => {
      // Running out of descriptors ourselves says nothing about the server.
      if (!signal.aborted) hasProbed = false;
    });
  }

  const timer = setInterval(check, CHECK_INTERVAL_MS);
  Deno.unrefTimer(timer);
  return {
    failed: failed.promise,
    onAccept() {
      hasAccepted = true;
    },
    stop() {
      clearInterval(timer);
      probing.abort();
    },
  };
}
