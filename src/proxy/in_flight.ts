/** The registry of exchanges and tunnels in flight: counted for the limits, awaited and aborted on shutdown. */

/** Why the gateway itself ends an exchange or tunnel. */
export type AbortReason =
  /** The gateway is shutting down. */
  | "going_away"
  /** The client has stopped reading. */
  | "stalled"
  /** The caller's access was revoked. */
  | "access_revoked";

/** Controls an upload, a download or a tunnel while it lasts. */
export interface StreamHandle {
  /** Ends it from our side. */
  abort(reason: AbortReason): void;
  /** Since when the client has not read what is ready for it, ms by `performance.now()`; undefined if nothing is. */
  stalledSince?(): number | undefined;
  /** Whether the caller still has access. Never rejects. */
  recheck(): Promise<boolean>;
}

/** The place of one exchange or tunnel in the registry. */
export interface InFlightEntry {
  /** Counts it against the sandbox's limit; false if that is reached. */
  reserveFor(sandboxId: string): boolean;
  /** Counts it as a WebSocket; false if there are too many already. */
  reserveTunnel(): boolean;
  /** Registers the handle of one that lasts, in place of an earlier one. */
  setHandle(handle: StreamHandle): void;
  /** Takes it out of the registry; idempotent. */
  end(): void;
}

/** Everything that would be lost if the process ended now. */
export interface InFlight {
  /** Adds an exchange or tunnel; undefined if the limit is reached. */
  begin(): InFlightEntry | undefined;
  readonly count: number;
  /** How many of them are WebSockets. */
  readonly tunnelCount: number;
  /** Resolves once nothing is in flight. */
  idle(): Promise<void>;
  /** Resolves once no WebSocket is. */
  noTunnels(): Promise<void>;
  /** Makes {@linkcode InFlight.drained} wait for what is in flight now; only the first call counts. */
  beginDrain(): void;
  /**
   * Resolves once everything that was in flight at {@linkcode InFlight.beginDrain} has ended; begins the drain if need
   * be.
   */
  drained(): Promise<void>;
  /** Aborts everything that streams. */
  abortAll(): void;
  /** Aborts what has been stalled since `since` or longer, ms by `performance.now()`. */
  abortStalled(since: number): void;
  /**
   * Aborts what streams to or from callers who have lost access. Resolves once all have been rechecked, or at once if
   * an earlier call is still doing so.
   */
  recheckAll(): Promise<void>;
}

/** How many rechecks run at once: each may take an API call. */
const RECHECK_BATCH = 32;

/** A counter whose zero can be awaited. */
class Count {
  #value: number;
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(value = 0) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  increment(): void {
    this.#value++;
  }

  decrement(): void {
    if (--this.#value > 0) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  zero(): Promise<void> {
    if (this.#value === 0) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }
}

/** How many ids at zero are kept all the same. */
const MAX_ZEROS = 1000;

/**
 * A counter for each id. Ids at zero stay in the map for a while: adding and deleting a key with every exchange makes
 * the Map rehash again and again, and V8 links each outgrown table to the next, so that scavenges free none of them.
 */
class CountById {
  readonly #counts = new Map<string, number>();
  #zeros = 0;

  /** Counts one more; false if there are `limit` already. */
  increment(id: string, limit: number): boolean {
    const count = this.#counts.get(id);
    if ((count ?? 0) >= limit) return false;
    if (count === 0) this.#zeros--;
    this.#counts.set(id, (count ?? 0) + 1);
    return true;
  }

  decrement(id: string): void {
    const remaining = (this.#counts.get(id) ?? 1) - 1;
    this.#counts.set(id, remaining);
    if (remaining === 0 && ++this.#zeros > MAX_ZEROS) this.#deleteZeros();
  }

  #deleteZeros(): void {
    for (const [id, count] of this.#counts) {
      if (count === 0) this.#counts.delete(id);
    }
    this.#zeros = 0;
  }
}

/** How many exchanges and tunnels there may be at once. */
export interface InFlightLimits {
  readonly all: number;
  readonly perSandbox: number;
  /** WebSockets among them. */
  readonly tunnels: number;
}

/**
 * Creates a registry. Most exchanges end with their response head and are only counted: a collection of all of them
 * would be a long-lived object that points the garbage collector at every short-lived one.
 */
export function createInFlight(limits: InFlightLimits): InFlight {
  const all = new Count();
  const tunnels = new Count();
  const bySandbox = new CountById();
  const streaming = new Set<StreamHandle>();
  /** What was in flight when the drain began. */
  let draining: Count | undefined;
  let isRechecking = false;

  class CountedEntry implements InFlightEntry {
    readonly #isBeforeDrain = draining === undefined;
    #sandboxId: string | undefined;
    #isTunnel = false;
    #handle: StreamHandle | undefined;
    #hasEnded = false;

    reserveFor(sandboxId: string): boolean {
      if (!bySandbox.increment(sandboxId, limits.perSandbox)) return false;
      this.#sandboxId = sandboxId;
      return true;
    }

    reserveTunnel(): boolean {
      if (tunnels.value >= limits.tunnels) return false;
      if (this.#hasEnded || this.#isTunnel) return true;
      this.#isTunnel = true;
      tunnels.increment();
      return true;
    }

    setHandle(handle: StreamHandle): void {
      if (this.#hasEnded) return;
      if (this.#handle !== undefined) streaming.delete(this.#handle);
      this.#handle = handle;
      streaming.add(handle);
    }

    end(): void {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      all.decrement();
      if (this.#isTunnel) tunnels.decrement();
      if (this.#isBeforeDrain) draining?.decrement();
      if (this.#handle !== undefined) streaming.delete(this.#handle);
      if (this.#sandboxId !== undefined) bySandbox.decrement(this.#sandboxId);
    }
  }

  async function recheck(handle: StreamHandle): Promise<void> {
    if (!streaming.has(handle)) return;
    const hasAccess = await handle.recheck();
    if (!hasAccess && streaming.has(handle)) handle.abort("access_revoked");
  }

  function beginDrain(): Count {
    return draining ??= new Count(all.value);
  }

  return {
    begin() {
      if (all.value >= limits.all) return undefined;
      all.increment();
      return new CountedEntry();
    },
    get count() {
      return all.value;
    },
    get tunnelCount() {
      return tunnels.value;
    },
    idle: () => all.zero(),
    noTunnels: () => tunnels.zero(),
    beginDrain() {
      beginDrain();
    },
    drained: () => beginDrain().zero(),
    abortAll() {
      for (const handle of [...streaming]) handle.abort("going_away");
    },
    abortStalled(since) {
      for (const handle of [...streaming]) {
        if ((handle.stalledSince?.() ?? Infinity) <= since) {
          handle.abort("stalled");
        }
      }
    },
    async recheckAll() {
      if (isRechecking) return;
      isRechecking = true;
      try {
        const waiting = [...streaming];
        while (waiting.length > 0) {
          await Promise.all(waiting.splice(0, RECHECK_BATCH).map(recheck));
        }
      } finally {
        isRechecking = false;
      }
    },
  };
}
