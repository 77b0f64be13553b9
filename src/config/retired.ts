/** Variables that earlier versions or Daytona's own proxy have: who sets one has to learn that nobody reads it. */
import type { Environment } from "./read_settings.ts";

/** Such a variable that is set, and what takes its place. */
type RetiredVariable = Readonly<Record<"name" | "instead", string>>;

const WAITING =
  "programs wait by GET /api/v1/previews/SANDBOX/PORT?wait=60 on the base domain";

const RETIRED: readonly RetiredVariable[] = [
  {
    name: "WORKERS",
    instead:
      "several processes with REUSE_PORT=true, each with a systemd unit and a METRICS_PORT of its own",
  },
  { name: "WAKE_HOLD_SEC", instead: WAITING },
  { name: "PORT_HOLD_SEC", instead: WAITING },
  {
    name: "COMPRESS",
    instead: "a front that compresses (docs/run/tls.md)",
  },
  {
    name: "NAMES_BY_LABEL",
    instead:
      "PUT /api/v1/names/HOST with NAMES=members, by whoever creates the sandbox, or NAMES_FILE; no label gives a name any more",
  },
  {
    name: "COOKIE_DOMAIN",
    instead: "SESSION_SCOPE, which says what a login's cookie is for",
  },
  {
    name: "OTEL_ENABLED",
    instead: "OTEL_DENO=true and OTEL_EXPORTER_OTLP_ENDPOINT",
  },
  {
    name: "ENVIRONMENT",
    instead: "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=…",
  },
];

export function findRetired(env: Environment): readonly RetiredVariable[] {
  return RETIRED.filter(({ name }) => Boolean(env[name]?.trim()));
}

/** Says what takes the place of each, in one line for each. */
export function formatRetired(retired: readonly RetiredVariable[]): string {
  return retired.map(({ name, instead }) =>
    `${name} has no effect. In its place: ${instead}.`
  ).join("\n");
}
