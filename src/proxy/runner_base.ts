/** The base URL of a runner, taken apart once. */
import type { Runner } from "../daytona/client.ts";
import { withoutTrailingSlashes } from "../lib/slashes.ts";
import { parseOrigin } from "../upstream/origin.ts";
import type { Origin } from "../upstream/types.ts";

/** Where requests to a runner go. */
export interface RunnerBase {
  readonly origin: Origin;
  /** What the runner's own Host is. */
  readonly authority: string;
  /** What its URL's path is, without a slash at the end: every request-target begins with it. */
  readonly path: string;
}

const bases = new WeakMap<Runner, RunnerBase>();

/** The base of a runner's previews and toolboxes. */
export function proxyBaseOf(runner: Runner): RunnerBase {
  const known = bases.get(runner);
  if (known !== undefined) return known;
  const base = runnerBase(runner.proxyUrl);
  bases.set(runner, base);
  return base;
}

/** Takes a base URL apart. */
export function runnerBase(url: string): RunnerBase {
  const { host, pathname } = new URL(url);
  return {
    origin: parseOrigin(url),
    authority: host,
    path: withoutTrailingSlashes(pathname),
  };
}
