/** Asks the API in which state a sandbox is. Nobody needs that while apps answer: it explains why none did. */
import { LRUCache } from "lru-cache";
import { SingleFlight } from "../cache/single_flight.ts";
import type { DaytonaApi } from "../daytona/api.ts";
import { GatewayError } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import { ExpiringLru } from "../lib/lru.ts";
import { conditionOf, type SandboxState } from "./sandbox_condition.ts";

/** Time for which an answer counts, ms: somebody may be watching a sandbox start. */
const TTL_MS = 2000;

/** Longest wait for an answer, ms: it only explains a refusal that is certain. */
const WAIT_MS = 2000;

/** The known states look like this, and so may others in headers and logs. */
const STATE = /^[a-z_]{1,32}$/;

/** Longest reason that is kept, characters. */
const MAX_REASON_LENGTH = 500;

type StatesApi = Pick<DaytonaApi, "sandboxById">;

interface SandboxStatesOptions {
  readonly maxEntries: number;
  readonly now: () => number;
  readonly background: Background;
  /** Called when a sandbox is `started` that was not before. */
  readonly onStarted: (sandboxId: string) => void;
}

/** What the API has said: null if there is no such sandbox, undefined if it does not tell. */
type Told = SandboxState | null | undefined;

/** The states of sandboxes, in process only. */
export class SandboxStates {
  readonly #api: StatesApi;
  readonly #options: SandboxStatesOptions;
  readonly #flights = new SingleFlight<Told>();
  readonly #known: ExpiringLru<string, { readonly state: Told }>;
  /** Those that were not started when the API was asked last. */
  readonly #notStarted: LRUCache<string, true>;

  constructor(api: StatesApi, options: SandboxStatesOptions) {
    const { maxEntries: max, now } = options;
    this.#api = api;
    this.#options = options;
    this.#notStarted = new LRUCache({ max });
    this.#known = new ExpiringLru({ max, ttlMs: TTL_MS, now });
  }

  /**
   * The state of the sandbox with that id, at most 2 s old. Null if the API shows the gateway no such sandbox, as the
   * proxy of a region sees none of another; undefined if it does not tell, or not in time. However many ask, the API is asked once.
   */
  async stateOf(sandboxId: string): Promise<Told> {
    const known = this.#known.get(sandboxId);
    if (known !== undefined) return known.state;
    const asked = this.#flights
      .share(sandboxId, (isCurrent) => this.#ask(sandboxId, isCurrent));
    this.#options.background.add("ask state", asked);
    return await fulfilsWithin(asked, WAIT_MS) ? await asked : undefined;
  }

  /** Has the API asked again, as somebody has just changed the state. */
  forget(sandboxId: string): void {
    this.#flights.forget(sandboxId);
    this.#known.delete(sandboxId);
  }

  async #ask(sandboxId: string, isCurrent: () => boolean): Promise<Told> {
    const state = await this.#answer(sandboxId);
    if (!isCurrent()) return state; // it may be from before a change
    if (state && this.#hasStarted(sandboxId, state)) {
      this.#options.onStarted(sandboxId);
    }
    this.#known.set(sandboxId, { state }); // last, as the former forgets it
    return state;
  }

  #hasStarted(sandboxId: string, told: SandboxState): boolean {
    if (told.state === "started" && conditionOf(told) === undefined) {
      return this.#notStarted.delete(sandboxId);
    }
    this.#notStarted.set(sandboxId, true);
    return false;
  }

  async #answer(sandboxId: string): Promise<Told> {
    try {
      const answer = await this.#api.sandboxById(sandboxId);
      // An organization's key finds names, too: then it is another sandbox.
      if (answer?.id !== sandboxId) return answer && undefined;
      const { state, desiredState, recoverable, organizationId } = answer;
      if (state === null || !STATE.test(state)) return undefined;
      return {
        state,
        desiredState: STATE.test(desiredState ?? "") ? desiredState : null,
        recoverable,
        errorReason: answer.errorReason?.slice(0, MAX_REASON_LENGTH) ?? null,
        organizationId,
      };
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  }
}
