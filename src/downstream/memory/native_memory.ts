/** The memory of the process that JavaScript does not see, bytes: how much that is, and how much it may be. */

/**
 * Returns what tells how much the process takes, except for the memory that JavaScript sees. What JavaScript has let go
 * of, its heap as well as what it keeps outside, stays with V8 and the C library for a while, which give it to the next
 * who asks: it is not counted until the process shrinks.
 */
export function createNativeBytes(
  memoryUsage: () => Deno.MemoryUsage = Deno.memoryUsage,
): () => number {
  let lastRss = 0;
  /** What JavaScript sees, or has seen. */
  let kept = 0;
  return () => {
    const { rss, heapTotal, external } = memoryUsage();
    kept = Math.max(heapTotal + external, kept - Math.max(0, lastRss - rss));
    lastRss = rss;
    return rss - kept;
  };
}

/** What one request or WebSocket may buffer whatever is buffered for the others, bytes. */
export const BUFFER_ALLOWANCE_BYTES = 64 * 1024;

/** What Deno buffers for one exchange, bytes: measured with downloads that nobody reads. */
const FRONT_BYTES = 256 * 1024;

/** What a connection takes with TLS by the gateway itself, even if it is idle, bytes: measured. */
const TLS_BYTES = 80 * 1024;

/** The least that Deno and the C library take for themselves in the course of time, bytes. */
const MIN_RUNTIME_BYTES = 48 * 1024 * 1024;

/** The least that these take in budgets, which grow with the memory: 192 MiB of the 512 of the default. */
const RUNTIME_BUDGETS = 3;

/**
 * How much of its container, or of the machine, the process may come to hide before anything is dropped for it: less than
 * what its JavaScript sees, what the kernel buffers for it, and other processes leave.
 */
const HIDDEN_SHARE = 1 / 4;

/** How much memory there is, bytes. */
interface MemoryFacts {
  /** What the process hides when it starts. */
  readonly startBytes: number;
  readonly bufferBudgetBytes: number;
  /** What it may take in all; undefined if that is not known. */
  readonly limitBytes: number | undefined;
}

/** What is open. */
interface Open {
  readonly exchanges: number;
  readonly tunnels: number;
  readonly tlsConnections: number;
}

/** Returns what tells how much may be hidden while so much is open. */
export function createExpectedBytes(
  { startBytes, bufferBudgetBytes, limitBytes = 0 }: MemoryFacts,
): (open: Open) => number {
  const runtimeBytes = Math.max(
    MIN_RUNTIME_BYTES,
    RUNTIME_BUDGETS * bufferBudgetBytes,
  );
  const bytes = Math.max(
    startBytes + runtimeBytes + bufferBudgetBytes,
    limitBytes * HIDDEN_SHARE,
  );
  return ({ exchanges, tunnels, tlsConnections }) =>
    bytes + exchanges * FRONT_BYTES + tunnels * BUFFER_ALLOWANCE_BYTES +
    tlsConnections * TLS_BYTES;
}
