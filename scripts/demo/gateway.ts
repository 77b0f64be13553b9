/** The demo's gateway: the real service in front of the test stack. */
import { fileURLToPath } from "node:url";
import meta from "../../deno.json" with { type: "json" };
import { formatProblems, parseConfig } from "../../src/config/config.ts";
import { listen } from "../../src/downstream/http/listen.ts";
import type { GatewayService } from "../../src/server/run.ts";
import { SECTIONS } from "../../src/modules.ts";
import { createService } from "../../src/service.ts";
import { dialHosted } from "../stand_in/hosted_dial.ts";
import { HOSTED_KEYS, startHostedStack } from "../stand_in/hosted_stack.ts";
import {
  KEYS,
  type Stack,
  type StackOptions,
  startStack,
} from "../stand_in/stack.ts";
import { startDashboard } from "./dashboard.ts";
import { FramedApp } from "./framed_app.ts";
import { startProduct } from "./product.ts";
import { links, LOGIN_ALLOW, NAME } from "./welcome.ts";

/** Where a demo with an embed keeps its app and its records. */
const FOLDER = fileURLToPath(new URL("../../data/demo/", import.meta.url));

/** A running demo; disposing of it closes everything. */
export interface Demo extends AsyncDisposable {
  readonly port: number;
  /** The page with a preview in a frame, if it was asked for. */
  readonly product: string | undefined;
}

/** Differences from the default demo. */
export interface DemoOptions {
  /** True for a Daytona that somebody else operates; by default one's own. */
  readonly hosted?: boolean;
  /** True for a page of another origin, too, with a preview in a frame. */
  readonly embed?: boolean;
  /** The path of a brand's file. */
  readonly brandFile?: string | undefined;
}

/**
 * Starts the stack and the gateway, on loopback only, because it leads to every port of this machine.
 *
 * @throws {Deno.errors.AddrInUse} if `port` is taken; 0 picks a free one.
 */
export async function startDemo(
  port: number,
  { hosted = false, embed = false, brandFile }: DemoOptions = {},
): Promise<Demo> {
  await using started = new AsyncDisposableStack();
  const service = Promise.withResolvers<GatewayService>();
  // Listening comes first: the port is part of the public addresses that everything else is configured with.
  const listener = listen(
    async (request, info) => (await service.promise).fetch(request, info),
    { hostname: "127.0.0.1", port },
  );
  started.defer(() => listener.close());
  const publicHost = `proxy.localhost:${listener.port}`;
  const stack = started.use(
    await (hosted ? startHosted : startStack)({ publicHost, sleepers: true }),
  );
  const { state } = stack.api;
  state.config.dashboardUrl = started.use(startDashboard(state)).url;
  stack.api.cache.isOn = true;
  stack.runner.addressTimeoutMs = 300;
  const app = embed ? started.use(await startApp()) : undefined;
  const result = parseConfig(
    {
      ...stack.environment,
      WAKE: "press",
      BRAND_FILE: brandFile,
      ...app && settingsFor(app),
    },
    SECTIONS,
  );
  if (!result.ok) throw new TypeError(formatProblems(result.problems));
  const key = hosted ? HOSTED_KEYS.member : KEYS.user;
  const product = app &&
    started.use(startProduct({ port: listener.port, key, app })).url;
  const gateway = await createService(result.config, {
    version: meta.version,
    links: links(listener.port, { hosted, product }),
    // The names of the hosted stand-in are in no DNS.
    ...hosted && { dial: dialHosted },
  });
  started.defer(() => gateway.close());
  service.resolve(gateway);

  const owned = started.move();
  return {
    port: listener.port,
    product,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startApp(): Promise<FramedApp> {
  await Deno.mkdir(FOLDER, { recursive: true });
  const app = await FramedApp.create(FOLDER);
  app.start();
  return app;
}

/** What a gateway needs to have it in a frame, and to share previews; its records go with the app's folder. */
function settingsFor({ folder }: FramedApp): Record<string, string> {
  return {
    EMBEDS: "members",
    EMBED_BRIDGE: "true",
    SHARES: "members",
    RECORDS_URL: `kv:${folder}/records.db`,
  };
}

/** The stack of a hosted Daytona, with a login at the operator's own provider, and a sandbox that has a name. */
async function startHosted(options: StackOptions): Promise<Stack> {
  const stack = await startHostedStack(options);
  const demo = stack.api.state.sandboxes.get("demo");
  if (demo !== undefined) demo.name = NAME;
  const { issuer, clientId } = stack.loginProvider;
  const environment = {
    ...stack.environment,
    OIDC_DOMAIN: issuer,
    OIDC_CLIENT_ID: clientId,
    LOGIN_ALLOW,
  };
  return { ...stack, environment };
}
