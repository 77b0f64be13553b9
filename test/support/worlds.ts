/** The two kinds of Daytona that a gateway stands in front of: what is not about runners holds in front of both. */
import { startGateway } from "./gateway.ts";
import { startHostedGateway } from "./hosted_gateway.ts";

/** Starts a gateway, and its Daytona. */
export type StartGateway = typeof startGateway;

/** Defines a test for each world: in front of one's own Daytona, and of somebody else's. */
export function testInBothWorlds(
  name: string,
  body: (startGateway: StartGateway) => Promise<void>,
): void {
  Deno.test(name, () => body(startGateway));
  Deno.test(`${name} (somebody else's Daytona)`, () =>
    body(startHostedGateway));
}
