/** Custom domains are checked daily, by one gateway: whose DNS says nothing of us any more may be somebody else's now. */
import { GatewayError } from "../../errors.ts";
import { describeError } from "../../lib/describe_error.ts";
import { loggerFor } from "../../observability/log.ts";
import { proofOf, type ProofResult, type ResolveDns } from "./domain_proof.ts";
import type { KeptName, NameBook } from "./kept_name.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Time between two looks for domains that are due, ms, and most that are checked at each: 14,400 in a day. */
const LOOK_EVERY_MS = 10 * MINUTE_MS;
const MAX_AT_ONCE = 100;

/** A domain whose DNS has not been right for that time is suspended, ms. */
const GRACE_MS = 3 * DAY_MS;

interface DomainChecksOptions {
  readonly book: Pick<NameBook, "all" | "change">;
  readonly resolveDns: ResolveDns;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Longest error that is kept, characters: no domain becomes so long by one that its shard has no room. */
const MAX_ERROR_LENGTH = 160;

/** A domain is no longer as it was when somebody looked. */
class Moot extends Error {}

/** Checks all domains that are active or suspended. */
export class DomainChecks {
  readonly #options: DomainChecksOptions;
  readonly #logger = loggerFor("names");
  #timer: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  constructor(options: DomainChecksOptions) {
    this.#options = options;
  }

  /** Checks those that are due every 10 minutes, which keeps no process alive. */
  start(): void {
    this.#timer = setInterval(() => {
      this.checkDue().catch((error) => {
        const reason = describeError(error);
        if (!this.#isClosed) this.#logger.warn("domains unchecked", { reason });
      });
    }, LOOK_EVERY_MS);
    Deno.unrefTimer(this.#timer);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  /** Checks those that have waited longest of those that are due; one that cannot be written keeps no other from it. */
  async checkDue(): Promise<void> {
    const { book, now } = this.#options;
    const due = [...book.all()].filter((name) => isDue(name, now()))
      .sort((one, other) => (one.checkedAt ?? 0) - (other.checkedAt ?? 0))
      .slice(0, MAX_AT_ONCE);
    for (const name of due) {
      if (this.#isClosed) return;
      await this.#check(name).catch((error) => {
        if (!(error instanceof GatewayError)) throw error;
        const facts = { host: name.host, reason: describeError(error) };
        this.#logger.warn("domain unchecked", facts);
      });
    }
  }

  async #check(name: KeptName): Promise<void> {
    const { resolveDns, now } = this.#options;
    const { host, proof } = name;
    // What is written first keeps other gateways from asking.
    const claimed = await this.#change(name, (held) => {
      if (!isDue(held, now())) throw new Moot();
      return { ...held, checkedAt: now() };
    });
    if (claimed === undefined || proof === null) return;
    const result = await proofOf(host, proof, resolveDns);
    if (this.#isClosed) return;
    const checked = await this.#change(
      name,
      (held) => afterCheck(held, result, now()),
    );
    if (checked === undefined || checked.state === claimed.state) return;
    const { state, sandboxId, lastError } = checked;
    this.#logger.info(`domain ${state}`, { host, sandboxId, lastError });
  }

  /** Changes what is kept of a domain; undefined if that is no longer there, or `change` finds it moot. */
  async #change(
    { host, proof }: KeptName,
    change: (held: KeptName) => KeptName,
  ): Promise<KeptName | undefined> {
    try {
      const { holder } = await this.#options.book.change(host, (entry) => {
        const { holder } = entry;
        const isIt = holder && holder.state !== "released" &&
          holder.proof?.nonce === proof?.nonce;
        if (!isIt) throw new Moot();
        return { ...entry, holder: change(holder) };
      });
      return holder;
    } catch (error) {
      if (error instanceof Moot) return undefined;
      throw error;
    }
  }
}

/** What becomes of a domain, held or claimed, by what the DNS has said about it. */
export function afterCheck(
  name: KeptName,
  result: ProofResult,
  now: number,
): KeptName {
  const checked = { ...name, checkedAt: now };
  if (result.ok) {
    return {
      ...checked,
      state: "active",
      failingSince: null,
      lastError: null,
      endsAt: null,
    };
  }
  const { isOutage } = result;
  const lastError = result.error.slice(0, MAX_ERROR_LENGTH);
  if (name.state === "pending" || isOutage) return { ...checked, lastError };
  const failingSince = name.failingSince ?? now;
  const isOver = now - failingSince >= GRACE_MS;
  const state = isOver ? "suspended" : name.state;
  return { ...checked, state, failingSince, lastError };
}

/** True if it is time to ask the DNS about a name. */
function isDue(
  { kind, state, checkedAt, failingSince }: KeptName,
  now: number,
): boolean {
  if (kind !== "domain") return false;
  if (state !== "active" && state !== "suspended") return false;
  const everyMs = failingSince === null ? DAY_MS : HOUR_MS;
  return now - (checkedAt ?? -Infinity) >= everyMs;
}
