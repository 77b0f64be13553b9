/** What comes of a visitor's wish to have a sandbox started, whose rights are known. */
import type { Admission } from "../../auth/verdict.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { TokenBuckets } from "../../lib/token_bucket.ts";
import {
  prospectOf,
  type SandboxState,
} from "../../resolver/sandbox_condition.ts";
import type { Starter, StartRequest } from "./start_rights.ts";
import type {
  SandboxStarts,
  StartOperation,
  StartTrigger,
  WantedStart,
} from "./starts.ts";

/** How often requests for a start have the API asked for a known state: beyond that, it is 2 s old at most. */
const LOOKS = { capacity: 20, refillPerSec: 0.5 } as const;

/** An admitted request whose visitor may try to start the sandbox. */
export interface Attempt {
  readonly x: StartRequest;
  readonly admission: Admission;
  readonly starter: Starter;
}

export type PossibleStart = Attempt & {
  readonly start: Omit<WantedStart, "intent">;
};

export class StartAttempts {
  readonly #parts: Pick<FeatureParts, "gate" | "states">;
  readonly #starts: SandboxStarts;
  /** By sandbox: whoever asks again and again must not have the API asked as often. */
  readonly #looks: TokenBuckets;

  constructor(
    { gate, states, config, now }: FeatureParts,
    starts: SandboxStarts,
  ) {
    const { maxEntries: maxKeys } = config.cache;
    this.#parts = { gate, states };
    this.#starts = starts;
    this.#looks = new TokenBuckets({ ...LOOKS, maxKeys, now });
  }

  /** True while somebody is starting the sandbox here. */
  isUnderWay(sandboxId: string): boolean {
    return this.#starts.isUnderWay(sandboxId);
  }

  /** The start with the rights that it needs. @throws {GatewayError} `start_not_allowed` */
  async possible(
    attempt: Attempt,
    means: StartOperation,
    { organizationId }: SandboxState,
  ): Promise<PossibleStart> {
    const { x: { id: requestId, sandboxId }, admission, starter } = attempt;
    const isForMembers = means === "recover";
    if (isForMembers && !await this.#parts.gate.isMember(admission)) {
      throw notAllowed("Recovery is for members");
    }
    const rights = await starter.rightsFor(organizationId);
    if (rights === undefined) throw notAllowed("No credential to start with");
    const { by } = starter;
    const { subject } = admission;
    const facts = { sandboxId, organizationId, means, requestId, by, subject };
    return { ...attempt, start: { ...rights, ...facts } };
  }

  /** Starts the sandbox by a visit; false if it has just been started, and has stopped again. */
  async hasStarted(possible: PossibleStart): Promise<boolean> {
    if (await this.#start(possible, "visit") !== "too_soon") return true;
    const told = await this.#parts.states.stateOf(possible.start.sandboxId);
    return !told || !isStart(prospectOf(told));
  }

  /** What has come of it, even if no start is needed, or not the `wanted` one; throws if one fails. */
  async startIfNeeded(
    attempt: Attempt,
    trigger: StartTrigger,
    wanted?: StartOperation,
  ): Promise<string> {
    const { states } = this.#parts;
    const { sandboxId } = attempt.x;
    // It may have started meanwhile.
    if (this.#looks.take(sandboxId).ok) states.forget(sandboxId);
    const told = await states.stateOf(sandboxId);
    if (!told && trigger === "call") {
      throw new GatewayError("api_unreachable", "Its state is not known");
    }
    const next = told ? prospectOf(told) : "unknown";
    // What is needed now may not be what the button was for: then its page comes again.
    if (!told || !isStart(next) || (wanted ?? next) !== next) return next;
    const possible = await this.possible(attempt, next, told);
    return await this.#start(possible, trigger);
  }

  async #start(
    { start, admission }: PossibleStart,
    intent: StartTrigger,
  ): Promise<string> {
    const outcome = await this.#starts.start({ ...start, intent });
    if (!("reason" in outcome)) return outcome.kind;
    const reason = `Daytona API: ${outcome.reason}`;
    if (outcome.kind === "not_allowed") throw notAllowed(reason);
    const { states, gate } = this.#parts;
    const [told, isMember] = await Promise.all([
      states.stateOf(start.sandboxId),
      gate.isMember(admission),
    ]);
    // What the API said is for members only.
    const errorReason = isMember ? outcome.reason : null;
    const sandbox = told ? { ...told, errorReason } : undefined;
    throw new GatewayError("start_refused", reason, { advice: { sandbox } });
  }
}

function isStart(prospect: string): prospect is StartOperation {
  return prospect === "start" || prospect === "recover";
}

export function notAllowed(reason: string): GatewayError {
  return new GatewayError("start_not_allowed", reason);
}
