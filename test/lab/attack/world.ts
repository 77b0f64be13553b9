/** The world around the gateway: the stand-in Daytona, with a sandbox of the attacker's and an innocent one. */
import { type Stack, startStack } from "../../../scripts/stand_in/stack.ts";
import { addSandbox } from "../../support/add_sandbox.ts";
import {
  type CertificateFiles,
  certificateFiles,
  LOCALHOST,
} from "../../support/certificates.ts";
import type { Scheme } from "../../support/dial.ts";
import { type HostileApp, startHostileApp } from "../../support/hostile_app.ts";
import { BASE, HOSTILE, MIB, QUIET } from "./attack.ts";
import type { ObserverCalls } from "./observer.ts";
import { runtimeFor, settingsFor } from "../harness/small_memory.ts";
import { Thread } from "../harness/thread.ts";

/** The running world. */
export interface AttackWorld extends AsyncDisposable {
  readonly stack: Stack;
  readonly app: HostileApp;
  readonly observer: Thread<ObserverCalls>;
  /** The environment that a gateway needs. */
  environment(scheme: Scheme, limitBytes: number): Record<string, string>;
}

/** Starts everything but a gateway. */
export async function startAttackWorld(): Promise<AttackWorld> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startStack({ publicHost: BASE }));
  const app = started.use(startHostileApp());
  const observer = started.use(
    new Thread<ObserverCalls>(new URL("./observer.ts", import.meta.url)),
  );
  addSandbox(stack, HOSTILE, app.port);
  addSandbox(stack, QUIET, await observer.call("serve"));
  const files: CertificateFiles = started.use(
    await certificateFiles(LOCALHOST),
  );

  const owned = started.move();
  return {
    stack,
    app,
    observer,
    environment(scheme, limitBytes) {
      return {
        ...stack.environment,
        ...settingsFor(limitBytes / MIB),
        // An attacker may have any number of sandboxes, of which this one stands for all.
        MAX_EXCHANGES_PER_SANDBOX: "480",
        MAX_WAITING_PER_RUNNER: "1600",
        ...runtimeFor(limitBytes / MIB),
        PROXY_PROTOCOL: scheme,
        // Everybody is on the loopback device; visitors, and some attackers, say which address they stand for.
        TRUSTED_PROXIES: "127.0.0.1,::1",
        SHUTDOWN_DELAY_SEC: "0",
        SHUTDOWN_TIMEOUT_SEC: "3",
        ...scheme === "https" && {
          PROXY_HOST: hasIpv6() ? "::" : "0.0.0.0",
          ENABLE_TLS: "true",
          TLS_CERT_FILE: `${Deno.cwd()}/${files.certFile}`,
          TLS_KEY_FILE: `${Deno.cwd()}/${files.keyFile}`,
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whether innocents can come from another address than attackers, who are at 127.0.0.1. */
export function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
