/** Types generated from Daytona's OpenAPI description, and our own description. */
import openapiTS, { astToString } from "openapi-typescript";
import meta from "../../deno.json" with { type: "json" };
import { controlDescription } from "../../src/control/app.ts";
import { FEATURES } from "../../src/modules.ts";
import { SLICE } from "../contract/description.ts";
import type { Artefact } from "./artefact.ts";
import { formatted } from "./text.ts";

const FEATURE_ROUTES = FEATURES.flatMap(({ routes = [] }) => routes);

const BANNER = `/**
 * Types of the part of Daytona's API that Porthole calls.
 *
 * Generated from openapi/daytona.yaml by openapi-typescript (\`deno task gen\`): edit that file, not this one.
 */

`;

/** The API's types, for src/daytona and the test stack. */
export const daytonaTypes: Artefact = {
  path: "gen/daytona.ts",
  async produce() {
    return await formatted(BANNER + astToString(await openapiTS(SLICE)), "ts");
  },
};

/** The OpenAPI description of the gateway's own routes. */
export const gatewayDescription: Artefact = {
  path: "openapi/porthole.json",
  produce: () =>
    formatted(
      JSON.stringify(controlDescription(meta.version, FEATURE_ROUTES)),
      "json",
    ),
};
