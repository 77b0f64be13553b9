/** Access decisions: the API's verdict on each kind of credential, cached under a digest of the credential. */
import { endOf, isBearer, mayBePreviewToken } from "../../address/grammar.ts";
import type { DaytonaApi, User } from "../../daytona/api.ts";
import type { Awaitable } from "../../lib/awaitable.ts";
import { ChangeMarks } from "../change_marks.ts";
import { accessCodec, booleanCodec, sandboxIdCodec } from "../codecs.ts";
import {
  type Budget,
  LookupCache,
  type LookupCacheOptions,
} from "../lookup_cache.ts";
import type { Change } from "../sandbox_changes.ts";

/** What the gate asks about credentials, in whichever way they are judged. */
export type Access = Omit<AccessResolver, "forget">;

/** A user, and what their provider has told of the bearer. */
export interface BearerUser extends Omit<User, "organizationId"> {
  readonly tokens?: { readonly expiresAt?: number | undefined };
}

/** When a user's bearer ends, ms since the epoch; undefined if nothing tells. */
export function knownEndOf({ bearer, tokens }: BearerUser): number | undefined {
  return tokens?.expiresAt ?? endOf(bearer);
}

type AccessApi = Pick<
  DaytonaApi,
  | "isPreviewToken"
  | "hasSandboxAccess"
  | "isOwnedByUser"
  | "sandboxIdOfSignedToken"
  | "signingKeyOfSandbox"
>;

/**
 * Asks the API about credentials, and caches its verdicts.
 * @throws {GatewayError} as {@linkcode DaytonaApi} if an answer is neither cached nor given by the API; every method
 * @throws what `budget.spend` throws, if no cached answer may be served instead; every method
 */
export class AccessResolver {
  readonly #api: AccessApi;
  readonly #previewTokens: LookupCache<boolean>;
  readonly #users: LookupCache<boolean | null>;
  readonly #signedTokens: LookupCache<string | null>;
  readonly #signingKeys: LookupCache<string | null>;
  readonly #marks: ChangeMarks;

  constructor(api: AccessApi, options: LookupCacheOptions) {
    const kind = "sandbox-auth-key-valid";
    const ids = sandboxIdCodec;
    this.#api = api;
    this.#previewTokens = new LookupCache(kind, booleanCodec, options);
    this.#users = new LookupCache("sandbox-access", accessCodec, options);
    this.#signedTokens = new LookupCache("signed-token", ids, options);
    // In process only: they are secrets, and soon forgotten.
    this.#signingKeys = new LookupCache("signing-key", null, options);
    this.#marks = new ChangeMarks(options.cache.maxEntries);
  }

  /** Forgets the verdicts about a sandbox: its preview token changes with a start. */
  async forget(sandboxId: string, change: Change): Promise<void> {
    this.#marks.set(sandboxId, change.mark);
    await this.#signingKeys.forget(sandboxId, change);
  }

  /** True if `token` is the sandbox's current preview token. */
  isPreviewToken(
    sandboxId: string,
    token: string,
    budget: Budget,
  ): Awaitable<boolean> {
    const key = this.#marks.keyOf(sandboxId, token);
    const known = this.#previewTokens.known(key);
    if (known !== undefined) return known;
    // A token that the API cannot be asked about is not cached either.
    if (!mayBePreviewToken(token)) return false;
    const ask = () => this.#api.isPreviewToken(sandboxId, token);
    return this.#previewTokens.lookUp(key, ask, budget);
  }

  /** True if an API key or JWT is a user's, who may access the sandbox; null if so, but the sandbox was deleted. */
  hasAccess(
    sandboxId: string,
    user: BearerUser,
    budget: Budget,
  ): Awaitable<boolean | null> {
    const key = this.#marks.keyOf(sandboxId, user.bearer);
    const known = this.#users.known(key);
    if (known !== undefined) return known;
    if (!isBearer(user.bearer)) return false;
    const ask = () => {
      const asked = this.#api.hasSandboxAccess(sandboxId, user);
      return ifUser(asked, { api: this.#api, user, no: false });
    };
    const endsAt = () => knownEndOf(user);
    return this.#users.lookUp(key, ask, budget, undefined, endsAt);
  }

  /** The sandbox that a signed token grants access to on `port`; null if it grants none there, or no longer does. */
  sandboxOfSignedToken(
    token: string,
    port: number,
    budget: Budget,
  ): Awaitable<string | null> {
    const key = this.#marks.digestOf([token, String(port)]);
    const ask = () => this.#api.sandboxIdOfSignedToken(token, port);
    return this.#signedTokens.lookUp(key, ask, budget);
  }

  /** The key by which the URLs of the sandbox's files are signed; null if there is none, as at older APIs. */
  signingKeyOf(
    sandboxId: string,
    budget: Budget,
  ): Awaitable<string | null> {
    const ask = () => this.#api.signingKeyOfSandbox(sandboxId);
    return this.#signingKeys.lookUp(sandboxId, ask, budget);
  }
}

/**
 * The API's answer to a question that was asked with a user's bearer, or `no` if that is not a user's: machines have keys
 * too. Whose it is is asked afterwards, as a wrong key costs its visitor one refusal then, and a known one no question.
 * @throws {GatewayError} `api_unreachable` or `user_throttled` if an answer is missing
 */
export async function ifUser<T>(
  question: Promise<T>,
  { api, user, no }: {
    readonly api: Pick<DaytonaApi, "isOwnedByUser">;
    readonly user: User;
    readonly no: T;
  },
): Promise<T> {
  const answer = await question;
  return answer !== no && await api.isOwnedByUser(user) ? answer : no;
}
