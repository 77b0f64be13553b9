/** All scenarios of `deno task bench`, in the order in which they are measured. */
import type { Scenario } from "./scenario.ts";
import { BODIES } from "./scenarios/bodies.ts";
import { BURSTS } from "./scenarios/bursts.ts";
import { EVENTS } from "./scenarios/events.ts";
import { GET_SCENARIOS } from "./scenarios/gets.ts";
import { HOSTED } from "./scenarios/hosted.ts";
import { PAGE_LOADS } from "./scenarios/page_loads.ts";
import { START } from "./scenarios/start.ts";
import { TIERS } from "./scenarios/tiers.ts";
import { TLS } from "./scenarios/tls.ts";
import { TRANSFERS } from "./scenarios/transfers.ts";
import { WEBSOCKETS } from "./scenarios/websockets.ts";
import { WIDE_AREA } from "./scenarios/wide_area.ts";
import { TARGETS } from "./targets.ts";

/** All scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  ...GET_SCENARIOS,
  TIERS,
  ...BODIES,
  ...TLS,
  ...TRANSFERS,
  ...WEBSOCKETS,
  ...BURSTS,
  EVENTS,
  ...PAGE_LOADS,
  WIDE_AREA,
  HOSTED,
  START,
];

/** The selected scenarios; by default, those with targets. */
export function selectScenarios(
  { only, all }: {
    readonly only: readonly string[] | undefined;
    readonly all: boolean;
  },
): Scenario[] {
  if (all) return [...SCENARIOS];
  const names = new Set(only ?? TARGETS.map(({ scenario }) => scenario));
  return SCENARIOS.filter(({ name }) => names.has(name));
}
