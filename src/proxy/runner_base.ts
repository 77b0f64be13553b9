/** The base URL of a runner, parsed once. */
import { type Origin, parseOrigin } from "../address/origin.ts";
import type { Runner } from "../daytona/api.ts";
import { withoutTrailingSlashes } from "../lib/url.ts";

/** Where requests to a runner go. */
export interface RunnerBase {
  readonly origin: Origin;
  /** The Host of requests to it. */
  readonly authority: string;
  /** The URL's path without trailing slashes, with which every request-target begins. */
  readonly path: string;
}

const bases = new WeakMap<Runner, RunnerBase>();

/** The base for a runner's previews and toolboxes. */
export function proxyBaseOf(runner: Runner): RunnerBase {
  const known = bases.get(runner);
  if (known !== undefined) return known;
  const base = runnerBase(runner.proxyUrl);
  bases.set(runner, base);
  return base;
}

/** Parses a base URL. */
export function runnerBase(url: string): RunnerBase {
  const { host, pathname } = new URL(url);
  return {
    origin: parseOrigin(url),
    authority: host,
    path: withoutTrailingSlashes(pathname),
  };
}
