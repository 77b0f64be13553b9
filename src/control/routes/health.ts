/** Liveness and readiness. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { sleep } from "../../lib/backoff.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { type ControlEnv, json } from "../route.ts";

const healthRoute = createRoute({
  method: "get",
  path: "/health",
  summary: "Liveness",
  description:
    "Answers as long as the process runs, without checking anything else.",
  responses: {
    200: {
      description: "The process runs.",
      content: json(
        z.object({ status: z.literal("ok"), version: z.string() }),
      ),
    },
  },
});

const CHECK_STATE = z.enum(["ok", "failing", "off"]);

const READINESS = z.object({
  status: z.enum(["ready", "degraded", "starting", "overloaded", "draining"]),
  checks: z.record(z.string(), CHECK_STATE),
});

/** The state of one thing that the gateway depends on. */
export type CheckState = z.infer<typeof CHECK_STATE>;

/** The report of `/ready`; `degraded` means that cached answers still open previews, `overloaded` that no file
 * descriptors are left, so that everything new is refused. */
export type Readiness = z.infer<typeof READINESS>;

const REPORT = json(READINESS);

const readyRoute = createRoute({
  method: "get",
  path: "/ready",
  summary: "Readiness",
  description:
    "Whether to send requests here, and the state of each dependency: the API, the gateway's own key there, the " +
    "cache, the records, the base domains and the login. `degraded` is still 200: while the API is down, previews whose answers " +
    "are cached keep working.",
  responses: {
    200: { description: "Ready or degraded.", content: REPORT },
    503: {
      description:
        "Starting, draining, or overloaded: no file descriptors are left.",
      content: REPORT,
    },
  },
});

/** The time between the two parts of `/health/stream`, ms. */
const STREAM_GAP_MS = 300;

const streamRoute = createRoute({
  method: "get",
  path: "/health/stream",
  summary: "A response in two parts",
  description:
    `Two lines, ${STREAM_GAP_MS} ms apart. If both arrive at once, something in front of the gateway keeps responses ` +
    "back until they are complete. `doctor --sandbox` asks for it.",
  responses: { 200: { description: "Two lines of text." } },
});

/** The two lines, the second one once the time has passed. */
async function* twoParts(): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode("one\n");
  await sleep(STREAM_GAP_MS);
  yield encoder.encode("two\n");
}

const assetRoute = createRoute({
  method: "get",
  path: "/health/asset.js",
  summary: "An asset that no shared cache may store",
  description:
    "Marked like those of a private preview, and different each time: who gets the same twice is behind a cache that " +
    "stores what is private. `doctor` asks for it.",
  responses: { 200: { description: "A script without effect." } },
});

/** Dependencies of the health routes. */
export interface HealthRoutesOptions {
  readonly version: string;
  readonly readiness: { check(): Promise<Readiness> };
}

/** The routes that {@linkcode addHealthRoutes} adds. */
export const HEALTH_ROUTES = [healthRoute, readyRoute, streamRoute, assetRoute];

/** Adds `/ready`, `/health` and what is below it. */
export function addHealthRoutes(
  app: OpenAPIHono<ControlEnv>,
  { version, readiness }: HealthRoutesOptions,
): void {
  app.openapi(healthRoute, (c) => {
    const health = { status: "ok" as const, version };
    return c.json(health, 200, OWN_ANSWER_HEADERS);
  });
  app.openapi(streamRoute, (c) =>
    c.body(ReadableStream.from(twoParts()), 200, {
      ...OWN_ANSWER_HEADERS,
      "content-type": "text/plain; charset=utf-8",
    }));
  app.openapi(assetRoute, (c) =>
    c.body(`// ${crypto.randomUUID()}\n`, 200, {
      "cache-control": "private, max-age=60",
      "content-type": "text/javascript",
      "x-content-type-options": "nosniff",
    }));
  app.openapi(readyRoute, async (c) => {
    const report = await readiness.check();
    const isReady = report.status === "ready" || report.status === "degraded";
    return c.json(report, isReady ? 200 : 503, OWN_ANSWER_HEADERS);
  });
}
