/** Public keys of issuers (RFC 7517 section 5): fetched, cached, and kept for a while if nobody answers. */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JWTVerifyGetKey,
} from "jose";
import { GatewayError } from "../../errors.ts";
import { isPending } from "../../lib/cooldown.ts";
import { describeError } from "../../lib/describe_error.ts";
import type { Rule } from "./rules.ts";

/** Times of the cache, ms: an unknown key id has keys fetched anew, as often as `cooldownDuration` allows. */
const TIMES = {
  cacheMaxAge: 600_000,
  cooldownDuration: 60_000,
  timeoutDuration: 5000,
};

/** The time for which the last known ones are given out, ms; `cacheMaxAge` adds to it. */
const USABLE_MS = 3_600_000;

/** Time between a failure and the next request, ms. */
const PAUSE_MS = 5000;

/** Selects keys for jose, given ones or those at a URL; what it returns throws `issuer_unavailable` if none are known. */
export function createIssuerKeys(
  jwks: Rule["jwks"],
  fetchKeys: typeof fetch,
  onFailure: (url: string, reason: string) => void,
): JWTVerifyGetKey {
  if (typeof jwks !== "string") return createLocalJWKSet(jwks);
  const url = jwks;
  let known: { readonly at: number; readonly keys: unknown[] } | undefined;
  let failedAt = -Infinity;

  async function ask(init: RequestInit): Promise<void> {
    try {
      const response = await fetchKeys(url, { ...init, redirect: "error" });
      const { keys } = Object(await response.json());
      if (!response.ok || !Array.isArray(keys)) throw new Error("No key set");
      known = { at: Date.now(), keys };
    } catch (error) {
      failedAt = Date.now();
      onFailure(url, describeError(error));
    }
  }

  return createRemoteJWKSet(new URL(url), {
    ...TIMES,
    async [customFetch](_, init) {
      const now = Date.now();
      const pause = { now, withinMs: PAUSE_MS };
      if (!isPending(failedAt + PAUSE_MS, pause)) await ask(init);
      if (known !== undefined && now - known.at < USABLE_MS) {
        return Response.json({ keys: known.keys });
      }
      throw new GatewayError("issuer_unavailable", `No keys at ${url}`);
    },
  });
}
