/** Builds what everything else stands on: the cache tiers, the API's client, seals and metrics. */
import { openDurableStore } from "../cache/open_store.ts";
import type { DurableStore } from "../cache/store.ts";
import type { Config } from "../config.ts";
import { createDaytonaApi, type DaytonaApi } from "../daytona/client.ts";
import type { AnswerCacheOptions } from "../directory/answers.ts";
import { type Background, createBackground } from "../lib/background.ts";
import { describeError } from "../lib/describe_error.ts";
import { createSealer, type Sealer } from "../lib/seal.ts";
import { loggerFor } from "../observability/log.ts";
import {
  createMetrics,
  type Metrics,
} from "../observability/metrics/metrics.ts";

/** What everything else stands on. */
export interface Foundation {
  readonly metrics: Metrics;
  readonly api: DaytonaApi;
  readonly store: DurableStore | null;
  readonly background: Background;
  /** What all caches of answers are built from. */
  readonly answers:
    & AnswerCacheOptions
    & Required<
      Pick<AnswerCacheOptions, "onEvent">
    >;
  /** Seals for one purpose; what is sealed is at most `maxLength` characters long. */
  readonly sealerFor: (purpose: string, maxLength?: number) => Sealer;
  readonly now: () => number;
}

/** Builds it; `closing` ends every call of the API. */
export async function composeFoundation(
  config: Config,
  options: {
    version: string;
    platformShared: boolean;
    closing: AbortSignal;
  },
): Promise<Foundation> {
  const now = Date.now;
  const metrics = createMetrics({ version: options.version });
  const background = createBackground();
  const store = await openDurableStore(config.cache.location, {
    platformShared: options.platformShared,
    now,
    onFailure: (failure) =>
      loggerFor("cache").warn("durable tier failed", {
        store: failure.store,
        reason: failure.message,
        cause: describeError(failure.cause),
      }),
  });
  return {
    metrics,
    store,
    background,
    api: createDaytonaApi({
      baseUrl: config.daytona.apiUrl,
      apiKey: config.daytona.serviceKey,
      timeoutMs: config.daytona.timeoutMs,
      closing: options.closing,
      onCall: metrics.apiCall,
    }),
    answers: {
      cache: config.cache,
      store,
      background,
      now,
      onEvent: metrics.cacheEvent,
    },
    sealerFor: (purpose, maxLength) =>
      createSealer({
        secrets: config.session.secrets,
        purpose,
        now,
        ...(maxLength === undefined ? {} : { maxLength }),
      }),
    now,
  };
}
