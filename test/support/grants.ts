/** A feature that knows grants, for tests of whatever judges them. */
import {
  frameSessionFor,
  type Grant,
  type GrantRequest,
  type GrantSession,
  type GrantSource,
  type PresentedGrant,
} from "../../src/auth/grants.ts";
import { SessionSealer } from "../../src/auth/session.ts";
import { createSealer } from "../../src/lib/seal.ts";
import type { GrantVia } from "../../src/observability/metrics/facts.ts";
import type { Budget } from "../../src/resolver/lookup_cache.ts";
import { viaOf } from "./feature_words.ts";
import { addFeature } from "./own_features.ts";

/** When all tests are over, ms since the epoch. */
const LATE = Date.UTC(2100, 0);

/** A grant for port 3000 of the sandbox `locked`, with these differences. */
export function grantOf(differences: Partial<Grant> = {}): Grant {
  return {
    via: viaOf("token"),
    id: "grant-1",
    sandboxId: "locked",
    ports: [3000],
    expiresAt: LATE,
    ...differences,
  };
}

/** Grants whose secrets begin with `tg_`; those that begin with `tg_once_` open once by a query. */
export class TestGrants implements GrantSource {
  readonly via: readonly GrantVia[] = ["token", "ticket", "share"].map(viaOf);
  readonly grants = new Map<string, Grant>();
  /** What was asked for, in order. */
  readonly asked: (PresentedGrant & GrantRequest)[] = [];
  /** True to have every unknown secret cost its client a lookup. */
  isMetered = false;
  /** Thrown in place of an answer. */
  failure: Error | undefined;
  readonly #used = new Set<string>();

  recognizes(secret: string): boolean {
    return secret.startsWith("tg_");
  }

  open(
    { secret, place }: PresentedGrant,
    request: GrantRequest,
    budget: Budget,
  ): Promise<Grant | undefined> {
    this.asked.push({ secret, place, ...request });
    const grant = this.grants.get(secret);
    if (this.failure !== undefined) return Promise.reject(this.failure);
    try {
      if (this.isMetered && grant === undefined) budget.spend();
    } catch (error) {
      return Promise.reject(error);
    }
    if (place === "query" && secret.startsWith("tg_once_")) {
      if (this.#used.has(secret)) return Promise.resolve(undefined);
      this.#used.add(secret);
    }
    return Promise.resolve(grant);
  }

  reopen({ id }: GrantSession): Promise<Grant | undefined> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return Promise.resolve(
      [...this.grants.values()].find((each) => each.id === id),
    );
  }
}

/** Has every test gateway that this process starts from now on know these. */
export function withGrants(): TestGrants {
  const grants = new TestGrants();
  addFeature({ name: "grants", create: () => ({ judge: grants }) });
  return grants;
}

/** The `SESSION_SECRETS` of gateways that take the cookies of {@linkcode frameCookieOf}. */
export const SESSION_SECRETS = "a secret of the sessions that is long enough";

/** The cookie of a frame's session for the first port of a grant, made at a name or not, as whatever makes frames sets it. */
export async function frameCookieOf(
  grant: Grant,
  { endsAt = grant.expiresAt, isHttps = false, name }: {
    readonly endsAt?: number;
    readonly isHttps?: boolean;
    readonly name?: string;
  } = {},
): Promise<string> {
  const now = () => Date.now();
  const secrets = [SESSION_SECRETS];
  const sealer = createSealer({ secrets, purpose: "session", now });
  const sessions = new SessionSealer(sealer, { now, maxRemembered: 1 });
  const [port = 0] = grant.ports;
  const sealed = await sessions.seal(
    frameSessionFor(grant, { port, name }, endsAt),
  );
  return `${isHttps ? "__Host-" : ""}porthole-grant=${sealed}`;
}
