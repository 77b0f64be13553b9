/**
 * How sandboxes come from one state to the next: in the real one's steps, and by a clock that tests can replace. The
 * times are those of a small sandbox at the real one.
 */
import type { Refusal } from "./api_refusal.ts";
import type { ApiSandbox, ApiState } from "./api_state.ts";
import { startRefusal } from "./start_refusal.ts";

/** What tells the time, and calls back later. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back after `ms`; what it returns cancels that. */
  after(ms: number, callback: () => void): () => void;
}

/** The clock of this machine, or what a test has put in its place. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A start answers after this time at the latest, whatever has become of it by then. */
const LONGEST_ANSWER_MS = 30_000;

/** A state that a sandbox is in for some time, before the next. */
type Step = readonly [ms: number, next: string];

/** Starts, stops, archives and destroys sandboxes. */
export class Lifecycle {
  /** How long the runner takes for its jobs, ms; tests may change it. */
  readonly jobs = {
    startMs: 4000,
    restoreMs: 3000,
    stopMs: 800,
    archiveMs: 15_000,
    destroyMs: 800,
  };
  /** Called after each change of a sandbox's state. */
  readonly watchers = new Set<(sandbox: ApiSandbox) => void>();
  readonly #state: ApiState;
  readonly #clock: Clock;
  /** By sandbox id: cancels the step that comes next. */
  readonly #steps = new Map<string, () => void>();
  /** By sandbox id: those who wait for it to come to rest. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(state: ApiState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** Starts a sandbox; waits until it is started or has failed, or 30 s, except for an archived one. */
  async start(sandbox: ApiSandbox): Promise<Refusal | undefined> {
    const { startMs, restoreMs } = this.jobs;
    const refusal = startRefusal(sandbox, this.#state);
    if (refusal !== undefined || sandbox.state === "started") return refusal;
    const { state } = sandbox;
    sandbox.desiredState = "started";
    sandbox.authToken = newToken();
    if (state === "archived") {
      this.#go(sandbox, [[500, "restoring"], [restoreMs, "started"]]);
      return undefined;
    }
    // The archiving of one goes on until its backup is complete.
    const steps: Step[] = [[startMs, "started"]];
    if (state === "archiving") steps.unshift([1000, "starting"]);
    else this.#enter(sandbox, "starting");
    this.#go(sandbox, steps);
    return await this.#outcome(sandbox);
  }

  /** Starts a sandbox that failed and can be recovered; waits like a start. */
  async recover(sandbox: ApiSandbox): Promise<Refusal | undefined> {
    if (sandbox.state !== "error" || sandbox.recoverable !== true) {
      return {
        refused: 400,
        message: "Sandbox is not in a recoverable state",
      };
    }
    delete sandbox.errorReason;
    delete sandbox.recoverable;
    sandbox.desiredState = "started";
    this.#enter(sandbox, "starting");
    this.#go(sandbox, [[this.jobs.startMs, "started"]]);
    return await this.#outcome(sandbox);
  }

  /** Begins to stop a sandbox that is started. */
  stop(sandbox: ApiSandbox): void {
    sandbox.desiredState = "stopped";
    this.#go(sandbox, [[100, "stopping"], [this.jobs.stopMs, "stopped"]]);
  }

  /** Begins to archive a sandbox that is stopped. */
  archive(sandbox: ApiSandbox): void {
    sandbox.desiredState = "archived";
    this.#enter(sandbox, "archiving");
    this.#go(sandbox, [[this.jobs.archiveMs, "archived"]]);
  }

  /** Begins to destroy a sandbox. */
  destroy(sandbox: ApiSandbox): void {
    sandbox.desiredState = "destroyed";
    this.#enter(sandbox, "destroying");
    this.#go(sandbox, [[this.jobs.destroyMs, "destroyed"]]);
  }

  /** Answers everybody who waits; what has begun goes on. */
  release(): void {
    for (const waiting of this.#waiting.values()) {
      for (const resolve of waiting) resolve();
    }
  }

  /** Answers everybody who waits, and leaves the sandboxes as they are. */
  close(): void {
    for (const cancel of this.#steps.values()) cancel();
    this.#steps.clear();
    this.release();
  }

  /** What becomes of a start, if it fails within 30 s. */
  async #outcome(sandbox: ApiSandbox): Promise<Refusal | undefined> {
    const { id } = sandbox;
    const rested = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(rested.resolve));
    const cancel = this.#clock.after(LONGEST_ANSWER_MS, rested.resolve);
    await rested.promise;
    cancel();
    waiting.delete(rested.resolve);
    return sandbox.state !== "error" ? undefined : {
      refused: 400,
      message: `Sandbox failed to start: ${sandbox.errorReason}`,
    };
  }

  #go(sandbox: ApiSandbox, [step, ...further]: readonly Step[]): void {
    const { id } = sandbox;
    this.#steps.get(id)?.();
    this.#steps.delete(id);
    if (step === undefined) {
      for (const resolve of this.#waiting.get(id) ?? []) resolve();
      return;
    }
    const [ms, next] = step;
    const cancel = this.#clock.after(ms, () => {
      this.#enter(sandbox, next);
      this.#go(sandbox, further);
    });
    this.#steps.set(id, cancel);
  }

  #enter(sandbox: ApiSandbox, state: string): void {
    const { startFailure } = sandbox;
    if (state === "started" && startFailure !== undefined) {
      sandbox.state = "error";
      sandbox.errorReason = startFailure;
      sandbox.recoverable = false;
    } else {
      sandbox.state = state;
    }
    for (const watch of this.watchers) watch(sandbox);
  }
}

/** A preview token: 32 of `[a-z0-9_-]`, like the real ones. */
function newToken(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
