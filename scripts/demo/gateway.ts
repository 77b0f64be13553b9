/** The demo's gateway: the real service in front of the test stack. */
import meta from "../../deno.json" with { type: "json" };
import { formatProblems, parseConfig } from "../../src/config/config.ts";
import { listen } from "../../src/server/http_server.ts";
import type { GatewayService } from "../../src/server/run.ts";
import { createService } from "../../src/service.ts";
import { startStack } from "../stand_in/stack.ts";

/** A running demo; disposing of it closes everything. */
export interface Demo extends AsyncDisposable {
  readonly port: number;
}

/**
 * Starts the stack and the gateway, on loopback only, because it leads to every port of this machine.
 *
 * @throws {Deno.errors.AddrInUse} if `port` is taken; 0 picks a free one.
 */
export async function startDemo(port: number): Promise<Demo> {
  await using started = new AsyncDisposableStack();
  const service = Promise.withResolvers<GatewayService>();
  // Listening comes first: the port is part of the public addresses that everything else is configured with.
  const listener = listen(
    async (request, info) => (await service.promise).fetch(request, info),
    { hostname: "127.0.0.1", port },
  );
  started.defer(() => listener.close());
  const stack = started.use(
    await startStack({ publicHost: `proxy.localhost:${listener.port}` }),
  );
  stack.api.cache.isOn = true;
  stack.runner.addressTimeoutMs = 300;
  const result = parseConfig(stack.environment);
  if (!result.ok) throw new TypeError(formatProblems(result.problems));
  const gateway = await createService(result.config, { version: meta.version });
  started.defer(() => gateway.close());
  service.resolve(gateway);

  const owned = started.move();
  return {
    port: listener.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
