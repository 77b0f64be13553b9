/** A gateway over https, at a name of the internet. */
import { LOCALHOST } from "../../support/certificates.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../../support/login_gateway.ts";
import { serveOnLoopback } from "./scenarios/isolation_apps.ts";

/** The gateway, and its URLs. */
export interface SecureGateway extends AsyncDisposable {
  readonly gateway: LoginGateway;
  /** The URL of a host below the base domain, such as `3000-demo`, or of the base domain if it is empty. */
  at(host: string, target?: string): string;
}

/** Starts it; its certificate is for another name. */
export async function startSecureGateway(
  domain: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<SecureGateway> {
  await using started = new AsyncDisposableStack();
  const gateway = started.use(
    await startLoginGateway({
      PROXY_DOMAIN: domain,
      PROXY_PROTOCOL: "https",
      ...environment,
    }),
  );
  const { cert, key } = LOCALHOST;
  const { port } = started.use(
    serveOnLoopback(gateway.service.fetch, { cert, key }),
  );
  function at(host: string, target = "/"): string {
    const base = host === "" ? domain : `${host}.${domain}`;
    return `https://${base}:${port}${target}`;
  }
  gateway.stack.provider.redirectUris.add(at("", "/callback"));
  const owned = started.move();
  return { gateway, at, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
