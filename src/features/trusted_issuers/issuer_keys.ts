/** Public keys of issuers (RFC 7517 section 5): fetched, cached, and kept for a while if nobody answers. */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JWTVerifyGetKey,
} from "jose";
import { bounded } from "../../daytona/api_attempt.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
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

interface IssuerKeysOptions extends Pick<FeatureParts, "now"> {
  readonly fetchKeys: (request: Request) => Promise<Response>;
  readonly onFailure: (url: string, reason: string) => void;
}

/** Selects keys for jose, given ones or those at a URL; what it returns throws `issuer_unavailable` if none are known. */
export function createIssuerKeys(
  jwks: Rule["jwks"],
  { fetchKeys, onFailure, now }: IssuerKeysOptions,
): JWTVerifyGetKey {
  if (typeof jwks !== "string") return createLocalJWKSet(jwks);
  const url = jwks;
  let known: { readonly at: number; readonly keys: unknown[] } | undefined;
  let failedAt = -Infinity;

  async function ask(init: RequestInit): Promise<void> {
    try {
      const request = new Request(url, { ...init, redirect: "error" });
      const response = await bounded(await fetchKeys(request));
      const { keys } = Object(await response.json());
      if (!response.ok || !Array.isArray(keys)) throw new Error("No key set");
      known = { at: now(), keys };
    } catch (error) {
      failedAt = now();
      onFailure(url, describeError(error));
    }
  }

  return createRemoteJWKSet(new URL(url), {
    ...TIMES,
    async [customFetch](_, init) {
      const askedAt = now();
      const pause = { now: askedAt, withinMs: PAUSE_MS };
      if (!isPending(failedAt + PAUSE_MS, pause)) await ask(init);
      if (known !== undefined && askedAt - known.at < USABLE_MS) {
        return Response.json({ keys: known.keys });
      }
      throw new GatewayError("issuer_unavailable", `No keys at ${url}`);
    },
  });
}
