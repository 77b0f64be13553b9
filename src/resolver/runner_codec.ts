/** How a runner's record is stored in the durable tier. */
import type { Codec } from "../cache/cache.ts";
import type { DurableStore } from "../cache/store.ts";
import type { Runner } from "../daytona/api.ts";
import { runnerAnswer } from "../daytona/models.ts";
import type { Sealer } from "../lib/seal.ts";
import type { LookupKind } from "./lookup_cache.ts";

/** The codec for entries of `kind` in `store`: sealed, unless Daytona's programs read and write them as well. */
export function runnerCodec(
  kind: LookupKind,
  store: DurableStore | null,
  sealer: Sealer,
): Codec<Runner | null> {
  return store?.daytonaKinds?.has(kind) ? DAYTONA_RUNNER : sealedRunner(sealer);
}

/** A runner's record contains its key, so it leaves the process only sealed. */
function sealedRunner(sealer: Sealer): Codec<Runner | null> {
  return {
    async encode(runner, staleUntil) {
      return runner === null ? null : await sealer.seal({ runner }, staleUntil);
    },
    async decode(json) {
      if (json === null) return null;
      if (typeof json !== "string") return undefined;
      const payload = await sealer.open(json);
      return runnerAnswer.safeParse(payload?.runner).data;
    },
  };
}

/**
 * Daytona's own format, `{"apiKey","apiUrl"}`, whose `apiUrl` is the runner's `proxyUrl`, with our other fields added.
 * Records that others wrote are validated like answers of the API.
 */
const DAYTONA_RUNNER: Codec<Runner | null> = {
  encode: (runner) =>
    runner && {
      apiKey: runner.apiKey,
      apiUrl: runner.proxyUrl,
      proxyUrl: runner.proxyUrl,
      runnerApiUrl: runner.apiUrl,
    },
  decode(json) {
    if (typeof json !== "object" || json === null) return undefined;
    const stored: Readonly<Record<string, unknown>> = { ...json };
    return runnerAnswer.safeParse({
      apiKey: stored.apiKey,
      proxyUrl: stored.proxyUrl ?? stored.apiUrl,
      apiUrl: stored.runnerApiUrl,
    }).data;
  },
};
