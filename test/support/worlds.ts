/** The two kinds of Daytona that a gateway stands in front of: what is not about runners holds in front of both. */
import { startGateway } from "./gateway.ts";
import {
  startHostedGateway,
  startHostedLoginGateway,
} from "./hosted_gateway.ts";
import { startLoginGateway } from "./login_gateway.ts";

/** Starts a gateway, and its Daytona. */
export type StartGateway = typeof startGateway;

/** Starts one where `alice` may log in to the sandbox `locked`, and `mallory` may not. */
export type StartLoginGateway = typeof startLoginGateway;

/** Defines a test for each world: in front of one's own Daytona, and of somebody else's. */
export function testInBothWorlds(
  name: string,
  body: (startGateway: StartGateway) => Promise<void>,
): void {
  Deno.test(name, () => body(startGateway));
  Deno.test(`${name} (somebody else's Daytona)`, () =>
    body(startHostedGateway));
}

/** The same with logins: at Daytona's provider, and at the operator's own for whom a rule names. */
export function testLoginsInBothWorlds(
  name: string,
  body: (
    startLoginGateway: StartLoginGateway,
    test: Deno.TestContext,
  ) => Promise<void>,
): void {
  Deno.test(name, (test) => body(startLoginGateway, test));
  Deno.test(`${name} (somebody else's Daytona)`, (test) =>
    body(
      (...differences) =>
        startHostedLoginGateway("group:staff", ...differences),
      test,
    ));
}
