/** What keeps processes that share a port from being one gateway to their visitors. */
import type { Config } from "./config.ts";

export function sharedPortWarnings(
  { listen, cache }: Pick<Config, "listen" | "cache">,
): string[] {
  if (!listen.reusePort) return [];
  const warnings: string[] = [];
  if (listen.port === 0) {
    warnings.push(
      "REUSE_PORT is true, but PROXY_PORT is 0, which is another port for each process: set PROXY_PORT",
    );
  }
  const { kind } = cache.location;
  if (kind === "none" || kind === "kv") {
    warnings.push(
      "REUSE_PORT is true, but the cache is for one process, so a login at one is not known to the others: set CACHE_URL to Redis or KV Connect",
    );
  }
  return warnings;
}
