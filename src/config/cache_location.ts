/** Where the durable cache tier is kept, and how that is written. */
import { z } from "zod";
import type { Format } from "../lib/settings.ts";

/** Where the durable cache tier is kept. */
export type CacheLocation =
  | { readonly kind: "none" }
  /** As `Deno.openKv(path)` takes it: undefined is the platform's own database, `:memory:` one without a file. */
  | { readonly kind: "kv"; readonly path: string | undefined }
  | { readonly kind: "kv-connect"; readonly url: string }
  | RedisLocation;

/** A Redis server, and who we are there. */
export interface RedisLocation {
  readonly kind: "redis";
  readonly tls: boolean;
  /** A name or an address; an IPv6 address has no brackets here. */
  readonly hostname: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The number of the logical database. */
  readonly database: number;
}

/** Where a Redis server listens unless something else is said. */
export const REDIS_PORT = 6379;

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/;

/** A KV Connect service: its token must not travel in the clear, except within this machine. */
function isKvConnect(url: URL): boolean {
  return url.protocol === "https:" ||
    url.protocol === "http:" && LOOPBACK.test(url.hostname);
}

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
      return undefined; // a user name or password that is no percent-encoding
    }
  }
  return isKvConnect(url) ? { kind: "kv-connect", url: text } : undefined;
}

/** How `CACHE_URL` is written. */
export function cacheLocation(): Format<CacheLocation> {
  return {
    allowed:
      "kv: (the platform's Deno KV), kv:PATH, kv::memory:, an https URL of a KV Connect service, redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss://… for TLS, or none",
    schema: z.string().transform((text, context): CacheLocation => {
      const location = locationOf(text);
      if (location !== undefined) return location;
      context.addIssue("not a place for a cache");
      return z.NEVER;
    }),
  };
}
