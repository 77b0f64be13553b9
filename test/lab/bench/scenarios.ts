/** All scenarios of `deno task bench`, in the order in which they are measured. */
import type { Scenario } from "./scenario.ts";
import { BODIES } from "./scenarios/bodies.ts";
import { BURSTS } from "./scenarios/bursts.ts";
import { DRIP, EVENTS } from "./scenarios/events.ts";
import { FEATURES } from "./scenarios/features.ts";
import { GET_SCENARIOS } from "./scenarios/gets.ts";
import { HOSTED } from "./scenarios/hosted.ts";
import { PAGE_LOADS } from "./scenarios/page_loads.ts";
import { START } from "./scenarios/start.ts";
import { TIERS } from "./scenarios/tiers.ts";
import { TLS } from "./scenarios/tls.ts";
import { TRANSFERS } from "./scenarios/transfers.ts";
import { WEBSOCKETS } from "./scenarios/websockets.ts";
import { GOALS } from "./targets.ts";

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
  DRIP,
  ...PAGE_LOADS,
  FEATURES,
  HOSTED,
  START,
];

/**
 * What shows in a few minutes whether a change has cost anything: one of each kind. How "public" and "private" compare with
 * the anchor follows after these.
 */
const QUICK: readonly string[] = [
  ...["public", "body-64k", "body-1m"],
  ...["upload-64k", "upload-chunked-64k"],
  ...["echo-128", "burst-many", "start"],
];

/** The selected scenarios; by default, those with goals. */
export function selectScenarios(
  { only, all, quick = false }: {
    readonly only: readonly string[] | undefined;
    readonly all: boolean;
    readonly quick?: boolean;
  },
): Scenario[] {
  if (all) return [...SCENARIOS];
  const byDefault = quick ? QUICK : GOALS.map(({ scenario }) => scenario);
  const names = new Set(only ?? byDefault);
  return SCENARIOS.filter(({ name }) => names.has(name));
}
