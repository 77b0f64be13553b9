/**
 * Access decisions in front of a Daytona that somebody else operates. The API judges no credential for an organization's
 * key, so each kind has another source there:
 *
 * - A preview token is compared with the sandbox's own, which the API tells that key.
 * - A user's bearer is asked about with itself, if it looks like one of Daytona's; see unknown_bearers.ts for how often.
 * - A signed link is judged by Daytona's proxy alone, which opens it or not. Which sandbox is behind it, nobody tells.
 */
import { timingSafeEqual } from "node:crypto";
import {
  isBearer,
  isJwtShaped,
  issuerOf,
  isUuid,
  mayBePreviewToken,
  mayBeSignedToken,
} from "../../address/grammar.ts";
import type { DaytonaApi, OnUserAnswer, User } from "../../daytona/api.ts";
import { withoutTrailingSlashes } from "../../http/url.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import { ChangeMarks } from "../change_marks.ts";
import { accessCodec, booleanCodec } from "../codecs.ts";
import {
  type Budget,
  LookupCache,
  type LookupCacheOptions,
  UNMETERED,
} from "../lookup_cache.ts";
import { type Access, type BearerUser, knownEndOf } from "../own/access.ts";
import type { Change } from "../sandbox_changes.ts";
import { UnknownBearers } from "../unknown_bearers.ts";
import type { HostedResolver } from "./hosted_resolver.ts";

interface HostedAccessParts {
  readonly api: Pick<
    DaytonaApi,
    "hasSandboxAccess" | "isOwnedByUser" | "organizationOf"
  >;
  readonly sandboxes: Pick<
    HostedResolver,
    "sandboxOf" | "previewTokenOf" | "renewToken" | "linkIdOf"
  >;
  /** Whether Daytona's proxy opens a signed link. */
  readonly opensLink: (token: string, port: number) => Promise<boolean>;
  /** The issuers of the JWTs of Daytona's users; none until they are known. */
  readonly issuers: () => readonly string[];
}

const API_KEY = /^dtn_[\w-]+$/;

/** True if a bearer may be Daytona's, which is not shown an app's own: a JWT by its issuer, if `issuers` are known. */
export function mayBeDaytonas(
  bearer: string,
  issuers: readonly string[],
): boolean {
  if (!isBearer(bearer)) return false;
  if (!isJwtShaped(bearer)) return API_KEY.test(bearer);
  // Providers are not of one mind about an issuer's last slash.
  const issuer = withoutTrailingSlashes(issuerOf(bearer) ?? "");
  return issuers.length === 0 ||
    issuers.some((one) => withoutTrailingSlashes(one) === issuer);
}

/** The token is the sandbox's, whichever port is asked about. */
const ANY_PORT = 3000;

/** Judges credentials, and caches the verdicts; every method says and throws what that of {@linkcode Access} does. */
export class HostedAccess implements Access {
  readonly #parts: HostedAccessParts;
  readonly #users: LookupCache<boolean | null>;
  readonly #links: LookupCache<boolean>;
  readonly #unknownBearers: UnknownBearers;
  /** Tokens that were refused after the API was asked again. In process only: it is a matter of seconds. */
  readonly #refusedTokens: ExpiringLru<string, true>;
  /** Keys that have opened a sandbox of the organization that they are for, with that, by a digest. */
  readonly #members: ExpiringLru<string, true>;
  readonly #marks: ChangeMarks;

  constructor(parts: HostedAccessParts, options: LookupCacheOptions) {
    const { cache, now } = options;
    const { maxEntries: max, tokenRefusedTtlMs: ttlMs, tokenTtlMs } = cache;
    this.#parts = parts;
    this.#users = new LookupCache("sandbox-access", accessCodec, options);
    this.#links = new LookupCache("signed-token", booleanCodec, options);
    this.#unknownBearers = new UnknownBearers(max, now);
    this.#refusedTokens = new ExpiringLru({ max, ttlMs, now });
    this.#members = new ExpiringLru({ max, ttlMs: tokenTtlMs, now });
    this.#marks = new ChangeMarks(max);
  }

  /** Forgets the verdicts about a sandbox; those about its name remain until they expire. */
  forget(sandboxId: string, { mark }: Change): void {
    this.#marks.set(sandboxId, mark);
  }

  async isPreviewToken(
    label: string,
    token: string,
    budget: Budget,
  ): Promise<boolean> {
    if (!mayBePreviewToken(token)) return false;
    const { sandboxes } = this.#parts;
    const { id } = await sandboxes.sandboxOf(label, budget) ?? {};
    if (id === undefined) return false;
    const known = await sandboxes.previewTokenOf(id, ANY_PORT, budget);
    if (known === null || isSameSecret(token, known)) return known !== null;
    const digest = this.#marks.keyOf(id, token);
    if (this.#refusedTokens.has(digest)) return false;
    // The sandbox may have been started since, and have another token.
    budget.spend();
    let wasAskedSince: boolean;
    do {
      wasAskedSince = await sandboxes.renewToken(id, ANY_PORT);
      const current = await sandboxes.previewTokenOf(id, ANY_PORT, budget);
      if (current !== null && isSameSecret(token, current)) return true;
      // By another request that was here earlier, with the same token.
      if (this.#refusedTokens.has(digest)) return false;
    } while (!wasAskedSince);
    this.#refusedTokens.set(digest, true);
    return false;
  }

  async hasAccess(
    label: string,
    user: BearerUser,
    budget: Budget,
  ): Promise<boolean | null> {
    const { bearer, clientAddress } = user;
    if (!mayBeDaytonas(bearer, this.#parts.issuers())) return false;
    const presented = { digest: this.#marks.digestOf([bearer]), clientAddress };
    const key = this.#marks.keyOf(label, bearer);
    // Whoever is a member sees all sandboxes: this one need not be asked about with the visitor's own quota.
    const member = this.#users.known(key) === undefined &&
      await this.#memberKey(label, bearer, budget);
    if (member && this.#members.has(member)) return true;
    const judge = (onAnswer: OnUserAnswer) =>
      this.#judgeUser(label, user, onAnswer);
    const ask = () => this.#unknownBearers.ask(presented, judge, false);
    const endsAt = () => knownEndOf(user);
    return await this.#users.lookUp(key, ask, budget, undefined, endsAt);
  }

  /** What the sandbox behind a signed token is called, if Daytona's proxy opens that port by it; null otherwise. */
  async sandboxOfSignedToken(
    token: string,
    port: number,
    budget: Budget,
  ): Promise<string | null> {
    const { sandboxes, opensLink } = this.#parts;
    const opens = mayBeSignedToken(token) && await this.#links.lookUp(
      this.#marks.digestOf([token, String(port)]),
      () => opensLink(token, port),
      budget,
    );
    return opens ? sandboxes.linkIdOf(token) : null;
  }

  /** Always null: signed URLs of files belong to the toolbox, which is not served. */
  signingKeyOf(): Promise<null> {
    return Promise.resolve(null);
  }

  /** One question after the other: of an invented key, the first answer says all, and each counts as a wrong one. */
  async #judgeUser(label: string, user: User, onAnswer: OnUserAnswer) {
    const { api, sandboxes } = this.#parts;
    // By its id: whoever may name a sandbox must not decide about another one.
    const sandbox = isUuid(label)
      ? { id: label }
      : await sandboxes.sandboxOf(label, UNMETERED);
    if (sandbox === null) return false;
    const access = await api.hasSandboxAccess(sandbox.id, user, onAnswer);
    if (access === false) return false;
    if (!await api.isOwnedByUser(user, onAnswer)) return false;
    const member = access &&
      await this.#memberKey(label, user.bearer, UNMETERED);
    if (member) this.#members.set(member, true);
    return access;
  }

  /** A digest of a key and its organization, if the sandbox is of that; undefined if not, or if it is not known. */
  async #memberKey(label: string, bearer: string, budget: Budget) {
    const { api, sandboxes } = this.#parts;
    const organization = api.organizationOf(bearer);
    if (organization === undefined) return undefined;
    const sandbox = await sandboxes.sandboxOf(label, budget);
    return sandbox?.organizationId === organization
      ? this.#marks.digestOf([organization, bearer])
      : undefined;
  }
}

/** Compares in a time that says nothing about where two secrets differ. */
function isSameSecret(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => new TextEncoder().encode(text));
  return a !== undefined && b !== undefined &&
    a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
