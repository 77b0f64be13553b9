/**
 * Checks whether a sandbox's daemon answers. From outside, a port on which nothing listens looks like a daemon that is
 * down: both are an empty 502, but they call for different remedies.
 */
import { LRUCache } from "lru-cache";
import type { Destination } from "../resolver/destination.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import { discardBody } from "../upstream/http1/message.ts";
import { isEmptyBadGateway } from "./refusals.ts";

/** The time that a result is reused, ms: a page that reloads in a loop must not double the load of its runner. */
const RESULT_TTL_MS = 2000;

/** The time that the daemon may take to answer, ms. */
const TIMEOUT_MS = 2000;

/** Most sandboxes whose result is kept. */
const MAX_SANDBOXES = 1000;

/** A resource that every daemon has, and that costs it nothing. */
const TARGET = "/version";

/** Asks daemons, and remembers the answers for a moment. */
export class DaemonProbe {
  readonly #upstream: Pick<UpstreamClient, "request">;
  readonly #results: LRUCache<string, Promise<boolean>>;

  constructor(upstream: Pick<UpstreamClient, "request">) {
    this.#upstream = upstream;
    this.#results = new LRUCache({
      max: MAX_SANDBOXES,
      ttl: RESULT_TTL_MS,
      ttlResolution: 0, // holds no timer
    });
  }

  /** True if the daemon answers, or if that cannot be determined. */
  isUp(sandboxId: string, destination: Destination): Promise<boolean> {
    const recent = this.#results.get(sandboxId);
    if (recent !== undefined) return recent;
    const result = this.#ask(destination);
    this.#results.set(sandboxId, result);
    return result;
  }

  async #ask(destination: Destination): Promise<boolean> {
    const { origin, authority, headers, toolboxPrefix } = destination;
    if (toolboxPrefix === undefined) return true;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
    try {
      const response = await this.#upstream.request({
        origin,
        method: "GET",
        target: toolboxPrefix + TARGET,
        headers: [["host", authority], ...headers],
        body: null,
        contentLength: null,
        signal: timeout.signal,
      });
      discardBody(response.body);
      return !isEmptyBadGateway(response);
    } catch {
      return true;
    } finally {
      clearTimeout(timer);
    }
  }
}
