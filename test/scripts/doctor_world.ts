/** A healthy installation for the doctor's tests: the stack with a gateway in front. */
import { examine } from "../../scripts/doctor/examine.ts";
import type { Finding } from "../../scripts/doctor/finding.ts";
import type { World } from "../../scripts/doctor/world.ts";
import { dialHosted } from "../../scripts/stand_in/hosted_dial.ts";
import { startHostedStack } from "../../scripts/stand_in/hosted_stack.ts";
import type { Stack } from "../../scripts/stand_in/stack.ts";
import { startGateway, startGatewayOf } from "../support/gateway.ts";

/** A healthy installation. */
export interface Patient extends AsyncDisposable {
  readonly stack: Stack;
  readonly port: number;
  /** The environment of the gateway. */
  readonly env: Readonly<Record<string, string>>;
  /** Examines it, with changes to its environment or the world; returns the findings by the name of the check. */
  examine(differences?: {
    readonly env?: Readonly<Record<string, string>>;
    readonly world?: Partial<World>;
  }): Promise<Map<string, Finding[]>>;
}

/** A world without DNS names, whose deadlines never expire. */
export const TEST_WORLD: World = {
  now: Date.now,
  deadline: () => new AbortController().signal,
  resolve: () => Promise.resolve([]),
  readFile: (path) => Promise.reject(new Deno.errors.NotFound(path)),
  openFilesLimit: () => Promise.resolve(1_000_000),
};

/** A secret that must not be printed. */
export const SESSION_SECRET = "session-secret-of-more-than-32-characters";

/** The same in front of a Daytona that somebody else runs, whose proxy is named by its address. */
export async function startHostedPatient(): Promise<Patient> {
  await using started = new AsyncDisposableStack();
  const stack = started.use(await startHostedStack({ tls: false }));
  const gateway = started.use(
    await startGatewayOf(stack, {}, { dial: dialHosted }),
  );
  const host = `proxy.localhost:${gateway.port}`;
  stack.api.state.config = {
    ...stack.api.state.config,
    proxyTemplateUrl:
      `http://{{PORT}}-{{sandboxId}}.127.0.0.1:${stack.hosted.port}`,
  };
  const env = {
    ...stack.environment,
    PROXY_DOMAIN: host,
    SESSION_SECRETS: SESSION_SECRET,
    CACHE_URL: "none",
  };
  const owned = started.move();
  return {
    stack,
    port: gateway.port,
    env,
    examine: (differences) => examineWith(env, differences),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The findings by the name of the check. */
async function examineWith(
  env: Patient["env"],
  differences: Parameters<Patient["examine"]>[0] = {},
): Promise<Map<string, Finding[]>> {
  const findings = await examine(
    { ...env, ...differences.env },
    { ...TEST_WORLD, ...differences.world },
  );
  return Map.groupBy(findings, ({ name }) => name);
}

/** Starts the stack and a gateway, which is registered with the API and the provider. */
export async function startPatient(): Promise<Patient> {
  await using started = new AsyncDisposableStack();
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  started.defer(() => Deno.remove(dir, { recursive: true }));
  const { stack, port } = started.use(await startGateway());
  const host = `proxy.localhost:${port}`;
  stack.api.state.config = {
    ...stack.api.state.config,
    proxyTemplateUrl: `http://{{PORT}}-{{sandboxId}}.${host}`,
    proxyToolboxUrl: `http://${host}/toolbox`,
  };
  stack.provider.redirectUris.add(`http://${host}/callback`);
  const env = {
    ...stack.environment,
    PROXY_DOMAIN: host,
    SESSION_SECRETS: SESSION_SECRET,
    CACHE_URL: `kv:${dir}/cache.sqlite`,
  };
  const owned = started.move();
  return {
    stack,
    port,
    env,
    examine: (differences) => examineWith(env, differences),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
