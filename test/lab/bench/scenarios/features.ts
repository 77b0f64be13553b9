/** What a request pays for what is switched on: all off, each switch alone, and all on. */
import { closedLoop } from "../closed_loop.ts";
import { ALONE, measureSources, type Source } from "../comparison.ts";
import { CPU } from "../drive.ts";
import { compareProcesses, verdict } from "../paired.ts";
import type { Scenario } from "../scenario.ts";

type Environment = Readonly<Record<string, string>>;

/** Everything off that can be, for which there is a switch and which a request may pass. */
const ALL_OFF: Environment = {
  ACCESS_LOG: "off",
  AUDIT_LOG: "false",
  BASE_PAGE: "false",
  CORS_MODE: "off",
  INSPECT: "false",
  STATUS_PAGE: "false",
};

/** Every switch, with what else has to be said to have it on. */
const SWITCHES: Readonly<Record<string, Environment>> = {
  "access log": { ACCESS_LOG: "all" },
  "audit log": { AUDIT_LOG: "true" },
  "base page": { BASE_PAGE: "true" },
  "CORS": { CORS_MODE: "auto" },
  "inspect": { INSPECT: "true" },
  "status page": { STATUS_PAGE: "true" },
  "metrics": { METRICS_PORT: "0" },
  "warning": { PREVIEW_WARNING_ENABLED: "true" },
  "wake": { WAKE: "visit" },
  "edge cache": { EDGE_CACHE: "public" },
  "port policy": { PORT_POLICY: "3000=public,members" },
  "machine tokens": { MACHINE_TOKENS: "members" },
  "shares": { SHARES: "members" },
  "embeds": { EMBEDS: "members", EMBED_BRIDGE: "true" },
  "names": { NAMES: "members" },
  "identity": { IDENTITY: "on" },
  "usage": { USAGE: "on" },
  "no index": { NOINDEX: "true" },
  "webhooks": { WEBHOOK_SECRET: `whsec_${btoa("a".repeat(24))}` },
  "traces": { TRACE_APPS: "true" },
  "organizations": { MAX_EXCHANGES_PER_ORGANIZATION: "20000" },
};

const OFF = "all off";

/** The processor time of a public GET by what is on. */
export const FEATURES: Scenario = {
  name: "features",
  about:
    "processor time of a GET of 1 KiB with its client and runner, by what is on",
  async measure(world) {
    const on: Source[] = [
      ...Object.entries(SWITCHES).map(([name, environment]) => ({
        name,
        environment: { ...ALL_OFF, ...environment },
      })),
      {
        name: "all on",
        environment: Object.assign({}, ...Object.values(SWITCHES)),
      },
    ];
    const off = { name: OFF, environment: ALL_OFF };
    const again = { ...off, name: `${OFF}, again` };
    const sources = [off, again, ...on];
    const measured = await measureSources(
      closedLoop(world, "public"),
      sources,
      world.isQuick ? { ...ALONE, processes: 1 } : ALONE,
    );
    const [base = [], itself = [], ...others] = measured;
    const compared = compareProcesses(CPU, { base, itself, others });
    return {
      quantity: CPU,
      rows: sources.map(({ name }, at) => ({
        contestant: name,
        rounds: measured[at]?.flat() ?? [],
      })),
      figures: [],
      notes: compared === undefined ? [] : [
        `${OFF} beside itself: ${compared.itself.toFixed(3)}; error of each ± ${
          compared.error.toFixed(3)
        }`,
        ...on.map(({ name }, at) => {
          const ratio = compared.ratios[at] ?? NaN;
          return `${name}: ${ratio.toFixed(3)} (${verdict(ratio, compared)})`;
        }),
      ],
    };
  },
};
