/** How long the parts of an exchange took, for whoever asks (Server-Timing, W3C). */
import type { ExchangeStats } from "../observability/exchange_stats.ts";
import type { Exchange } from "./exchange.ts";

/**
 * The field's value: `resolve` is the gate and the search for the runner, `upstream` what the runner and the app took
 * to begin their answer; durations in milliseconds.
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
