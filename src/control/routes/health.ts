/** Liveness and readiness. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { OWN_ANSWER_FIELDS } from "../../pages/problem.ts";
import type { ControlEnv } from "../control_env.ts";

/** The state of one thing that the gateway depends on. */
export type CheckState = "ok" | "failing" | "off";

/** What `/ready` reports. */
export interface Readiness {
  /** `degraded`: cached answers still open previews, so a balancer should keep sending requests. */
  readonly status: "ready" | "degraded" | "starting" | "draining";
  readonly checks: Readonly<Record<string, CheckState>>;
}

const healthRoute = createRoute({
  method: "get",
  path: "/health",
  summary: "Liveness",
  description:
    "Answers as long as the process runs, without checking anything else.",
  responses: {
    200: {
      description: "The process runs.",
      content: {
        "application/json": {
          schema: z.object({ status: z.literal("ok"), version: z.string() }),
        },
      },
    },
  },
});

const readiness = z.object({
  status: z.enum(["ready", "degraded", "starting", "draining"]),
  checks: z.record(z.string(), z.enum(["ok", "failing", "off"])),
});

const readyRoute = createRoute({
  method: "get",
  path: "/ready",
  summary: "Readiness",
  description:
    "Whether to send requests here, and the state of each dependency: the API, the gateway's own key there, the " +
    "cache, the base domains and the login. `degraded` is still 200: while the API is down, previews whose answers " +
    "are cached keep working.",
  responses: {
    200: {
      description: "Ready or degraded.",
      content: { "application/json": { schema: readiness } },
    },
    503: {
      description: "Starting or draining.",
      content: { "application/json": { schema: readiness } },
    },
  },
});

/** Adds `/health` and `/ready`. */
export function addHealthRoutes(
  app: OpenAPIHono<ControlEnv>,
  options: { version: string; readiness: () => Promise<Readiness> },
): void {
  app.openapi(
    healthRoute,
    (c) =>
      c.json(
        { status: "ok" as const, version: options.version },
        200,
        OWN_ANSWER_FIELDS,
      ),
  );
  app.openapi(readyRoute, async (c) => {
    const { status, checks } = await options.readiness();
    const isReady = status === "ready" || status === "degraded";
    return c.json(
      { status, checks },
      isReady ? 200 : 503,
      OWN_ANSWER_FIELDS,
    );
  });
}
