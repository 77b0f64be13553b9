/** Browsers that have just opened a link with a token, and so must have a session the next time they ask. */
import { previewAuthority } from "../address/preview_host.ts";
import { isNavigation } from "../http/fetch_metadata.ts";
import { clientKey } from "../lib/client_key.ts";
import { digestKey } from "../lib/digest.ts";
import { ExpiringLru } from "../lib/lru.ts";
import type { PreviewExchange } from "./preview_route.ts";

/** Time within which the next navigation follows, ms. */
const MEMORY_MS = 10_000;

/** Most browsers that are remembered. */
const MAX_BROWSERS = 1000;

/**
 * Knows a browser again by its address and what it calls itself, since it may keep no cookie. So this is a guess, which
 * decides about the text of a refusal only: of two people behind one address with equal browsers, the wrong one may be
 * told. Nor does another gateway know of it: there, as after ten seconds, the login begins.
 */
export class OpenedLinks {
  readonly #opened: ExpiringLru<string, true>;
  readonly #now: () => number;
  #lastAt = -Infinity;

  /** `now` is in ms since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
    const ttlMs = MEMORY_MS;
    this.#opened = new ExpiringLru({ max: MAX_BROWSERS, ttlMs, now });
  }

  /** Notes that the client was given a session. */
  add(x: PreviewExchange): void {
    if (!isNavigation(x.received.method, x.received.headers)) return;
    this.#lastAt = this.#now();
    this.#opened.set(keyOf(x), true);
  }

  /** True if the client was given one on that host a moment ago, and navigates there for the first time since. */
  take(x: PreviewExchange): boolean {
    const { method, headers } = x.received;
    const isAnyLeft = this.#now() - this.#lastAt < MEMORY_MS;
    if (!isAnyLeft || !isNavigation(method, headers)) return false;
    const key = keyOf(x);
    const isOpened = this.#opened.has(key);
    this.#opened.delete(key);
    return isOpened;
  }
}

function keyOf(
  { received: { headers, client }, route: { host } }: PreviewExchange,
): string {
  const agent = headers.get("user-agent") ?? "";
  return digestKey([
    clientKey(client.clientAddress),
    previewAuthority(host),
    agent,
  ]);
}
