/** Observations of a gateway from outside: its metrics, its entry in /proc, and its response time for /health. */
import { parseMemory, statusNumber } from "../../bench/machine.ts";
import { samplesOf } from "../../../unit/observability/metrics/parse_exposition.ts";
import { dial } from "../../../support/dial.ts";
import { headOf } from "../../../support/load_client.ts";
import { rawStream, readResponse } from "../../../support/raw_client.ts";
import type { GatewayProcess } from "../../harness/gateway.ts";

/** One observation of the gateway. */
export interface Sample {
  /** Seconds since the load began. */
  readonly atSec: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly inFlight: number;
  readonly tunnels: number;
  readonly idleConnections: number;
  readonly activeConnections: number;
  readonly cpuSec: number;
  /** The response time of /health, which shows the lag of the event loop. */
  readonly healthMs: number;
  /** The number of times that the main thread has gone to sleep so far: every timer that fires wakes it. */
  readonly sleeps: number;
}

const KIB = 1024;

/** The sum of a metric over all samples whose labels include `label`. */
export function sumOf(
  metrics: ReadonlyMap<string, number>,
  name: string,
  label = "",
): number {
  let sum = 0;
  for (const [key, value] of metrics) {
    if (
      (key === name || key.startsWith(`${name}{`)) && key.includes(label)
    ) sum += value;
  }
  return sum;
}

/** Sends a GET on a new connection that is closed afterwards, so that it is not counted as one left open. */
async function fetchText(port: number, path: string): Promise<string> {
  using stream = rawStream(await dial({ scheme: "http", port }));
  const headers = { Connection: "close" };
  await stream.write(headOf({ host: "127.0.0.1", path, headers }));
  const { status, body, isComplete } = await readResponse(stream);
  if (status !== 200 || !isComplete) throw new Error(`${path}: ${status}`);
  return body;
}

/** Reads all metrics. */
export async function readMetrics(
  { metricsPort }: Pick<GatewayProcess, "metricsPort">,
): Promise<ReadonlyMap<string, number>> {
  return samplesOf(await fetchText(metricsPort, "/metrics"));
}

/** Observes the gateway; Linux only. */
export async function takeSample(
  gateway: Pick<GatewayProcess, "pid" | "port" | "metricsPort">,
  atSec: number,
): Promise<Sample> {
  const { pid, port } = gateway;
  const askedAt = performance.now();
  await fetchText(port, "/health");
  const healthMs = performance.now() - askedAt;
  const metrics = await readMetrics(gateway);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const connections = "porthole_upstream_connections";
  return {
    atSec,
    residentBytes: parseMemory(status).now * KIB,
    heapUsedBytes: sumOf(metrics, "porthole_heap_used_bytes"),
    descriptors: (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`)))
      .length,
    threads: statusNumber(status, "Threads"),
    inFlight: sumOf(metrics, "porthole_http_requests_in_flight"),
    tunnels: sumOf(metrics, "porthole_tunnels_open"),
    idleConnections: sumOf(metrics, connections, '"idle"'),
    activeConnections: sumOf(metrics, connections, '"active"'),
    cpuSec: sumOf(metrics, "process_cpu_seconds_total"),
    healthMs,
    sleeps: statusNumber(status, "voluntary_ctxt_switches"),
  };
}
