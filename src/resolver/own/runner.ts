/** Where sandboxes are: how that is stored in the durable tier, and the destinations that it makes. */
import { portPrefix, toolboxPrefix } from "../../address/app_target.ts";
import type { Codec } from "../../cache/durable_tier.ts";
import type { DurableStore } from "../../cache/store.ts";
import type { AppOriginMode } from "../../config/config.ts";
import type { Runner } from "../../daytona/api.ts";
import { runnerAnswer } from "../../daytona/models.ts";
import type { HeaderList } from "../../http/headers.ts";
import { type Origin, parseOrigin } from "../../http/origin.ts";
import { withoutTrailingSlashes } from "../../http/url.ts";
import type { Sealer } from "../../lib/seal.ts";
import {
  type AppOriginLabels,
  NO_LABELS,
  storedAppOriginLabels,
} from "../app_origin_labels.ts";
import type { App, Destination, Refusals } from "../destination.ts";
import type { LookupKind } from "../lookup_cache.ts";

/** Where a sandbox is, and what its labels say of the way there. */
export interface Placement {
  readonly runner: Runner;
  readonly appOrigin: AppOriginLabels;
}

/** The base URL of a runner's proxy or API, parsed. */
interface RunnerBase {
  readonly origin: Origin;
  /** The Host of requests to it, `host[:port]`. */
  readonly authority: string;
  /** The URL's path without trailing slashes. */
  readonly path: string;
}

/**
 * Parses a runner's base URL.
 *
 * @throws {TypeError} as {@linkcode parseOrigin}
 *
 * @example
 * ```ts
 * runnerBase("http://runner:3003/a/").path; // "/a"
 * ```
 */
export function runnerBase(url: string): RunnerBase {
  const { host, pathname } = new URL(url);
  return {
    origin: parseOrigin(url),
    authority: host,
    path: withoutTrailingSlashes(pathname),
  };
}

/** The headers by which a runner knows the gateway. */
export function runnerHeaders({ apiKey }: Pick<Runner, "apiKey">): HeaderList {
  return [["x-daytona-authorization", `Bearer ${apiKey}`]];
}

/** A runner's base and headers, which are the same for all of its sandboxes. */
const proxies = new WeakMap<
  Runner,
  RunnerBase & { readonly headers: HeaderList }
>();

/**
 * The destination of requests for an app of a sandbox that `runner` holds.
 *
 * @throws {TypeError} if `sandboxId` is not a sandbox id
 */
export function runnerDestination(
  runner: Runner,
  { sandboxId, sandboxPort: port }: App,
  rest: {
    readonly appOrigin: AppOriginMode;
    readonly refusals: Refusals;
  },
): Destination {
  let proxy = proxies.get(runner);
  if (proxy === undefined) {
    const headers = runnerHeaders(runner);
    proxy = { ...runnerBase(runner.proxyUrl), headers };
    proxies.set(runner, proxy);
  }
  const { origin, authority, path, headers } = proxy;
  const toolbox = path + toolboxPrefix(sandboxId);
  const pathPrefix = port === "toolbox" ? toolbox : portPrefix(toolbox, port);
  return {
    origin,
    authority,
    pathPrefix,
    headers,
    toolboxPrefix: toolbox,
    refusals: rest.refusals,
    reportsUse: false,
    publicOrigin: undefined,
    appOrigin: rest.appOrigin,
  };
}

/** The codec for entries of `kind` in `store`: sealed, unless Daytona's programs read and write them as well. */
export function placementCodec(
  kind: LookupKind,
  store: DurableStore | null,
  sealer: Sealer,
): Codec<Placement | null> {
  return store?.daytonaKinds?.has(kind)
    ? DAYTONA_RECORD
    : sealedPlacement(sealer);
}

/** A runner's record contains its key, so it leaves the process only sealed. */
function sealedPlacement(sealer: Sealer): Codec<Placement | null> {
  return {
    async encode(placement, staleUntil) {
      return placement && await sealer.seal({ ...placement }, staleUntil);
    },
    async decode(json) {
      if (json === null) return null;
      if (typeof json !== "string") return undefined;
      const payload = await sealer.open(json);
      return readPlacement(payload?.runner, payload?.appOrigin);
    },
  };
}

function readPlacement(
  runner: unknown,
  appOrigin: unknown,
): Placement | undefined {
  const read = runnerAnswer.safeParse(runner).data;
  return read &&
    { runner: read, appOrigin: storedAppOriginLabels.parse(appOrigin) };
}

/**
 * Daytona's own format, `{"apiKey","apiUrl"}`, whose `apiUrl` is the runner's `proxyUrl`, with our other members added.
 * Records that others wrote are validated like answers of the API; they have no labels.
 */
const DAYTONA_RECORD: Codec<Placement | null> = {
  encode: (placement) =>
    placement && {
      apiKey: placement.runner.apiKey,
      apiUrl: placement.runner.proxyUrl,
      proxyUrl: placement.runner.proxyUrl,
      runnerApiUrl: placement.runner.apiUrl,
      ...placement.appOrigin !== NO_LABELS &&
        { appOrigin: placement.appOrigin },
    },
  decode(json) {
    if (typeof json !== "object" || json === null) return undefined;
    const stored: Readonly<Record<string, unknown>> = { ...json };
    return readPlacement({
      apiKey: stored.apiKey,
      proxyUrl: stored.proxyUrl ?? stored.apiUrl,
      apiUrl: stored.runnerApiUrl,
    }, stored.appOrigin);
  },
};
