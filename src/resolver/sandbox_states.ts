/** What the API's record of a sandbox says of its labels, for the way there, and of its state: why no app answered. */
import { SingleFlight } from "../cache/single_flight.ts";
import type { DaytonaApi, Sandbox } from "../daytona/api.ts";
import { GatewayError } from "../errors.ts";
import type { Background } from "../lib/background.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import { ExpiringLru, Lru } from "../lib/lru.ts";
import { type Owner, ownerLabels } from "./owner_labels.ts";
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

/** What decides on the way to a sandbox; null for each that the API does not tell. */
export interface SandboxRecord {
  readonly owner: Owner;
  readonly runnerId: string | null;
}

/** The record, or why there is none: null if the API shows none. */
interface Facts {
  readonly state: Told;
  readonly record: SandboxRecord | null | GatewayError;
}

/** The states of sandboxes, in process only. */
export class SandboxStates {
  readonly #api: StatesApi;
  readonly #options: SandboxStatesOptions;
  readonly #flights = new SingleFlight<Facts>();
  readonly #known: ExpiringLru<string, Facts>;
  /** Sandboxes that were not started when the API was asked last. */
  readonly #notStarted: Lru<string, true>;

  constructor(api: StatesApi, options: SandboxStatesOptions) {
    const { maxEntries: max, now } = options;
    this.#api = api;
    this.#options = options;
    this.#notStarted = new Lru({ max });
    this.#known = new ExpiringLru({ max, ttlMs: TTL_MS, now });
  }

  /**
   * The state of the sandbox with that id, at most 2 s old. Null if the API shows the gateway no such sandbox, as the
   * proxy of a region sees none of another; undefined if it does not tell, or not in time. However many ask, the API is
   * asked once.
   */
  async stateOf(sandboxId: string): Promise<Told> {
    const known = this.#known.get(sandboxId);
    if (known !== undefined) return known.state;
    const asked = this.#factsOf(sandboxId);
    this.#options.background.add("ask state", asked);
    return await fulfilsWithin(asked, WAIT_MS)
      ? (await asked).state
      : undefined;
  }

  /**
   * The API's record of the sandbox, as old. Null if the API shows none, which is not the same as one that says nothing;
   * throws as the API's client does, each time, if there is no answer.
   */
  async recordOf(sandboxId: string): Promise<SandboxRecord | null> {
    const known = this.#known.get(sandboxId);
    const isTold = known !== undefined &&
      !(known.record instanceof GatewayError);
    const { record, state } = isTold ? known : await this.#factsOf(sandboxId);
    // Should its app be refused soon, that explains nothing: it is asked again.
    if (state?.state === "started") this.#known.delete(sandboxId);
    if (record instanceof GatewayError) throw record;
    return record;
  }

  /** Has the API asked again, as somebody has just changed the state. */
  forget(sandboxId: string): void {
    this.#flights.forget(sandboxId);
    this.#known.delete(sandboxId);
  }

  #factsOf(sandboxId: string): Promise<Facts> {
    return this.#flights
      .share(sandboxId, (isCurrent) => this.#ask(sandboxId, isCurrent));
  }

  async #ask(sandboxId: string, isCurrent: () => boolean): Promise<Facts> {
    const facts = await this.#answer(sandboxId);
    if (!isCurrent()) return facts; // they may be from before a change
    if (facts.state && this.#hasStarted(sandboxId, facts.state)) {
      this.#options.onStarted(sandboxId);
    }
    this.#known.set(sandboxId, facts); // last, as the former forgets it
    return facts;
  }

  #hasStarted(sandboxId: string, told: SandboxState): boolean {
    if (told.state === "started" && conditionOf(told) === undefined) {
      return this.#notStarted.delete(sandboxId);
    }
    this.#notStarted.set(sandboxId, true);
    return false;
  }

  async #answer(sandboxId: string): Promise<Facts> {
    try {
      const answer = await this.#api.sandboxById(sandboxId);
      if (answer === null) return { state: null, record: null };
      // Whoever may name a sandbox may name it like another one's id, and an organization's key finds names, too.
      if (answer.id !== sandboxId) {
        const record = new GatewayError("api_unreachable", "Another sandbox");
        return { state: undefined, record };
      }
      const { organizationId, runnerId } = answer;
      const owner = { labels: ownerLabels(answer.labels), organizationId };
      return { state: stateIn(answer), record: { owner, runnerId } };
    } catch (error) {
      if (error instanceof GatewayError) {
        return { state: undefined, record: error };
      }
      throw error;
    }
  }
}

function stateIn(
  { state, desiredState, recoverable, errorReason, organizationId, ended }:
    Sandbox,
): SandboxState | undefined {
  if (state === null || !STATE.test(state)) return undefined;
  return {
    state,
    desiredState: STATE.test(desiredState ?? "") ? desiredState : null,
    recoverable,
    errorReason: errorReason?.slice(0, MAX_REASON_LENGTH) ?? null,
    organizationId,
    ended,
  };
}
