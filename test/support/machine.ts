/** Gateway processes that share a database. */
import type { Stack } from "../../scripts/stand_in/stack.ts";
import { type GatewayProcess, startProcess } from "./process.ts";
import { untilReady } from "./ready.ts";
import type { SharedTier } from "./shared_tier.ts";

/** Starts a gateway that is registered with the identity provider. */
export async function startMachine(
  stack: Stack,
  tier: SharedTier,
  environment: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  await using started = new AsyncDisposableStack();
  const machine = started.use(
    await startProcess({
      environment: {
        ...stack.environment,
        ...tier.environment,
        PROXY_PORT: "0",
        SHUTDOWN_DELAY_SEC: "0",
        ...environment,
      },
    }),
  );
  const callback = `http://proxy.localhost:${machine.port}/callback`;
  stack.provider.redirectUris.add(callback);
  await untilReady(machine.port);
  started.move();
  return machine;
}
