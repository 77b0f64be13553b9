/** Who may enter: the API's word on each kind of credential, cached under a digest of it. */
import type { Codec } from "../cache/cache.ts";
import type { DaytonaApi } from "../daytona/client.ts";
import { digestKey } from "../lib/digest.ts";
import {
  type AnswerCacheOptions,
  booleanCodec,
  openAnswerCache,
} from "./answers.ts";

/** Decisions on credentials; each throws `api_unreachable` where the API is needed and down. */
export interface AccessDirectory {
  /** Whether `token` is the sandbox's own preview token. */
  isPreviewToken(
    sandboxId: string,
    token: string,
  ): boolean | Promise<boolean>;
  /** Whether the user behind an API key or JWT may see the sandbox. */
  hasAccess(
    sandboxId: string,
    user: { bearer: string; clientAddress: string },
  ): boolean | Promise<boolean>;
  /** The sandbox that a signed token opens on `port`; null where it opens nothing there (any more). */
  sandboxOfSignedToken(
    token: string,
    port: number,
  ): string | null | Promise<string | null>;
}

const sandboxIdCodec: Codec<string | null> = {
  encode: (value) => value,
  decode: (json) =>
    json === null || typeof json === "string" ? json : undefined,
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
    isPreviewToken(sandboxId, token) {
      const key = digestKey([sandboxId, token]);
      return previewTokens.peek(key) ??
        previewTokens.get(key, () => api.isValidAuthToken(sandboxId, token));
    },
    hasAccess(sandboxId, user) {
      const key = digestKey([sandboxId, user.bearer]);
      return users.peek(key) ??
        users.get(key, () => api.hasSandboxAccess(sandboxId, user));
    },
    sandboxOfSignedToken(token, port) {
      const key = digestKey([token, String(port)]);
      return signedTokens.peek(key) ??
        signedTokens.get(key, () => api.sandboxIdOfSignedToken(token, port));
    },
  };
}
