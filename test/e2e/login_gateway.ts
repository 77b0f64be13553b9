/** A gateway whose logins lead back to it. */
import { BASE, startGateway, type TestGateway } from "../support/gateway.ts";
import { untilReady } from "../support/ready.ts";

/** Starts a gateway, and registers its callback with the provider: its port is known only afterwards. */
export async function startLoginGateway(
  environment: Readonly<Record<string, string>> = {},
): Promise<TestGateway> {
  const gateway = await startGateway(environment);
  const { PROXY_DOMAIN: base = BASE } = environment;
  const callback = `http://${base}:${gateway.port}/callback`;
  gateway.stack.provider.redirectUris.add(callback);
  await untilReady(gateway.port);
  return gateway;
}
