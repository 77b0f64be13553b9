/** What the dev servers are seen through: the gateway over HTTP and over TLS, at names that are not `*.localhost`. */
import { type Stack, startStack } from "../../../../scripts/stand_in/stack.ts";
import { addSandbox } from "../../../support/add_sandbox.ts";
import { certificateFiles, LOCALHOST } from "../../../support/certificates.ts";
import { startProcess } from "../../../support/process.ts";
import { untilReady } from "../../../support/ready.ts";
import type { IsKnown } from "../browser/names.ts";

/** Dev servers let names below `.localhost` and `.test` in that they refuse on the internet. */
export const DOMAIN = "preview.example.com";

/** How an app is seen: over which scheme, and in which sandbox. */
export const SCHEMES = ["http", "https"] as const;
export type Scheme = typeof SCHEMES[number];

/** The modes of APP_ORIGIN, each chosen by the label of a sandbox of its own; `auto` by none. */
export const MODES = ["auto", "local", "pass"] as const;
export type Mode = typeof MODES[number];

/** The running gateways. */
export interface Gateways extends AsyncDisposable {
  /** The value of Chromium's `--host-resolver-rules`: the gateways' ports, and nothing else. */
  readonly resolverRules: string;
  /** The same for other engines. */
  readonly isKnown: IsKnown;
  /** The port of 127.0.0.1 on which each listens. */
  readonly ports: Readonly<Record<Scheme, number>>;
  /** The public origin of a port of the sandbox with that mode. */
  origin(scheme: Scheme, mode: Mode, port: number): string;
  /** The target that opens such a sandbox, which is private. */
  opening(mode: Mode): string;
  /** Has a port of the sandboxes lead to the same one of this machine. */
  listen(port: number): void;
}

/** Starts both gateways in front of one stack; `environment` is added to theirs. */
export async function startGateways(
  environment: Readonly<Record<string, string>> = {},
): Promise<Gateways> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack({ publicHost: DOMAIN }));
  for (const mode of MODES) addPrivateSandbox(stack, mode);
  const files = started.use(await certificateFiles(LOCALHOST));
  const ports = {} as Record<Scheme, number>;
  for (const scheme of SCHEMES) {
    const gateway = started.use(
      await startProcess({
        environment: {
          ...stack.environment,
          PROXY_PORT: "0",
          PROXY_PROTOCOL: scheme,
          LOG_FORMAT: "json",
          ...environment,
          ...scheme === "https" && {
            ENABLE_TLS: "true",
            TLS_CERT_FILE: files.certFile,
            TLS_KEY_FILE: files.keyFile,
          },
        },
      }),
    );
    ports[scheme] = gateway.port;
  }
  await untilReady(ports.http);
  const rules = SCHEMES.map((scheme) => {
    const port = ports[scheme];
    return `MAP *.${DOMAIN}:${port} 127.0.0.1:${port}`;
  });
  const owned = started.move();
  return {
    // Everything else is not found, or a dev server's client would find its server past the gateway.
    resolverRules: [...rules, "MAP * ~NOTFOUND"].join(", "),
    isKnown: (host, port) =>
      `.${host}`.endsWith(`.${DOMAIN}`) &&
      Object.values(ports).includes(port),
    ports,
    origin: (scheme, mode, port) =>
      `${scheme}://${port}-${mode}.${DOMAIN}:${ports[scheme]}`,
    opening: (mode) => `/?DAYTONA_SANDBOX_AUTH_KEY=${mode}-token`,
    listen(port) {
      for (const mode of MODES) {
        stack.runner.containers.get(mode)?.ports.set(port, port);
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function addPrivateSandbox(stack: Stack, mode: Mode): void {
  const port = Number(new URL(stack.runner.url).port);
  addSandbox(stack, mode, port);
  stack.runner.containers.set(mode, { started: true, ports: new Map() });
  const sandbox = stack.api.state.sandboxes.get(mode);
  if (sandbox === undefined) throw new TypeError("It was not added");
  sandbox.public = false;
  if (mode !== "auto") sandbox.labels = { "porthole.app-origin": mode };
}
