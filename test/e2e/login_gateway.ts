/** A gateway whose logins lead back to it. */
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { untilReady } from "../support/ready.ts";

/** Starts a gateway, and registers its callback with the provider: its port is known only afterwards. */
export async function startLoginGateway(
  environment?: Readonly<Record<string, string>>,
): Promise<TestGateway> {
  const gateway = await startGateway(environment);
  const callback = `http://proxy.localhost:${gateway.port}/callback`;
  gateway.stack.provider.redirectUris.add(callback);
  await untilReady(gateway.port);
  return gateway;
}
