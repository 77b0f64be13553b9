/** Access decisions: the API's verdict on each kind of credential, cached under a digest of the credential. */
import {
  isBearer,
  isSandboxRef,
  mayBePreviewToken,
} from "../address/grammar.ts";
import type { Codec } from "../cache/cache.ts";
import type { DaytonaApi } from "../daytona/api.ts";
import { createDigests } from "../lib/digest.ts";
import {
  booleanCodec,
  type Budget,
  type LookupCacheOptions,
  openLookupCache,
} from "./lookup_cache.ts";

/**
 * Decides on credentials.
 *
 * @throws {GatewayError} `api_unreachable` if an answer is neither cached nor given by the API; every method
 * @throws what `budget.spend` throws, if no cached answer may be served instead; every method
 */
export interface AccessResolver {
  /** Whether `token` is the sandbox's current preview token. */
  isPreviewToken(
    sandboxId: string,
    token: string,
    budget: Budget,
  ): boolean | Promise<boolean>;
  /** Whether the owner of an API key or JWT may access the sandbox. */
  hasAccess(
    sandboxId: string,
    user: { bearer: string; clientAddress: string },
    budget: Budget,
  ): boolean | Promise<boolean>;
  /** The sandbox that a signed token grants access to on `port`; null if it grants none there, or no longer does. */
  sandboxOfSignedToken(
    token: string,
    port: number,
    budget: Budget,
  ): string | null | Promise<string | null>;
}

const sandboxIdCodec: Codec<string | null> = {
  encode: (value) => value,
  decode: (json) =>
    json === null || typeof json === "string" && isSandboxRef(json)
      ? json
      : undefined,
};

/** Creates the directory, which asks the API and caches its answers. */
export function createAccessResolver(
  api: Pick<
    DaytonaApi,
    "isPreviewToken" | "hasSandboxAccess" | "sandboxIdOfSignedToken"
  >,
  options: LookupCacheOptions,
): AccessResolver {
  const isPositive = (value: boolean) => value;
  const digestKey = createDigests(options.cache.maxEntries);
  const previewTokens = openLookupCache<boolean>(
    "sandbox-auth-key-valid",
    booleanCodec,
    { ...options, isPositive },
  );
  const users = openLookupCache<boolean>("sandbox-access", booleanCodec, {
    ...options,
    isPositive,
  });
  const signedTokens = openLookupCache<string | null>(
    "signed-token",
    sandboxIdCodec,
    { ...options, isPositive: (value) => value !== null },
  );

  return {
    // A token that the API cannot be asked about is not cached either.
    isPreviewToken: (sandboxId, token, budget) =>
      mayBePreviewToken(token) &&
      previewTokens.lookUp(
        digestKey([sandboxId, token]),
        () => api.isPreviewToken(sandboxId, token),
        budget,
      ),
    hasAccess: (sandboxId, user, budget) =>
      isBearer(user.bearer) &&
      users.lookUp(
        digestKey([sandboxId, user.bearer]),
        () => api.hasSandboxAccess(sandboxId, user),
        budget,
      ),
    sandboxOfSignedToken: (token, port, budget) =>
      signedTokens.lookUp(
        digestKey([token, String(port)]),
        () => api.sandboxIdOfSignedToken(token, port),
        budget,
      ),
  };
}
