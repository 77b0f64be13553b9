/** A gateway process from its environment to its end. */
import { formatProblems, parseConfig, SETTINGS } from "../config/config.ts";
import { findMisspelt, formatMisspelt } from "../config/misspelt.ts";
import { oddSettings } from "../config/odd_settings.ts";
import { findRetired, formatRetired } from "../config/retired.ts";
import type { AnySection } from "../config/section.ts";
import { sharedPortWarnings } from "../config/shared_port.ts";
import { StreamLineWriter } from "../observability/line_writer.ts";
import { loggerFor, startLogging } from "../observability/log.ts";
import { EXIT_CODES, type Outcome } from "./exit.ts";
import { run, type RunOptions } from "./run.ts";

interface StartOptions extends
  Omit<
    RunOptions,
    "config" | "lines" | "fetchesByProxy" | "hasSpans" | "log"
  > {
  /** All variables: those that configure it, and others, which may be misspelt. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sections: readonly AnySection[];
  readonly output: WritableStream<Uint8Array>;
}

/** The variables of a proxy, by which only Deno's own `fetch()` goes. */
const FETCH_PROXY = /^(?:https?|all)_proxy$/i;

/** Serves until a signal asks it to stop; never rejects. */
export async function start(options: StartOptions): Promise<Outcome> {
  const { env, sections, isManaged } = options;
  const result = parseConfig(env, sections);
  const names = [SETTINGS, ...sections.map(({ rows }) => rows)]
    .flatMap((rows) => Object.keys(rows));
  const misspelt = findMisspelt(names, env);
  const retired = findRetired(env);
  if (!result.ok) {
    const reason = [
      formatProblems(result.problems),
      formatMisspelt(misspelt),
      formatRetired(retired),
    ].filter((text) => text !== "").join("\n\n");
    return { code: EXIT_CODES.misconfigured, reason };
  }
  const { config } = result;
  const lines = new StreamLineWriter(options.output);
  const stopLogging = await startLogging(config.log, lines);
  const log = loggerFor("server");
  for (const { name, meant } of misspelt) {
    log.warn("variable not known", { name, meant });
  }
  for (const { name, instead } of retired) {
    log.warn("variable without effect", { name, instead });
  }
  for (const warning of sharedPortWarnings(config)) log.warn(warning);
  for (const { finding, advice } of oddSettings(config)) {
    log.warn(`${finding}: ${advice}`);
  }
  const outcome = await run({
    ...options,
    config,
    lines,
    log,
    hasSpans: isManaged || env.OTEL_DENO !== undefined,
    fetchesByProxy: Object.keys(env).some((name) => FETCH_PROXY.test(name)),
  });
  await stopLogging();
  return outcome;
}
