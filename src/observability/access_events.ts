/** Who opened what: the log's lines about logins, logouts and refusals, and the metric of logins. */
import { type ErrorCode, GatewayError } from "../errors.ts";
import { ExpiringLru } from "../lib/lru.ts";
import type { Logger, RequestFacts } from "./log.ts";
import type { GrantVia, LoginOutcome } from "./metrics/facts.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Subjects } from "./subjects.ts";

/** A person, or a program, before a sandbox: without an id, before all, or what was asked for may be a signed token. */
interface AccessFacts extends RequestFacts {
  /** The user's `sub`, if it is known. */
  readonly sub?: string | undefined;
}

export interface GrantUsed extends RequestFacts {
  readonly grant: { readonly via: GrantVia; readonly id: string };
  /** In the log's words. */
  readonly subject?: string | undefined;
  /** Whose uses are logged once in a while. */
  readonly client: string;
}

export interface RefusedAccess extends AccessFacts {
  readonly code: ErrorCode;
  /** The grant that is not good for this, if it is known. */
  readonly grant?: GrantUsed["grant"] | undefined;
  /** Whose refusals are logged once in a while. */
  readonly client: string;
}

interface AccessEventsOptions {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "login" | "grant">;
  readonly subjects: Pick<Subjects, "ofUser">;
}

export class AccessEvents {
  readonly #options: AccessEventsOptions;
  /** A grant's use is logged once an hour for each client. */
  readonly #used = new ExpiringLru<string, true>({
    max: 10_000,
    ttlMs: 3_600_000,
  });
  /** A refusal is logged once a minute for each client. */
  readonly #refused = new ExpiringLru<string, true>({
    max: 1_000,
    ttlMs: 60_000,
  });

  constructor(options: AccessEventsOptions) {
    this.#options = options;
  }

  loggedIn(event: AccessFacts): void {
    this.#options.metrics.login("ok");
    this.#options.logger.info("login", this.#factsOf(event));
  }

  /** A login has failed; the reason is logged like that of any page's failure. */
  loginFailed(error: unknown): void {
    const code = error instanceof GatewayError ? error.code : "internal";
    // What the table of metrics does not list counts as "other".
    this.#options.metrics.login(code as LoginOutcome);
  }

  loggedOut(event: AccessFacts): void {
    this.#options.logger.info("logout", this.#factsOf(event));
  }

  usedGrant({ grant: { via, id: grant }, client, ...facts }: GrantUsed): void {
    this.#options.metrics.grant(via, "admitted");
    const key = `${via} ${grant} ${client}`;
    if (this.#used.has(key)) return;
    this.#used.set(key, true);
    this.#options.logger.info("grant used", { ...facts, via, grant });
  }

  /** Somebody who has logged in, or has presented a credential, was not let in. */
  refused({ code, client, grant, ...event }: RefusedAccess): void {
    const { via, id } = grant ?? {};
    if (code === "grant_invalid") {
      this.#options.metrics.grant(via ?? "unknown", "refused");
    }
    const key = `${client} ${code} ${event.sandboxId} ${event.port} ${id}`;
    if (this.#refused.has(key)) return;
    this.#refused.set(key, true);
    const facts = { ...this.#factsOf(event), code, via, grant: id };
    this.#options.logger.info("access refused", facts);
  }

  #factsOf({ sub, ...facts }: AccessFacts): Record<string, unknown> {
    return { ...facts, subject: this.#options.subjects.ofUser(sub) };
  }
}
