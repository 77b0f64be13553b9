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

export interface RedisLocation {
  readonly kind: "redis";
  readonly tls: boolean;
  /** A host name or an IP address; an IPv6 address is without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The number of the logical database. */
  readonly database: number;
}

export const REDIS_PORT = 6379;

function redisLocation(url: URL): RedisLocation | undefined {
  const database = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if (database === undefined || url.hostname === "" || url.search !== "") {
    return undefined;
  }
  return {
    kind: "redis",
    tls: url.protocol === "rediss:",
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port) || REDIS_PORT,
    username: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
    database: Number(database),
  };
}

function locationOf(text: string): CacheLocation | undefined {
  if (text === "none") return { kind: "none" };
  if (text.startsWith("kv:")) {
    return { kind: "kv", path: text.slice("kv:".length) || undefined };
  }
  const url = URL.parse(text);
  if (url === null) return undefined;
  if (url.protocol === "redis:" || url.protocol === "rediss:") {
    try {
      return redisLocation(url);
    } catch {
      return undefined; // invalid percent-encoding in the user name or password
    }
  }
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
  "kv: (the platform's Deno KV), kv:PATH, kv::memory:, an https URL of a KV Connect service, redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… for TLS, or none",
  locationOf,
);
