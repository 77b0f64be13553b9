/** The two kinds of Daytona that a gateway stands in front of: what is not about runners holds in front of both. */
import { dialHosted } from "../../scripts/stand_in/hosted_dial.ts";
import { startHostedStack } from "../../scripts/stand_in/hosted_stack.ts";
import { startGateway, startGatewayOf } from "./gateway.ts";

/** Starts a gateway, and its Daytona. */
export type StartGateway = typeof startGateway;

/** Defines a test for each world: in front of one's own Daytona, and of somebody else's. */
export function testInBothWorlds(
  name: string,
  body: (startGateway: StartGateway) => Promise<void>,
): void {
  Deno.test(name, () => body(startGateway));
  Deno.test(`${name} (somebody else's Daytona)`, () => body(startHosted));
}

const startHosted: StartGateway = async (environment = {}, options = {}) => {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startHostedStack());
  const gateway = await startGatewayOf(stack, environment, {
    dial: dialHosted,
    ...options,
  });
  started.use(gateway);
  const owned = started.move();
  return { ...gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() };
};
