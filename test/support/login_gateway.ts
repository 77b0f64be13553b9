/** A gateway whose logins lead back to it. */
import type { OpenidProvider } from "../../scripts/stand_in/provider.ts";
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
  /** Where people log in. */
  readonly provider: OpenidProvider;
  /** What access tokens are asked for; null if nothing is named. */
  readonly audience: string | null;
  /** Gives a user of the provider access to the sandbox `locked`, or takes all access away. */
  setAccess(user: string, hasAccess: boolean): void;
}

/** Differences of a gateway with logins from others. */
export type LoginGatewayOptions = Partial<ServiceOptions> & {
  /** What `/ready` says once it has started; `ready` by default. */
  readonly status?: "ready" | "degraded";
};

/** Starts a gateway, and registers its callback with the provider: its port is known only afterwards. */
export async function startLoginGateway(
  environment: Readonly<Record<string, string>> = {},
  { status, ...options }: LoginGatewayOptions = {},
): Promise<LoginGateway> {
  await using started = new AsyncDisposableStack();
  const gateway = started.use(await startGateway(environment, options));
  const { port } = gateway;
  const { PROXY_DOMAIN: domain = BASE } = environment;
  function at(host: string, path = "/"): string {
    const base = `${domain}:${port}`;
    return `http://${host === "" ? base : `${host}.${base}`}${path}`;
  }
  const { provider, api } = gateway.stack;
  provider.redirectUris.add(at("", "/callback"));
  await untilReady(port, status);
  const owned = started.move();
  return {
    ...gateway,
    at,
    provider,
    audience: provider.audience,
    setAccess(user, hasAccess) {
      api.state.subjects.set(user, new Set(hasAccess ? ["locked"] : []));
    },
    browser: () => createBrowser({ port }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
