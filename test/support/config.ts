/** Configurations for tests. */
import assert from "node:assert/strict";
import {
  type Config,
  formatProblems,
  parseConfig,
} from "../../src/config/config.ts";
import { SECTIONS } from "../../src/modules.ts";

/** The required variables. */
export const REQUIRED = {
  DAYTONA_API_URL: "http://127.0.0.1/api",
  PROXY_API_KEY: "key",
};

/** The same for a gateway in front of a Daytona that somebody else runs. */
export const HOSTED_REQUIRED = {
  DAYTONA_API_KEY: "dtn_organization",
  PROXY_DOMAIN: "preview.example.com",
};

/** The configuration by an environment that needs not hold the required variables; fails if it is not valid. */
export function configOf(env: Readonly<Record<string, string>> = {}): Config {
  const result = parseConfig({ ...REQUIRED, ...env }, SECTIONS);
  return result.ok
    ? result.config
    : assert.fail(formatProblems(result.problems));
}

/** The names of the settings that an environment sets wrongly, besides the required variables. */
export function problemsOf(
  env: Readonly<Record<string, string>>,
  required: Readonly<Record<string, string>> = REQUIRED,
): string[] {
  const result = parseConfig({ ...required, ...env }, SECTIONS);
  return result.ok ? [] : result.problems.map(({ name }) => name);
}
