/** What the routes of `/api/v1` answer that are described, and whose feature is switched off. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { GatewayError } from "../../errors.ts";
import type { ControlEnv, RouteConfig } from "../route.ts";

/** Adds those routes; to be called once the features that are switched on have added theirs. */
export function addSwitchedOff(
  app: OpenAPIHono<ControlEnv>,
  described: readonly RouteConfig[],
): void {
  for (const { method, path } of described) {
    if (!path.startsWith("/api/v1/")) continue;
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ":$1"), (c) => {
      const code = c.env.base === undefined ? "route_not_found" : "feature_off";
      throw new GatewayError(code, "No feature has this route");
    });
  }
}
