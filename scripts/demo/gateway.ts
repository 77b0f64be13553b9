/** The demo's gateway: the real service in front of the test stack. */
import meta from "../../deno.json" with { type: "json" };
import { formatProblems, parseConfig } from "../../src/config/config.ts";
import { listen } from "../../src/downstream/http/listen.ts";
import type { GatewayService } from "../../src/server/run.ts";
import { createService, SECTIONS } from "../../src/service.ts";
import { dialHosted } from "../stand_in/hosted_dial.ts";
import { startHostedStack } from "../stand_in/hosted_stack.ts";
import {
  type Stack,
  type StackOptions,
  startStack,
} from "../stand_in/stack.ts";
import { startDashboard } from "./dashboard.ts";
import { links, LOGIN_ALLOW, NAME } from "./welcome.ts";

/** A running demo; disposing of it closes everything. */
export interface Demo extends AsyncDisposable {
  readonly port: number;
}

/** Differences from the default demo. */
export interface DemoOptions {
  /** True for a Daytona that somebody else operates; by default one's own. */
  readonly hosted?: boolean;
  /** The path of a brand's file. */
  readonly brandFile?: string | undefined;
}

/**
 * Starts the stack and the gateway, on loopback only, because it leads to every port of this machine.
 *
 * @throws {Deno.errors.AddrInUse} if `port` is taken; 0 picks a free one.
 */
export async function startDemo(
  port: number,
  { hosted = false, brandFile }: DemoOptions = {},
): Promise<Demo> {
  await using started = new AsyncDisposableStack();
  const service = Promise.withResolvers<GatewayService>();
  // Listening comes first: the port is part of the public addresses that everything else is configured with.
  const listener = listen(
    async (request, info) => (await service.promise).fetch(request, info),
    { hostname: "127.0.0.1", port },
  );
  started.defer(() => listener.close());
  const publicHost = `proxy.localhost:${listener.port}`;
  const stack = started.use(
    await (hosted ? startHosted : startStack)({ publicHost, sleepers: true }),
  );
  const { state } = stack.api;
  state.config.dashboardUrl = started.use(startDashboard(state)).url;
  stack.api.cache.isOn = true;
  stack.runner.addressTimeoutMs = 300;
  const result = parseConfig(
    { ...stack.environment, WAKE: "press", BRAND_FILE: brandFile },
    SECTIONS,
  );
  if (!result.ok) throw new TypeError(formatProblems(result.problems));
  const gateway = await createService(result.config, {
    version: meta.version,
    links: links(listener.port, hosted),
    // The names of the hosted stand-in are in no DNS.
    ...hosted && { dial: dialHosted },
  });
  started.defer(() => gateway.close());
  service.resolve(gateway);

  const owned = started.move();
  return {
    port: listener.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The stack of a hosted Daytona, with a login at the operator's own provider, and a sandbox that has a name. */
async function startHosted(options: StackOptions): Promise<Stack> {
  const stack = await startHostedStack(options);
  const demo = stack.api.state.sandboxes.get("demo");
  if (demo !== undefined) demo.name = NAME;
  const { issuer, clientId } = stack.loginProvider;
  const environment = {
    ...stack.environment,
    OIDC_DOMAIN: issuer,
    OIDC_CLIENT_ID: clientId,
    LOGIN_ALLOW,
  };
  return { ...stack, environment };
}
