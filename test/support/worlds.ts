/** The two kinds of Daytona that a gateway stands in front of: what is not about runners holds in front of both. */
import { HOSTED_KEYS } from "../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
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

/** Both worlds: in front of one's own Daytona, and of somebody else's. */
export const WORLDS: readonly {
  /** What the name of a test ends in there. */
  readonly suffix: string;
  /** True for somebody else's. */
  readonly isHosted: boolean;
  /** The API key of somebody with access to all sandboxes. */
  readonly memberKey: string;
  readonly startGateway: StartGateway;
  /** Logins are at Daytona's provider, or at the operator's own for whom a rule names. */
  readonly startLoginGateway: StartLoginGateway;
}[] = [
  {
    suffix: "",
    isHosted: false,
    memberKey: KEYS.user,
    startGateway,
    startLoginGateway,
  },
  {
    suffix: " (somebody else's Daytona)",
    isHosted: true,
    memberKey: HOSTED_KEYS.member,
    startGateway: startHostedGateway,
    startLoginGateway: (...differences) =>
      startHostedLoginGateway("group:staff", ...differences),
  },
];

/** Defines a test for each of some worlds. */
export function testInEach(
  worlds: readonly Pick<(typeof WORLDS)[number], "suffix" | "startGateway">[],
  name: string,
  body: (startGateway: StartGateway) => Promise<void>,
): void {
  for (const { suffix, startGateway } of worlds) {
    Deno.test(name + suffix, () => body(startGateway));
  }
}

/** Defines a test for each world. */
export function testInBothWorlds(
  name: string,
  body: (startGateway: StartGateway) => Promise<void>,
): void {
  testInEach(WORLDS, name, body);
}

/** The same with logins. */
export function testLoginsInBothWorlds(
  name: string,
  body: (
    startLoginGateway: StartLoginGateway,
    test: Deno.TestContext,
  ) => Promise<void>,
): void {
  for (const { suffix, startLoginGateway } of WORLDS) {
    Deno.test(name + suffix, (test) => body(startLoginGateway, test));
  }
}
