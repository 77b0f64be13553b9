/** Observations of a gateway from outside: its metrics, its entry in /proc, and its response time for /health. */
import { rawStream, readResponse } from "../support/raw_client.ts";
import type { SoakedGateway } from "./gateway.ts";

/** One observation of the gateway. */
export interface Sample {
  /** Seconds since the load began. */
  readonly atSec: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly inFlight: number;
  readonly tunnels: number;
  readonly idleConnections: number;
  readonly activeConnections: number;
  readonly activityReports: number;
  readonly cpuSec: number;
  /** The response time of /health, which shows the lag of the event loop. */
  readonly healthMs: number;
  /** The number of times that the main thread has gone to sleep so far: every timer that fires wakes it. */
  readonly sleeps: number;
}

/** The samples of the Prometheus text format, by name and labels as written. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) =>
    line !== "" && !line.startsWith("#")
  );
  return new Map(lines.map((line) => {
    const end = line.lastIndexOf(" ");
    return [line.slice(0, end), Number(line.slice(end + 1))];
  }));
}

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

/** The number after a name in proc_pid_status(5). */
export function statusNumber(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
}

/** Sends a GET on a new connection that is closed afterwards, so that it is not counted as one left open. */
async function fetchText(port: number, path: string): Promise<string> {
  using stream = rawStream(
    await Deno.connect({ hostname: "127.0.0.1", port }),
  );
  await stream.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
  );
  const { status, body, isComplete } = await readResponse(stream);
  if (status !== 200 || !isComplete) throw new Error(`${path}: ${status}`);
  return body;
}

/** Reads all metrics. */
export async function readMetrics(
  { metricsPort }: Pick<SoakedGateway, "metricsPort">,
): Promise<ReadonlyMap<string, number>> {
  return parseMetrics(await fetchText(metricsPort, "/metrics"));
}

/** Observes the gateway; Linux only. */
export async function takeSample(
  gateway: Pick<SoakedGateway, "pid" | "port" | "metricsPort">,
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
    residentBytes: sumOf(metrics, "process_resident_memory_bytes"),
    heapUsedBytes: sumOf(metrics, "porthole_heap_used_bytes"),
    heapBytes: sumOf(metrics, "process_heap_bytes"),
    externalBytes: sumOf(metrics, "porthole_external_memory_bytes"),
    descriptors: (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`)))
      .length,
    threads: statusNumber(status, "Threads"),
    inFlight: sumOf(metrics, "porthole_http_requests_in_flight"),
    tunnels: sumOf(metrics, "porthole_tunnels_open"),
    idleConnections: sumOf(metrics, connections, '"idle"'),
    activeConnections: sumOf(metrics, connections, '"active"'),
    activityReports: sumOf(metrics, "porthole_activity_reports_total"),
    cpuSec: sumOf(metrics, "process_cpu_seconds_total"),
    healthMs,
    sleeps: statusNumber(status, "voluntary_ctxt_switches"),
  };
}
