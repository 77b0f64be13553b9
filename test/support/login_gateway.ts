/** A gateway whose logins lead back to it. */
import type { ServiceOptions } from "../../src/service.ts";
import { BASE, startGateway, type TestGateway } from "./gateway.ts";
import { type Browser, createBrowser } from "./login.ts";
import { untilReady } from "./ready.ts";

/** A gateway that is registered with its provider. */
export interface LoginGateway extends TestGateway {
  /** A new browser. */
  browser(): Browser;
  /** The URL of a host below the base domain, such as `3000-demo`, or of the base domain if it is empty. */
  at(host: string, path?: string): string;
}

/** Starts a gateway, and registers its callback with the provider: its port is known only afterwards. */
export async function startLoginGateway(
  environment: Readonly<Record<string, string>> = {},
  { status, ...options }: Partial<ServiceOptions> & {
    /** What `/ready` says once it has started; `ready` by default. */
    readonly status?: "ready" | "degraded";
  } = {},
): Promise<LoginGateway> {
  await using started = new AsyncDisposableStack();
  const gateway = started.use(await startGateway(environment, options));
  const { port } = gateway;
  const { PROXY_DOMAIN: domain = BASE } = environment;
  function at(host: string, path = "/"): string {
    const base = `${domain}:${port}`;
    return `http://${host === "" ? base : `${host}.${base}`}${path}`;
  }
  gateway.stack.provider.redirectUris.add(at("", "/callback"));
  await untilReady(port, status);
  const owned = started.move();
  return {
    ...gateway,
    at,
    browser: () => createBrowser({ port }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
