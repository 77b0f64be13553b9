/** Variables that earlier versions or Daytona's own proxy have: who sets one has to learn that nobody reads it. */
import { FEATURE_RETIRED } from "../../gen/facts.ts";
import type { Environment } from "./read_settings.ts";

/** Such a variable that is set, and what takes its place. */
type RetiredVariable = Readonly<Record<"name" | "instead", string>>;

/** What no feature has read. */
export const CORE_RETIRED = {
  WORKERS:
    "several processes with REUSE_PORT=true, each with a systemd unit and a METRICS_PORT of its own",
  COMPRESS: "a front that compresses (docs/run/tls.md)",
  COOKIE_DOMAIN: "SESSION_SCOPE, which says what a login's cookie is for",
  OTEL_ENABLED: "OTEL_DENO=true and OTEL_EXPORTER_OTLP_ENDPOINT",
  ENVIRONMENT: "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=…",
};

const RETIRED: readonly RetiredVariable[] = Object
  .entries({ ...CORE_RETIRED, ...FEATURE_RETIRED })
  .map(([name, instead]) => ({ name, instead }));

export function findRetired(env: Environment): readonly RetiredVariable[] {
  return RETIRED.filter(({ name }) => Boolean(env[name]?.trim()));
}

/** Says what takes the place of each, in one line for each. */
export function formatRetired(retired: readonly RetiredVariable[]): string {
  return retired.map(({ name, instead }) =>
    `${name} has no effect. In its place: ${instead}.`
  ).join("\n");
}
