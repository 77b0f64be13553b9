/** Words that the core gets from features, for tests of the core, which are to compile without any of them. */
import type {
  ExchangeFacts,
  GrantVia,
} from "../../src/observability/metrics/facts.ts";

/** What carries a grant. */
export function viaOf(name: string): GrantVia {
  return name as GrantVia;
}

/** What the exchanges of a feature are called. */
export function routeOf(name: string): ExchangeFacts["route"] {
  return name as ExchangeFacts["route"];
}
