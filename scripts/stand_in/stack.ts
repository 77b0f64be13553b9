/**
 * Everything around the gateway in one process, on free ports of 127.0.0.1: an API, an identity provider, a runner with
 * three sandboxes, an app in each of them, and their daemons. Used by the tests and by `deno task demo`.
 */
import { FakeApi } from "./api.ts";
import { type ApiSandbox, REGION, type Service } from "./api_state.ts";
import { type FakeDaemon, startFakeDaemon, TOOLBOX_PORT } from "./daemon.ts";
import { startDemoApp } from "./demo_app.ts";
import { type Clock, SYSTEM_CLOCK } from "./lifecycle.ts";
import type { Loopback } from "./loopback.ts";
import { type OpenidProvider, startOpenidProvider } from "./provider.ts";
import { type Container, type FakeRunner, startFakeRunner } from "./runner.ts";
import { SLEEPERS } from "./sleepers.ts";

/** The stack's credentials. */
export const KEYS = {
  /** The gateway's key for the API: a proxy's. */
  service: "stack-service-key",
  /** A proxy's of the sandboxes' region, and of another one. */
  regionProxy: "stack-region-proxy-key",
  otherRegionProxy: "stack-other-region-proxy-key",
  sshGateway: "stack-ssh-gateway-key",
  otelCollector: "stack-otel-collector-key",
  healthCheck: "stack-health-check-key",
  /** The gateway's key for the runner, which is also the runner's for the API. */
  runner: "stack-runner-key",
  /** The API key of a user with access to all sandboxes. */
  user: "demo-key",
  /** The preview token of the sandbox `locked`. */
  lockedToken: "locked-token",
  /** A signed link to port 3000 of `locked`. */
  signedToken: "signedlockedlink",
} as const;

/** The machines of the installation, besides the runner. */
const SERVICES: readonly [key: string, Service][] = [
  [KEYS.service, { role: "proxy" }],
  [KEYS.regionProxy, { role: "region-proxy", region: REGION }],
  [KEYS.otherRegionProxy, { role: "region-proxy", region: "other" }],
  [KEYS.sshGateway, { role: "ssh-gateway" }],
  [KEYS.otelCollector, { role: "otel-collector" }],
  [KEYS.healthCheck, { role: "health-check" }],
];

/** The runner's id. */
export const RUNNER_ID = "5b7ab6f5-6b0c-4a5c-8f5e-1f2d3c4b5a69";

/** The port of the app in every sandbox. */
export const APP_PORT = 3000;

/** Differences from the default stack. */
export interface StackOptions {
  /** The public address of the gateway, `host` or `host:port`. */
  readonly publicHost?: string;
  /** What the API's starts, throttlers and caches go by; by default the clock of this machine. */
  readonly clock?: Clock;
  /** True to have the sandboxes of {@linkcode SLEEPERS} too. */
  readonly sleepers?: boolean;
}

/** A running stack: `demo` is public, `locked` private, `stopped` public but not running. */
export interface Stack extends AsyncDisposable {
  readonly api: FakeApi;
  /** Its users are `alice`, with access to all sandboxes, and `mallory`, with access to `demo`. */
  readonly provider: OpenidProvider;
  /** The providers whose access tokens the API accepts: that one, and those that tests add. */
  readonly trusted: OpenidProvider[];
  readonly runner: FakeRunner;
  readonly app: Loopback;
  /** The daemons by sandbox id; `stopped` has none. */
  readonly daemons: ReadonlyMap<string, FakeDaemon>;
  /** The environment that a gateway in front of the stack needs. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts everything. */
export async function startStack(
  {
    publicHost = "proxy.localhost",
    clock = SYSTEM_CLOCK,
    sleepers = false,
  }: StackOptions = {},
): Promise<Stack> {
  await using started = new AsyncDisposableStack();
  const app = started.use(await startDemoApp());
  const daemons = new Map<string, FakeDaemon>();
  const containers = new Map<string, Container>();
  for (const id of ["demo", "locked"]) {
    const daemon = await startFakeDaemon((port) =>
      containers.get(id)?.ports.get(port) ?? port
    );
    daemons.set(id, started.use(daemon));
  }
  function container(id: string): Container {
    const ports = new Map([[APP_PORT, app.port]]);
    const daemon = daemons.get(id);
    if (daemon !== undefined) ports.set(TOOLBOX_PORT, daemon.port);
    return { started: false, ports };
  }
  const runner = started.use(await startFakeRunner(KEYS.runner, new Map()));
  const provider = started.use(await startOpenidProvider());
  const { issuer, clientId, audience } = provider;
  provider.redirectUris.add(`http://${publicHost}/callback`);
  const trusted = [provider];
  const sandboxes = [
    sandbox("demo", { public: true }),
    sandbox("locked", { authToken: KEYS.lockedToken }),
    sandbox("stopped", { public: true, state: "stopped" }),
    ...Object.entries(sleepers ? SLEEPERS : {})
      .map(([id, differences]) => sandbox(id, differences)),
  ];
  const all = sandboxes.map(({ id }) => id);
  const api = started.use(
    new FakeApi({
      config: {
        oidc: { issuer, clientId, audience },
        proxyTemplateUrl: `http://{{PORT}}-{{sandboxId}}.${publicHost}`,
        proxyToolboxUrl: `http://${publicHost}/toolbox`,
        dashboardUrl: `http://${publicHost}/dashboard`,
      },
      services: new Map(SERVICES),
      sandboxes: byId(sandboxes),
      runners: byId([{
        id: RUNNER_ID,
        proxyUrl: runner.url,
        apiUrl: runner.url,
        apiKey: KEYS.runner,
      }]),
      signedTokens: new Map([[KEYS.signedToken, {
        sandboxId: "locked",
        port: APP_PORT,
        expiresAt: clock.now() + 24 * 60 * 60 * 1000,
        revoked: false,
      }]]),
      users: new Map([[KEYS.user, new Set(all)]]),
      subjects: new Map([
        ["alice", new Set(all)],
        ["mallory", new Set(["demo"])],
      ]),
    }, {
      async subjectOf(accessToken) {
        for (const issuer of trusted) {
          const subject = await issuer.subjectOf(accessToken);
          if (subject !== undefined) return subject;
        }
        return undefined;
      },
      now: () => clock.now(),
      after: (ms, callback) => clock.after(ms, callback),
    }),
  );
  for (const id of all) containers.set(id, container(id));
  followStates(api, runner, containers);

  const owned = started.move();
  return {
    api,
    provider,
    trusted,
    runner,
    app,
    daemons,
    environment: {
      DAYTONA_API_URL: api.url,
      PROXY_API_KEY: KEYS.service,
      PROXY_PROTOCOL: "http",
      PROXY_DOMAIN: publicHost,
      PROXY_HOST: "127.0.0.1",
      CACHE_URL: "kv::memory:",
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Keeps the containers on the runner as the API has them: one that is archived is not there. */
function followStates(
  { state, lifecycle }: FakeApi,
  runner: FakeRunner,
  containers: ReadonlyMap<string, Container>,
): void {
  function follow({ id, state }: ApiSandbox): void {
    const container = containers.get(id);
    if (container === undefined) return;
    container.started = state === "started";
    if (["archived", "restoring", "destroyed"].includes(state)) {
      runner.containers.delete(id);
    } else runner.containers.set(id, container);
  }
  for (const sandbox of state.sandboxes.values()) follow(sandbox);
  lifecycle.watchers.add(follow);
}

function sandbox(id: string, differences: Partial<ApiSandbox>): ApiSandbox {
  return {
    id,
    public: false,
    authToken: `${id}-token`,
    runnerId: RUNNER_ID,
    state: "started",
    ...differences,
  };
}

function byId<T extends { readonly id: string }>(
  items: readonly T[],
): Map<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}
