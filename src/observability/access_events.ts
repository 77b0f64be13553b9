/** Who opened what: the log's lines about logins, logouts and refusals, and the metric of logins. */
import { type ErrorCode, GatewayError } from "../errors.ts";
import { ExpiringLru } from "../lib/lru.ts";
import type { Logger } from "./log.ts";
import type { LoginOutcome } from "./metrics/facts.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Subjects } from "./subjects.ts";

/** A person, or a program, before a sandbox. */
interface Visit {
  readonly requestId: string;
  /** Undefined if all are meant, or if what was asked for may be a signed token. */
  readonly sandboxId?: string | undefined;
  readonly port?: number | undefined;
  /** The user's `sub`, if it is known. */
  readonly sub?: string | undefined;
}

/** A request for a sandbox that was refused. */
export interface RefusedVisit extends Visit {
  readonly code: ErrorCode;
  /** Whose refusals are logged once in a while. */
  readonly client: string;
}

interface VisitsOptions {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "login">;
  readonly subjects: Pick<Subjects, "ofUser">;
}

/** Logs and counts visits. */
export class AccessEvents {
  readonly #options: VisitsOptions;
  /** A refusal is logged once a minute for each client. */
  readonly #refused = new ExpiringLru<string, true>({
    max: 1_000,
    ttlMs: 60_000,
  });

  constructor(options: VisitsOptions) {
    this.#options = options;
  }

  /** Somebody has logged in at the provider, for a sandbox. */
  loggedIn(visit: Visit): void {
    this.#options.metrics.login("ok");
    this.#options.logger.info("login", this.#factsOf(visit));
  }

  /** A login has failed; the reason is logged like that of any page's failure. */
  loginFailed(error: unknown): void {
    const code = error instanceof GatewayError ? error.code : "internal";
    // What the table of metrics does not list counts as "other".
    this.#options.metrics.login(code as LoginOutcome);
  }

  loggedOut(visit: Visit): void {
    this.#options.logger.info("logout", this.#factsOf(visit));
  }

  /** Somebody who has logged in, or has presented a credential, was not let in. */
  refused({ code, client, ...visit }: RefusedVisit): void {
    const key = `${client} ${code} ${visit.sandboxId} ${visit.port}`;
    if (this.#refused.has(key)) return;
    this.#refused.set(key, true);
    const facts = { ...this.#factsOf(visit), code };
    this.#options.logger.info("access refused", facts);
  }

  #factsOf({ sub, ...facts }: Visit): Record<string, unknown> {
    return { ...facts, subject: this.#options.subjects.ofUser(sub) };
  }
}
