/** The memory of the process that JavaScript does not see, bytes: how much that is, and how much it may be. */

/** Returns what tells how much the process takes, except for the memory that JavaScript sees. */
export function createNativeBytes(
  memoryUsage: () => Deno.MemoryUsage = Deno.memoryUsage,
): () => number {
  let lastRss = 0;
  /** What JavaScript sees, or has let go of: V8 and the C library keep that, for the next who asks, until rss shrinks. */
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

/** What one takes of which the last request does not end, bytes: measured (1,000 of them: 125 MiB). */
const OPEN_TLS_BYTES = 128 * 1024;

/** How much of the memory idle ones may take. */
const IDLE_TLS_SHARE = 1 / 8;

/** The least that Deno and the C library take for themselves, bytes; and in budgets: 192 MiB of the 512 of the default. */
const MIN_RUNTIME_BYTES = 48 * 1024 * 1024;
const RUNTIME_BUDGETS = 3;

/** How much of the memory may be hidden, at least and at most, before anything is dropped. */
const HIDDEN_SHARE = 1 / 4;
const MAX_HIDDEN_SHARE = 1 / 2;

/**
 * How much of it the process may take in all, before anything is dropped, and before everything is: the kernel needs
 * some for connections. What it charges (/sys/fs/cgroup) Deno reads with all permissions only.
 */
export const USED_SHARE = 3 / 4;
export const MAX_USED_SHARE = 7 / 8;

/** The memory that there is if that is not known, bytes. */
const UNKNOWN_BYTES = 512 * 1024 * 1024;

interface MemoryFacts {
  /** What the process hides when it starts. */
  readonly startBytes: number;
  readonly bufferBudgetBytes: number;
  /** What its container or the machine has; undefined if that is not known. */
  readonly limitBytes: number | undefined;
}

type Open = Record<"exchanges" | "tunnels" | "tlsConnections", number>;

/** How much may be hidden while so much is open. */
export function expectedBytes(
  { exchanges, tunnels, tlsConnections }: Open,
  { startBytes, bufferBudgetBytes, limitBytes }: MemoryFacts,
): number {
  const runtimeBytes = RUNTIME_BUDGETS * bufferBudgetBytes;
  const idleBytes = Math.max(
    startBytes + Math.max(MIN_RUNTIME_BYTES, runtimeBytes) + bufferBudgetBytes,
    (limitBytes ?? 0) * HIDDEN_SHARE,
  );
  const bytes = idleBytes + exchanges * FRONT_BYTES +
    tunnels * BUFFER_ALLOWANCE_BYTES + tlsConnections * TLS_BYTES;
  return Math.min(bytes, (limitBytes ?? Infinity) * MAX_HIDDEN_SHARE);
}

/** How much the process takes beyond this share of its memory, hidden or not, bytes; below 0 if less. */
export function bytesBeyond(
  share: number,
  limitBytes = UNKNOWN_BYTES,
  { rss }: Pick<Deno.MemoryUsage, "rss"> = Deno.memoryUsage(),
): number {
  return rss - share * limitBytes;
}

/** How many connections may be idle with TLS by the gateway itself. */
export function maxIdleTlsConnections(limitBytes = UNKNOWN_BYTES): number {
  return Math.floor(IDLE_TLS_SHARE * limitBytes / OPEN_TLS_BYTES);
}
