/**
 * The grants in JWTs of trusted issuers (RFC 7519): tickets that a product's backend mints for its users, and identities of
 * CI jobs. No record of them is kept: a session names the rule that it was opened by, and ends with that.
 */
import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";
import { isBearer } from "../../address/grammar.ts";
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
import type { Awaitable } from "../../lib/awaitable.ts";
import { jwtPart } from "../../lib/jwt.ts";
import type { Subjects } from "../../observability/subjects.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Rule } from "./rules.ts";
import { grantBy, isWithin, SKEW_SEC } from "./ticket.ts";

const ALGORITHMS = ["RS256", "ES256", "EdDSA"];

export interface TicketsOptions extends Pick<FeatureParts, "now"> {
  /** The rules in force. */
  readonly rules: () => readonly Rule[];
  readonly keysOf: (rule: Rule) => JWTVerifyGetKey;
  /** Null if there is no such sandbox. */
  readonly labelsOf: (id: string, budget: Budget) => Awaitable<Labels | null>;
  readonly used: Pick<UsedCodes, "use">;
  /** What the log calls holders. */
  readonly subjects: Pick<Subjects, "ofUser">;
  /** Told why a JWT opens nothing by a rule of its issuer: one of few reasons, as anybody may have made it up. */
  readonly onRefusal: (issuer: string, reason: string) => void;
}

export type Labels = Readonly<Record<string, string>>;

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

  /** See {@linkcode GrantSource.owns}: an app may have users of the issuer, too. */
  owns(secret: string): boolean {
    const audiences = [jwtPart(secret, "claims")?.["aud"]].flat();
    return this.#rulesFor(secret)
      .some(({ audience }) => audiences.includes(audience));
  }

  /**
   * See {@linkcode GrantSource.open}; what came by a query or for a frame is good once.
   * @throws {GatewayError} if no rule opens, and one could not be judged: `issuer_unavailable`, `session_unavailable` if
   * nobody knows whether it was used before, or as the API's client does
   */
  async open(
    { secret, place }: PresentedGrant,
    { sandboxId, port }: GrantRequest,
    budget: Budget,
  ): Promise<Grant | undefined> {
    const { now, onRefusal } = this.#options;
    const isFramed = place === "frame";
    const isOnce = isFramed || place === "query";
    const use = { sandboxId, port, isOnce, isFramed, now: now() };
    const refusals: [issuer: string, reason: string][] = [];
    let failure: GatewayError | undefined;
    for (const rule of this.#rulesFor(secret)) {
      try {
        const found = await this.#grantBy(rule, secret, use, budget);
        if (typeof found !== "string") return found;
        refusals.push([rule.issuer, found]);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        failure ??= error;
      }
    }
    for (const [issuer, reason] of refusals) onRefusal(issuer, reason);
    if (failure !== undefined) throw failure;
    // Only now: whoever has a good one is not to wait for others behind the address.
    budget.spend("store");
    return undefined;
  }

  async reopen(
    session: GrantSession,
    budget: Budget,
  ): Promise<Grant | undefined> {
    const { kind: _, port, name: __, endsAt, ...granted } = session;
    const { id, sandboxId, methods } = granted;
    const expiresAt = endsAt ?? granted.expiresAt;
    if (expiresAt <= this.#options.now()) return undefined;
    for (const rule of this.#options.rules()) {
      const isOpenedBy = id.startsWith(`${rule.name}.`) &&
        isWithin([port], rule.ports) && isWithin(methods, rule.methods);
      if (isOpenedBy && await this.#covers(rule, sandboxId, budget)) {
        return { ...granted, ports: [port], expiresAt };
      }
    }
    return undefined;
  }

  #rulesFor(secret: string): Rule[] {
    const claims = isBearer(secret) ? jwtPart(secret, "claims") : undefined;
    const issuer = claims?.["iss"];
    return this.#options.rules().filter((rule) => rule.issuer === issuer);
  }

  /** The grant by one rule, which is used up if it is for once; otherwise why there is none. */
  async #grantBy(
    rule: Rule,
    secret: string,
    use: Parameters<typeof grantBy>[2],
    budget: Budget,
  ): Promise<Grant | string> {
    const { used, subjects } = this.#options;
    const claims = await this.#claimsBy(rule, secret);
    if (typeof claims === "string") return claims;
    const grant = grantBy(rule, claims, use);
    if (typeof grant === "string") return grant;
    if (!await this.#covers(rule, use.sandboxId, budget)) {
      return "a sandbox that the rule is not for";
    }
    const id = grant.id.slice(rule.name.length); // by whichever rule
    const goodUntil = 1000 * ((claims.exp ?? 0) + SKEW_SEC);
    const isUsed = use.isOnce && !await used.use(id, goodUntil);
    if (isUsed) return "used before";
    return { ...grant, subject: subjects.ofUser(grant.subject) };
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
      return reasonOf(error);
    }
  }

  async #covers({ sandboxes }: Rule, sandboxId: string, budget: Budget) {
    if (sandboxes === "*") return true;
    if (Array.isArray(sandboxes)) return sandboxes.includes(sandboxId);
    const labels = await this.#options.labelsOf(sandboxId, budget);
    return labels !== null && Object.entries(sandboxes)
      .every(([name, value]) => labels[name] === value);
  }
}

/** One of few texts: messages quote the JWT, whose text is anybody's. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) {
    return `${error.code} ${error.claim}`;
  }
  if (error instanceof errors.JOSEError) return error.code;
  return error instanceof Error ? error.name : "not an error";
}
