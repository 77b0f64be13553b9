import meta from "../../deno.json" with { type: "json" };
import { controlDescription } from "../../src/control/app.ts";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

/** The OpenAPI description of the gateway's own routes. */
export const gatewayDescription: Artefact = {
  path: "openapi/porthole.json",
  produce: () =>
    formatted(JSON.stringify(controlDescription(meta.version)), "json"),
};
