/** The base domains that previews live under: configured, or learnt from the API. */
import type { DaytonaApi } from "../daytona/client.ts";
import { proxyDomainOf } from "../daytona/remote_config.ts";
import { GatewayError } from "../errors.ts";
import { backoffMs, type Sleep } from "../lib/backoff.ts";

/** The base domains, as far as they are known. */
export interface BaseDomains {
  /** Lower case, without ports, the longest first; empty until they are known. */
  current(): readonly string[];
  /** Asks the API until it tells, where none are configured; `signal` ends the asking. */
  learn(signal: AbortSignal): Promise<void>;
}

/** Pauses between two questions while the API does not answer, ms. */
const PAUSE = { baseMs: 1000, maxMs: 60_000 };

/** Creates the holder of the base domains. */
export function createBaseDomains(
  configured: readonly string[],
  options: {
    api: Pick<DaytonaApi, "config">;
    sleep: Sleep;
    random: () => number;
    onFailure: (error: unknown) => void;
  },
): BaseDomains {
  // The longest first: with `example.com` and `preview.example.com`, a host below the latter belongs to the latter.
  let domains = configured.toSorted((a, b) => b.length - a.length);

  async function ask(): Promise<void> {
    const { proxyTemplateUrl } = await options.api.config();
    const domain = proxyDomainOf(proxyTemplateUrl ?? "")?.domain;
    if (domain === undefined) {
      throw new GatewayError(
        "api_unreachable",
        "The API's proxyTemplateUrl names no domain: set PROXY_DOMAIN",
      );
    }
    domains = [domain];
  }

  return {
    current: () => domains,
    async learn(signal) {
      for (let failed = 0; domains.length === 0 && !signal.aborted;) {
        try {
          await ask();
        } catch (error) {
          failed++;
          options.onFailure(error);
          const pauseMs = backoffMs(failed, { ...PAUSE, ...options, tries: 0 });
          await options.sleep(pauseMs, signal).catch(() => {});
        }
      }
    },
  };
}
