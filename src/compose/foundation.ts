/** Composes what everything else is built on: the durable cache tier, the API client, sealers and metrics. */
import type { OnCacheEvent } from "../cache/cache.ts";
import { openDurableStore } from "../cache/open_store.ts";
import type { Config } from "../config/config.ts";
import { createDaytonaApi, type DaytonaApi } from "../daytona/api.ts";
import { createKeyWatch, type KeyWatch } from "../daytona/service_key.ts";
import { createBackground } from "../lib/background.ts";
import { describeError } from "../lib/describe_error.ts";
import { createReportLimit } from "../lib/report_limit.ts";
import { createSealer, type Sealer } from "../lib/seal.ts";
import { loggerFor } from "../observability/log.ts";
import {
  createMetrics,
  type Metrics,
} from "../observability/metrics/metrics.ts";
import type { LookupCacheOptions } from "../resolver/lookup_cache.ts";

/** What everything else is built on, including the dependencies of all caches of answers. */
export interface Foundation extends LookupCacheOptions {
  readonly metrics: Metrics;
  readonly api: DaytonaApi;
  /** What the API makes of the gateway's own key. */
  readonly serviceKey: KeyWatch;
  /** Creates the sealer for one purpose; its tokens have at most `maxLength` characters. */
  readonly sealerFor: (purpose: string, maxLength?: number) => Sealer;
}

/** Opens the cache and composes the rest; aborting `closing` cancels all calls to the API. */
export async function composeFoundation(
  config: Config,
  options: {
    readonly version: string;
    /** Whether the platform's own database is shared by several processes. */
    readonly platformShared: boolean;
    readonly closing: AbortSignal;
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
  const serviceKey = watchServiceKey(now);
  return {
    cache: config.cache,
    store,
    background,
    now,
    onEvent: cacheEvents(metrics),
    metrics,
    serviceKey,
    api: createDaytonaApi({
      baseUrl: config.daytona.apiUrl,
      apiKey: config.daytona.serviceKey,
      timeoutMs: config.daytona.timeoutMs,
      closing: options.closing,
      onCall: metrics.apiCall,
      onKeyVerdict: serviceKey.note,
    }),
    sealerFor: (purpose, maxLength) =>
      createSealer({
        secrets: config.session.secrets,
        purpose,
        now,
        ...(maxLength === undefined ? {} : { maxLength }),
      }),
  };
}

/** Counts cache events, and logs what a codec threw (a bug, or a value too long to seal) once a minute per cache. */
function cacheEvents(metrics: Metrics): OnCacheEvent {
  const shouldReport = createReportLimit(() => performance.now());
  return (event, kind, cause) => {
    metrics.cacheEvent(event, kind);
    if (cause === undefined || !shouldReport(kind)) return;
    loggerFor("cache").warn("cache codec failed", {
      kind,
      cause: describeError(cause),
    });
  };
}

/** Creates the watch over the gateway's own key, which logs when the API begins to refuse it. */
function watchServiceKey(now: () => number): KeyWatch {
  const logger = loggerFor("api");
  return createKeyWatch({
    now,
    onChange(verdict) {
      if (verdict === "accepted") {
        return logger.info("the API accepts PROXY_API_KEY now");
      }
      logger.error(
        "the API does not accept PROXY_API_KEY: it must be the value that the API has under the same name",
        {
          reason: verdict === "unknown"
            ? "the API does not know the key (401)"
            : "the API knows the key, but not as its proxy's (403)",
        },
      );
    },
  });
}
