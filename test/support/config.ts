/** Configurations for tests. */
import assert from "node:assert/strict";
import {
  type Config,
  formatProblems,
  parseConfig,
} from "../../src/config/config.ts";

/** The required variables. */
export const REQUIRED = {
  DAYTONA_API_URL: "http://127.0.0.1/api",
  PROXY_API_KEY: "key",
};

/** The configuration by an environment that needs not hold the required variables; fails if it is not valid. */
export function configOf(env: Readonly<Record<string, string>> = {}): Config {
  const result = parseConfig({ ...REQUIRED, ...env });
  return result.ok
    ? result.config
    : assert.fail(formatProblems(result.problems));
}
