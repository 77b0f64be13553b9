/** Words that the core gets from features, for tests of the core, which are to compile without any of them. */
import type { RouteKind } from "../../src/observability/access_log.ts";
import type { GrantVia } from "../../src/observability/metrics/facts.ts";

/** What carries a grant. */
export function viaOf(name: string): GrantVia {
  return name as GrantVia;
}

/** What the exchanges of a feature are called. */
export function routeOf(name: string): RouteKind {
  return name as RouteKind;
}
