/** What is going on right now: exchanges and tunnels, counted for the limit and awaited on the way out. */

/** Why something is ended from our side. */
export type AbortReason =
  /** The gateway goes away. */
  | "going_away"
  /** Its client takes nothing of it any more. */
  | "stalled"
  /** Whoever opened it may not go on with it. */
  | "right_ended";

/** How to deal with an exchange or tunnel that goes on after its answer has begun. */
export interface Lasting {
  /** Ends it from our side. */
  abort(reason: AbortReason): void;
  /** Since when its client has taken nothing of what waits for it, ms by `performance.now()`; undefined where nothing waits. */
  stalledSince?(): number | undefined;
  /** Whether whoever opened it still may. Never rejects. */
  recheck?(): Promise<boolean>;
}

/** One exchange or tunnel. */
export interface Flight {
  /** Tells which sandbox it is for; false where that has too many already. */
  isFor(sandboxId: string): boolean;
  /** Tells that it is a WebSocket; false where there are too many already. */
  becomeTunnel(): boolean;
  /** Tells, once, that it lasts, and how to deal with it. */
  lasts(lasting: Lasting): void;
  /** Tells that it is over; a second call does nothing. */
  end(): void;
}

/** The registry of everything that would be lost if the process ended now. */
export interface InFlight {
  /** Begins an exchange or tunnel; undefined where the limit is reached. */
  begin(): Flight | undefined;
  readonly count: number;
  /** How many of them are WebSockets. */
  readonly tunnelCount: number;
  /** Resolves when nothing is in flight. */
  idle(): Promise<void>;
  /** Resolves when no WebSocket is. */
  tunnelsOver(): Promise<void>;
  /** Resolves when what was in flight at the first call is over, whatever began since. */
  theseOver(): Promise<void>;
  /** Ends from our side whatever can be ended so. */
  abortAll(): void;
  /** Ends those whose client has taken nothing since `since`, ms by `performance.now()`. */
  endStalled(since: number): void;
  /** Ends what lasts and has lost its right; resolves when all of it was asked, or at once while that is under way. */
  recheckAll(): Promise<void>;
}

/** Rechecks under way at once: each may be a question to the API. */
const RECHECK_BATCH = 32;

/** How many there are of something, and who waits for the last of them. */
class Count {
  #value: number;
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(value = 0) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  begin(): void {
    this.#value++;
  }

  end(): void {
    if (--this.#value > 0) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  none(): Promise<void> {
    if (this.#value === 0) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }
}

/** Sandboxes that are remembered although nothing is in flight for them. */
const MAX_RESTING = 1000;

/**
 * How much is in flight for each sandbox. One that comes to rest stays for a time: a Map that is entered and left by
 * every exchange is made anew all the time, and V8 keeps each such one for the sake of the next.
 */
class CountById {
  readonly #counts = new Map<string, number>();
  #resting = 0;

  /** Counts one more, unless there are `limit` already. */
  begin(id: string, limit: number): boolean {
    const count = this.#counts.get(id);
    if ((count ?? 0) >= limit) return false;
    if (count === 0) this.#resting--;
    this.#counts.set(id, (count ?? 0) + 1);
    return true;
  }

  end(id: string): void {
    const others = (this.#counts.get(id) ?? 1) - 1;
    this.#counts.set(id, others);
    if (others === 0 && ++this.#resting > MAX_RESTING) this.#forgetResting();
  }

  #forgetResting(): void {
    for (const [id, count] of this.#counts) {
      if (count === 0) this.#counts.delete(id);
    }
    this.#resting = 0;
  }
}

/** How many flights there may be. */
export interface InFlightLimits {
  readonly all: number;
  readonly perSandbox: number;
  /** Those that are WebSockets. */
  readonly tunnels: number;
}

/**
 * Creates a registry. Most exchanges are over when their answer is there, and are only counted: a collection of all of
 * them would be the one thing that lives on and leads the garbage collector to what they are made of.
 */
export function createInFlight(limits: InFlightLimits): InFlight {
  const all = new Count();
  const tunnels = new Count();
  const bySandbox = new CountById();
  const lasting = new Set<Lasting>();
  /** Those that had begun when somebody first asked. */
  let these: Count | undefined;
  let isRechecking = false;

  class CountedFlight implements Flight {
    readonly #isOneOfThese = these === undefined;
    #sandboxId: string | undefined;
    #isTunnel = false;
    #lasting: Lasting | undefined;
    #isOver = false;

    isFor(sandboxId: string): boolean {
      if (!bySandbox.begin(sandboxId, limits.perSandbox)) return false;
      this.#sandboxId = sandboxId;
      return true;
    }

    becomeTunnel(): boolean {
      if (tunnels.value >= limits.tunnels) return false;
      if (this.#isOver || this.#isTunnel) return true;
      this.#isTunnel = true;
      tunnels.begin();
      return true;
    }

    lasts(what: Lasting): void {
      if (this.#isOver) return;
      this.#lasting = what;
      lasting.add(what);
    }

    end(): void {
      if (this.#isOver) return;
      this.#isOver = true;
      all.end();
      if (this.#isTunnel) tunnels.end();
      if (this.#isOneOfThese) these?.end();
      if (this.#lasting !== undefined) lasting.delete(this.#lasting);
      if (this.#sandboxId !== undefined) bySandbox.end(this.#sandboxId);
    }
  }

  async function recheck(one: Lasting): Promise<void> {
    if (!lasting.has(one)) return;
    const mayGoOn = await one.recheck?.();
    if (mayGoOn === false && lasting.has(one)) one.abort("right_ended");
  }

  return {
    begin() {
      if (all.value >= limits.all) return undefined;
      all.begin();
      return new CountedFlight();
    },
    get count() {
      return all.value;
    },
    get tunnelCount() {
      return tunnels.value;
    },
    idle: () => all.none(),
    tunnelsOver: () => tunnels.none(),
    theseOver() {
      these ??= new Count(all.value);
      return these.none();
    },
    abortAll() {
      for (const one of [...lasting]) one.abort("going_away");
    },
    endStalled(since) {
      for (const one of [...lasting]) {
        if ((one.stalledSince?.() ?? Infinity) <= since) one.abort("stalled");
      }
    },
    async recheckAll() {
      if (isRechecking) return;
      isRechecking = true;
      try {
        const waiting = [...lasting];
        while (waiting.length > 0) {
          await Promise.all(waiting.splice(0, RECHECK_BATCH).map(recheck));
        }
      } finally {
        isRechecking = false;
      }
    },
  };
}
