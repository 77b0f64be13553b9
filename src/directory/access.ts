/** Who may enter: the API's word on each kind of credential, cached under a digest of it. */
import type { Codec } from "../cache/cache.ts";
import type { DaytonaApi } from "../daytona/client.ts";
import { isAuthToken, isBearer, isSandboxRef } from "../daytona/grammar.ts";
import { createDigests } from "../lib/digest.ts";
import {
  type AnswerCacheOptions,
  booleanCodec,
  type Charge,
  openAnswerCache,
} from "./answers.ts";

/** Decisions on credentials; each throws `api_unreachable` where the API is needed and down. */
export interface AccessDirectory {
  /** Whether `token` is the sandbox's own preview token. */
  isPreviewToken(
    sandboxId: string,
    token: string,
    charge: Charge,
  ): boolean | Promise<boolean>;
  /** Whether the user behind an API key or JWT may see the sandbox. */
  hasAccess(
    sandboxId: string,
    user: { bearer: string; clientAddress: string },
    charge: Charge,
  ): boolean | Promise<boolean>;
  /** The sandbox that a signed token opens on `port`; null where it opens nothing there (any more). */
  sandboxOfSignedToken(
    token: string,
    port: number,
    charge: Charge,
  ): string | null | Promise<string | null>;
}

const sandboxIdCodec: Codec<string | null> = {
  encode: (value) => value,
  decode: (json) =>
    json === null || typeof json === "string" && isSandboxRef(json)
      ? json
      : undefined,
};

/** Creates the directory on the API and the caches behind it. */
export function createAccessDirectory(
  api: Pick<
    DaytonaApi,
    "isValidAuthToken" | "hasSandboxAccess" | "sandboxIdOfSignedToken"
  >,
  options: AnswerCacheOptions,
): AccessDirectory {
  const isYes = (value: boolean) => value;
  const digestKey = createDigests(options.cache.maxEntries);
  const previewTokens = openAnswerCache<boolean>(
    "sandbox-auth-key-valid",
    booleanCodec,
    { ...options, isYes },
  );
  const users = openAnswerCache<boolean>("sandbox-access", booleanCodec, {
    ...options,
    isYes,
  });
  const signedTokens = openAnswerCache<string | null>(
    "signed-token",
    sandboxIdCodec,
    { ...options, isYes: (value) => value !== null },
  );

  return {
    // What the API would not be asked about leaves no trace here either.
    isPreviewToken: (sandboxId, token, charge) =>
      isAuthToken(token) &&
      previewTokens.lookUp(
        digestKey([sandboxId, token]),
        () => api.isValidAuthToken(sandboxId, token),
        charge,
      ),
    hasAccess: (sandboxId, user, charge) =>
      isBearer(user.bearer) &&
      users.lookUp(
        digestKey([sandboxId, user.bearer]),
        () => api.hasSandboxAccess(sandboxId, user),
        charge,
      ),
    sandboxOfSignedToken: (token, port, charge) =>
      signedTokens.lookUp(
        digestKey([token, String(port)]),
        () => api.sandboxIdOfSignedToken(token, port),
        charge,
      ),
  };
}
