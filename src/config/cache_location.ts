/** The location of the durable cache tier, and its format. */
import { isLoopbackHttp } from "../http/url.ts";
import { parsedBy } from "./formats.ts";
import type { Format } from "./read_settings.ts";

export type CacheLocation =
  | { readonly kind: "none" }
  /** `path` as in `Deno.openKv(path)`: undefined for the platform's own database, `:memory:` for one without a file. */
  | { readonly kind: "kv"; readonly path: string | undefined }
  | { readonly kind: "kv-connect"; readonly url: string }
  | RedisLocation;

/** Where a server listens. */
export interface RedisNode {
  /** A host name or an IP address; an IPv6 address is without brackets. */
  readonly hostname: string;
  readonly port: number;
}

export interface RedisLocation {
  readonly kind: "redis";
  /** What the nodes are: a primary, which may turn out to be one of a Cluster; some of a Cluster; or Sentinels. */
  readonly topology: keyof typeof REDIS_PATHS;
  readonly nodes: readonly [RedisNode, ...RedisNode[]];
  /** The name by which Sentinels know the primary; otherwise empty. */
  readonly primary: string;
  readonly tls: boolean;
  /** The file of the only certificate authorities to trust, PEM; undefined for the system's. */
  readonly caFile: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The number of the logical database. */
  readonly database: number;
}

export const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/** Not a standard URL, as several hosts are separated by commas. */
const REDIS_URL =
  /^(rediss?)(?:\+(cluster|sentinel))?:\/\/([^/?#]*@)?([^/?#@]*)([^?#]*)$/i;

/** The path names the primary, and then the logical database; a Cluster has only one. */
const REDIS_PATHS = {
  primary: /^\/?(?<database>\d{0,4})$/,
  cluster: /^\/?(?<database>0?)$/,
  sentinel: /^\/(?<primary>[\w.-]+)(?:\/(?<database>\d{0,4}))?$/,
} as const;

/** Undefined for another text; throws if user name or password are not encoded as they must be. */
function redisLocation(text: string): RedisLocation | undefined {
  const [, scheme = "", kind = "primary", user = "", hosts = "", path = ""] =
    REDIS_URL.exec(text) ?? [];
  const topology = kind.toLowerCase() as keyof typeof REDIS_PATHS;
  const urls = hosts.split(",").map((host) =>
    URL.parse(`redis://${user}${host}`)
  );
  const named = REDIS_PATHS[topology].exec(path)?.groups;
  const areHosts = urls.every((url) => url !== null && url.hostname !== "");
  const isOneTooMany = topology === "primary" && urls.length > 1;
  if (named === undefined || !areHosts || isOneTooMany) return undefined;
  const { username = "", password = "" } = urls[0] ?? {};
  const [first, ...others] = urls.flatMap((url) => url ? nodeOf(url) : []);
  return first && {
    kind: "redis",
    topology,
    nodes: [first, ...others],
    primary: named.primary ?? "",
    tls: scheme.toLowerCase() === "rediss",
    caFile: undefined,
    username: decodeURIComponent(username) || undefined,
    password: decodeURIComponent(password) || undefined,
    database: Number(named.database ?? 0),
  };

  function nodeOf({ hostname, port }: URL): RedisNode {
    const usual = topology === "sentinel" ? SENTINEL_PORT : REDIS_PORT;
    return {
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: Number(port) || usual,
    };
  }
}

/** The addresses of a location's nodes, for a log. */
export function addressesOf({ nodes }: Pick<RedisLocation, "nodes">): string {
  return nodes.map(({ hostname, port }) => `${hostname}:${port}`).join(", ");
}

function locationOf(text: string): CacheLocation | undefined {
  if (text === "none") return { kind: "none" };
  if (text.startsWith("kv:")) {
    return { kind: "kv", path: text.slice("kv:".length) || undefined };
  }
  if (/^redis/i.test(text)) {
    try {
      return redisLocation(text);
    } catch {
      return undefined; // invalid percent-encoding in the user name or password
    }
  }
  const url = URL.parse(text);
  if (url === null) return undefined;
  // The token of a KV Connect service must not leave this machine unencrypted.
  return url.protocol === "https:" || isLoopbackHttp(url.href)
    ? { kind: "kv-connect", url: text }
    : undefined;
}

/** Writes a location that is private to one process in the format of `CACHE_URL`. */
export function formatLocalCache(
  location: CacheLocation & { kind: "none" | "kv" },
): string {
  return location.kind === "none" ? "none" : `kv:${location.path ?? ""}`;
}

export const cacheLocation: Format<CacheLocation> = parsedBy(
  "kv: (the platform's Deno KV), kv:PATH, kv::memory:, an https URL of a KV Connect service, redis://[USER:PASSWORD@]HOST[:PORT][/DB], redis+cluster://HOST[:PORT],…, redis+sentinel://HOST[:PORT],…/NAME[/DB], rediss… for TLS, or none",
  locationOf,
);
