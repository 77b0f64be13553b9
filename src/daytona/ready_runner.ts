import { GatewayError } from "../errors.ts";
import type { Runner, RunnerRecord } from "./models.ts";

/**
 * The runner of a record.
 *
 * @throws {GatewayError} `runner_not_ready` if it has not reported yet where it is
 */
export function readyRunner(
  { proxyUrl, region: _, ...record }: RunnerRecord,
): Runner {
  if (proxyUrl !== null) return { ...record, proxyUrl };
  throw new GatewayError(
    "runner_not_ready",
    "The runner has not told the API its address yet",
  );
}
