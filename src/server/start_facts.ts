/** What the log says of a gateway when it starts. */
import { formatLocalCache } from "../config/cache_location.ts";
import type { Config } from "../config/config.ts";

/** Facts by which an operator recognizes a gateway and its configuration; none of them is a secret. */
export function startFacts(
  config: Pick<Config, "public" | "daytona" | "cache" | "oidc">,
  version: string,
): Record<string, string> {
  const { domains } = config.public;
  const { location } = config.cache;
  return {
    version,
    domains: domains.length === 0
      ? FROM_API
      : domains.map(({ name, port }) =>
        port === undefined ? name : `${name}:${port}`
      ).join(","),
    apiUrl: config.daytona.apiUrl,
    cache: location.kind === "kv" || location.kind === "none"
      ? formatLocalCache(location)
      : location.kind,
    issuer: config.oidc.issuer ?? FROM_API,
  };
}

const FROM_API = "from the API";
