/** How a runner's record crosses the durable tier. */
import type { Codec } from "../cache/cache.ts";
import type { DurableStore } from "../cache/store.ts";
import type { Runner } from "../daytona/client.ts";
import { runnerAnswer } from "../daytona/models.ts";
import type { Sealer } from "../lib/seal.ts";
import type { AnswerKind } from "./answers.ts";

/** Stands for the id that Daytona's own programs do not keep; of a cached runner, nobody asks for it. */
const UNKNOWN_ID = "unknown";

/** The codec for entries of `kind` in `store`: sealed, except where Daytona's programs read and write them too. */
export function runnerCodec(
  kind: AnswerKind,
  store: DurableStore | null,
  sealer: Sealer,
): Codec<Runner | null> {
  return store?.daytonaKinds?.has(kind) ? DAYTONA_RUNNER : sealedRunner(sealer);
}

/** A runner's record holds its key, so it leaves the process sealed. */
function sealedRunner(sealer: Sealer): Codec<Runner | null> {
  return {
    async encode(runner, staleUntil) {
      return runner === null
        ? null
        : await sealer.seal({ runner: { ...runner } }, staleUntil);
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
 * `{"apiKey","apiUrl"}` as Daytona's API and Go proxy keep it, where `apiUrl` is the runner's `proxyUrl`, and what else
 * we know. What others wrote is checked like an answer of the API.
 */
const DAYTONA_RUNNER: Codec<Runner | null> = {
  encode: (runner) =>
    runner && {
      apiKey: runner.apiKey,
      apiUrl: runner.proxyUrl,
      proxyUrl: runner.proxyUrl,
      id: runner.id,
      runnerApiUrl: runner.apiUrl,
    },
  decode(json) {
    if (typeof json !== "object" || json === null) return undefined;
    const kept: Readonly<Record<string, unknown>> = { ...json };
    return runnerAnswer.safeParse({
      id: kept.id ?? UNKNOWN_ID,
      apiKey: kept.apiKey,
      proxyUrl: kept.proxyUrl ?? kept.apiUrl,
      apiUrl: kept.runnerApiUrl,
    }).data;
  },
};
