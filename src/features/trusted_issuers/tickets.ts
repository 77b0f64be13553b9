/**
 * The grants in JWTs of trusted issuers (RFC 7519): tickets that a product's backend mints for its users, and identities of
 * CI jobs. No record of them is kept: a session names the rule that it was opened by, and ends with that.
 */
import { type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";
import { isBearer, issuerOf } from "../../address/grammar.ts";
import type {
  Grant,
  GrantRequest,
  GrantSession,
  GrantSource,
  PresentedGrant,
} from "../../auth/grants.ts";
import type { UsedCodes } from "../../auth/used_codes.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { describeError } from "../../lib/describe_error.ts";
import type { Subjects } from "../../observability/subjects.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Rule } from "./rules.ts";
import { grantBy, isWithin, SKEW_SEC } from "./ticket.ts";

const ALGORITHMS = ["RS256", "ES256", "EdDSA"];

/** What JWTs are judged by. */
export interface TicketsOptions extends Pick<FeatureParts, "now"> {
  /** Those in force. */
  readonly rules: () => readonly Rule[];
  readonly keysOf: (rule: Rule) => JWTVerifyGetKey;
  /** Null if there is no such sandbox. */
  readonly labelsOf: (id: string, budget: Budget) => Promise<Labels | null>;
  readonly used: Pick<UsedCodes, "use">;
  /** What the log calls holders. */
  readonly subjects: Pick<Subjects, "ofUser">;
  /** Told why a JWT, which anybody may have made up, opens nothing by a rule of its issuer. */
  readonly onRefusal: (issuer: string, reason: string) => void;
}

/** A sandbox's labels. */
export type Labels = Readonly<Record<string, string>>;

/** The source of such grants. */
export class Tickets implements GrantSource {
  readonly via = ["ticket"] as const;
  readonly #options: TicketsOptions;

  constructor(options: TicketsOptions) {
    this.#options = options;
  }

  /** See {@linkcode GrantSource.recognizes}: by its issuer, whoever has signed it. */
  recognizes(secret: string): boolean {
    return this.#rulesFor(secret).length > 0;
  }

  /**
   * See {@linkcode GrantSource.open}; what came by a query is good once.
   * @throws {GatewayError} `issuer_unavailable`, `session_unavailable` if nobody knows whether it was used before, or
   * as the API's client does
   */
  async open(
    { secret, place }: PresentedGrant,
    { sandboxId, port }: GrantRequest,
    budget: Budget,
  ): Promise<Grant | undefined> {
    const { now, onRefusal, used, subjects } = this.#options;
    const use = { sandboxId, port, isOnce: place === "query", now: now() };
    for (const rule of this.#rulesFor(secret)) {
      const claims = await this.#claimsBy(rule, secret);
      const found = typeof claims === "string"
        ? claims
        : grantBy(rule, claims, use);
      if (typeof found === "string") onRefusal(rule.issuer, found);
      else if (await this.#covers(rule, sandboxId, budget)) {
        const grant = { ...found, subject: subjects.ofUser(found.subject) };
        if (!use.isOnce) return grant;
        budget.spend();
        const id = grant.id.slice(rule.name.length); // by whichever rule
        if (await used.use(id, grant.expiresAt)) return grant;
        onRefusal(rule.issuer, "used before");
        return undefined;
      } else onRefusal(rule.issuer, "a sandbox that the rule is not for");
    }
    budget.spend(); // nothing was asked, but who tries many is to be refused as anywhere
    return undefined;
  }

  /** See {@linkcode GrantSource.reopen}. */
  async reopen(
    session: GrantSession,
    budget: Budget,
  ): Promise<Grant | undefined> {
    const { id, sandboxId, port, methods, expiresAt } = session;
    if (expiresAt <= this.#options.now()) return undefined;
    for (const rule of this.#options.rules()) {
      const isOpenedBy = id.startsWith(`${rule.name}.`) &&
        isWithin([port], rule.ports) && isWithin(methods, rule.methods);
      if (isOpenedBy && await this.#covers(rule, sandboxId, budget)) {
        return { ...session, ports: [port] };
      }
    }
    return undefined;
  }

  #rulesFor(secret: string): Rule[] {
    const issuer = isBearer(secret) ? issuerOf(secret) : undefined;
    return this.#options.rules().filter((rule) => rule.issuer === issuer);
  }

  /** What a JWT says, if a rule trusts it; otherwise why not. */
  async #claimsBy(rule: Rule, secret: string): Promise<JWTPayload | string> {
    const { keysOf, now } = this.#options;
    const { issuer, audience } = rule;
    try {
      const { payload } = await jwtVerify(secret, keysOf(rule), {
        algorithms: ALGORITHMS,
        issuer,
        audience,
        requiredClaims: ["exp"],
        clockTolerance: SKEW_SEC,
        currentDate: new Date(now()),
      });
      return payload;
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      return describeError(error);
    }
  }

  /** True if a rule is for that sandbox. */
  async #covers(
    { sandboxes }: Rule,
    sandboxId: string,
    budget: Budget,
  ): Promise<boolean> {
    if (sandboxes === "*") return true;
    if (Array.isArray(sandboxes)) return sandboxes.includes(sandboxId);
    const labels = await this.#options.labelsOf(sandboxId, budget);
    return labels !== null && Object.entries(sandboxes)
      .every(([name, value]) => labels[name] === value);
  }
}
