/** Browsers that have just opened a link with a token, and so must have a session the next time they ask. */
import { LRUCache } from "lru-cache";
import { previewAuthority } from "../address/preview_host.ts";
import { isNavigation } from "../http/fetch_metadata.ts";
import { clientKey } from "../lib/client_key.ts";
import { digestKey } from "../lib/digest.ts";
import type { PreviewExchange } from "./sandbox_exchange.ts";

/** Time within which the next navigation follows, ms. */
const MEMORY_MS = 10_000;

/** Most browsers that are remembered. */
const MAX_BROWSERS = 1000;

type Navigation = Pick<
  PreviewExchange,
  "method" | "headers" | "host" | "clientAddress"
>;

/**
 * Knows a browser again by its address and what it calls itself, since it may keep no cookie. So this is a guess, which
 * decides about the text of a refusal only: of two people behind one address with equal browsers, the wrong one may be
 * told. Nor does another gateway know of it: there, as after ten seconds, the login begins.
 */
export class OpenedLinks {
  /** When each was given a session, ms since the epoch. */
  readonly #openedAt = new LRUCache<string, number>({ max: MAX_BROWSERS });
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes that the client was given a session. */
  add(x: Navigation): void {
    if (isNavigation(x.method, x.headers)) {
      this.#openedAt.set(keyOf(x), this.#now());
    }
  }

  /** True if the client was given one on that host a moment ago, and navigates there for the first time since. */
  take(x: Navigation): boolean {
    if (this.#openedAt.size === 0 || !isNavigation(x.method, x.headers)) {
      return false;
    }
    const key = keyOf(x);
    const openedAt = this.#openedAt.get(key) ?? -Infinity;
    this.#openedAt.delete(key);
    return this.#now() - openedAt < MEMORY_MS;
  }
}

function keyOf({ headers, host, clientAddress }: Navigation): string {
  const agent = headers.get("user-agent") ?? "";
  return digestKey([clientKey(clientAddress), previewAuthority(host), agent]);
}
