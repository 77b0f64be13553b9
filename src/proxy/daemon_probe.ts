/**
 * Asks whether the daemon of a sandbox is there. A port on which nothing listens and a daemon that is down look the
 * same from outside, an empty 502; what to do about them is not the same.
 */
import { LRUCache } from "lru-cache";
import { toolboxTarget } from "../address/app_target.ts";
import type { Runner } from "../daytona/client.ts";
import type { UpstreamClient } from "../upstream/client.ts";
import { proxyBaseOf } from "./runner_base.ts";
import { isEmptyBadGateway } from "./runner_errors.ts";

/** Whether the daemon answers; true also where that cannot be told. */
export type DaemonProbe = (
  sandboxId: string,
  runner: Runner,
) => Promise<boolean>;

/** How long an answer holds, ms: a page that is reloaded in a loop must not double what its runner has to do. */
const ANSWER_TTL_MS = 2000;

/** How long the daemon may take, ms. */
const DEADLINE_MS = 2000;

/** Sandboxes whose answer is kept. */
const MAX_SANDBOXES = 1000;

/** Something that every daemon has, and that costs it nothing. */
const TARGET = "/version";

/** Creates the probe. */
export function createDaemonProbe(options: {
  upstream: Pick<UpstreamClient, "request">;
  /** Milliseconds. */
  now: () => number;
}): DaemonProbe {
  const answers = new LRUCache<string, Promise<boolean>>({
    max: MAX_SANDBOXES,
    ttl: ANSWER_TTL_MS,
    perf: { now: options.now },
  });

  async function ask(sandboxId: string, runner: Runner): Promise<boolean> {
    const base = proxyBaseOf(runner);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), DEADLINE_MS);
    try {
      const response = await options.upstream.request({
        origin: base.origin,
        method: "GET",
        target: `${base.path}${toolboxTarget(sandboxId, TARGET)}`,
        headers: [
          ["host", base.authority],
          ["x-daytona-authorization", `Bearer ${runner.apiKey}`],
        ],
        body: null,
        contentLength: null,
        signal: deadline.signal,
      });
      if (response.body instanceof ReadableStream) await response.body.cancel();
      return !isEmptyBadGateway(response);
    } catch {
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  return function isDaemonUp(sandboxId, runner) {
    const known = answers.get(sandboxId);
    if (known !== undefined) return known;
    const answer = ask(sandboxId, runner);
    answers.set(sandboxId, answer);
    return answer;
  };
}
