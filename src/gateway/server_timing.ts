/** How long the phases of an exchange took (W3C Server Timing). */
import type { ExchangeStats } from "../observability/exchange_stats.ts";
import type { Exchange } from "./exchange.ts";

/**
 * The value of Server-Timing: `resolve` is the time that the gate and the lookup of the runner took, `upstream` the
 * time until the runner's response began, both in milliseconds.
 */
export function serverTiming(
  { startedAt }: Pick<Exchange, "startedAt">,
  { missedCache, resolvedAt }: ExchangeStats,
  answeredAt: number,
): string {
  const metrics: string[] = [];
  if (missedCache !== undefined) {
    metrics.push(`cache;desc=${missedCache ? "miss" : "hit"}`);
  }
  metrics.push(`resolve;dur=${(resolvedAt ?? answeredAt) - startedAt}`);
  if (resolvedAt !== undefined) {
    metrics.push(`upstream;dur=${answeredAt - resolvedAt}`);
  }
  return metrics.join(", ");
}
