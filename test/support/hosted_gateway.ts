/** A complete gateway in front of the stand-in of a Daytona that somebody else runs. */
import { dialHosted } from "../../scripts/stand_in/hosted_dial.ts";
import {
  type HostedStack,
  startHostedStack,
} from "../../scripts/stand_in/hosted_stack.ts";
import type { ServiceOptions } from "../../src/service.ts";
import { BASE, startGatewayOf, type TestGateway } from "./gateway.ts";
import { type Browser, createBrowser } from "./login.ts";
import type { LoginGateway, LoginGatewayOptions } from "./login_gateway.ts";
import { untilReady } from "./ready.ts";

/** A running gateway under test, and its stack. */
export interface HostedGateway extends TestGateway {
  readonly stack: HostedStack;
  /** A new browser. */
  browser(): Browser;
  /** The URL of a host below the base domain, such as `3000-demo`, or of the base domain if it is empty. */
  at(host: string, path?: string): string;
}

/** Starts a gateway; `environment` overrides the stack's, and `options` are passed to the service. */
export function startHostedGateway(
  environment: Readonly<Record<string, string>> = {},
  options: Partial<ServiceOptions> = {},
): Promise<HostedGateway> {
  return start(() => environment, options);
}

/** The same with logins at the operator's own provider, for whom `allow` lets in. */
export async function startHostedLoginGateway(
  allow: string,
  environment: Readonly<Record<string, string>> = {},
  { status, ...options }: LoginGatewayOptions = {},
): Promise<HostedGateway & LoginGateway> {
  await using started = new AsyncDisposableStack();
  const gateway = started.use(
    await start(({ loginProvider: { issuer, clientId } }) => ({
      OIDC_DOMAIN: issuer,
      OIDC_CLIENT_ID: clientId,
      ...allow !== "" && { LOGIN_ALLOW: allow },
      ...environment,
    }), options),
  );
  const { port, stack: { loginProvider: provider } } = gateway;
  provider.redirectUris.add(gateway.at("", "/callback"));
  await untilReady(port, status);
  started.move();
  return {
    ...gateway,
    provider,
    audience: null,
    setAccess(user, hasAccess) {
      const groups = hasAccess ? ["staff"] : [];
      provider.claims.set(user, { email_verified: true, groups });
    },
  };
}

async function start(
  environmentOf: (stack: HostedStack) => Readonly<Record<string, string>>,
  options: Partial<ServiceOptions> = {},
): Promise<HostedGateway> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startHostedStack());
  const gateway = started.use(
    await startGatewayOf(stack, environmentOf(stack), {
      dial: dialHosted,
      ...options,
    }),
  );
  const { port } = gateway;
  const owned = started.move();
  return {
    ...gateway,
    stack,
    browser: () => createBrowser({ port }),
    at: (host, path = "/") =>
      `http://${host === "" ? "" : `${host}.`}${BASE}:${port}${path}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
