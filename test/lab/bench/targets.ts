/** Performance goals and targets, with one processor for the gateway, and access log, metrics and caches enabled. */
import { isFloor } from "./floors.ts";

/** A bound on a figure. */
export interface Target {
  readonly scenario: string;
  readonly figure: string;
  readonly bound: "at least" | "at most";
  readonly limit: number;
  readonly unit: string;
}

function target(
  scenario: string,
  figure: string,
  [bound, limit, unit = ""]: readonly [
    bound: Target["bound"],
    limit: number,
    unit?: string,
  ],
): Target {
  return { scenario, figure, bound, limit, unit };
}

/** The scenarios of what pages consist of: at best, a proxy is as fast as one that looks at nothing. */
const BODIES = [
  ...["body-4k", "body-16k", "body-64k", "body-256k", "body-1m"],
  ...["chunked-64k", "chunked-1m"],
  ...["upload-64k", "upload-1m", "upload-chunked-64k", "upload-chunked-1m"],
];

/** Those in which Daytona's proxy, which is built on Go's, is to be replaced without a loss. */
const GO = ["body-256k", "body-1m", "upload-64k", "upload-1m"];

/** The scenarios of TLS by the gateway: it should cost no more than to put something in front. */
const TLS = ["tls-http1", "tls-http1-64k", "tls-http2", "tls-http2-64k"];

/** All goals; by default, the scenarios that have one are measured. */
export const GOALS: readonly Target[] = [
  target("public", "rate : nginx", ["at least", 0.60]),
  target("public", "rate : fetch proxy", ["at least", 1.8]),
  target("public", "p99 : nginx", ["at most", 2]),
  ...BODIES.flatMap((scenario) => [
    target(scenario, "rate : nginx", ["at least", 0.5]),
    target(scenario, "rate : fetch proxy", ["at least", 1]),
    target(scenario, "p99 : fetch proxy", ["at most", 1]),
  ]),
  // What JavaScript costs at all is in both.
  target("upload-1m", "rate : client proxy", ["at least", 0.8]),
  ...GO.map((scenario) => target(scenario, "rate : Go proxy", ["at least", 1])),
  ...TLS.flatMap((scenario) => [
    target(scenario, "rate : Caddy", ["at least", 0.9]),
    target(scenario, "rate : nginx + gateway", ["at least", 1]),
  ]),
  target("private", "session cookie : public", ["at least", 0.94]),
  target("download", "rate : fetch proxy", ["at least", 0.8]),
  target("download", "memory growth", ["at most", 32, "MiB"]),
  target("upload", "rate : fetch proxy", ["at least", 0.8]),
  target("upload", "memory growth", ["at most", 32, "MiB"]),
  target("echo-128", "rate : bare relay", ["at least", 0.7]),
  target("echo-64k", "rate : bare relay", ["at least", 0.7]),
  target("tunnels", "memory", ["at most", 32, "KiB"]),
  target("burst-one", "API calls", ["at most", 1]),
  target("burst-one", "p99 beyond twice the API's", ["at most", 50, "ms"]),
  target("burst-many", "API calls", ["at most", 1]),
  target("burst-many", "p99 beyond twice the API's", ["at most", 300, "ms"]),
  target("drip", "later than direct", ["at most", 1, "ms"]),
  target("page-http1", "load : direct", ["at most", 1.1]),
  target("page-http1", "interactive : direct", ["at most", 1.1]),
  target("page-http2", "load : nginx", ["at most", 1.1]),
  target("page-http2", "interactive : nginx", ["at most", 1.1]),
  target("start", "first answer", ["at most", 400, "ms"]),
];

/** The goals that can be had. */
export const TARGETS: readonly Target[] = GOALS.filter((goal) =>
  !isFloor(goal)
);

/** Compares a value with a target's bound; the limit itself meets it. */
export function isMet({ bound, limit }: Target, value: number): boolean {
  return bound === "at least" ? value >= limit : value <= limit;
}
