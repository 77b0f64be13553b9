/** Where sandboxes are: how that is stored in the durable tier, and the destinations that it makes. */
import { z } from "zod";
import { portPrefix, toolboxPrefix } from "../../address/app_target.ts";
import type { Codec } from "../../cache/durable_tier.ts";
import type { DurableStore } from "../../cache/store.ts";
import type { Runner } from "../../daytona/api.ts";
import { runnerAnswer } from "../../daytona/models.ts";
import type { HeaderList } from "../../http/headers.ts";
import { type Origin, parseOrigin } from "../../http/origin.ts";
import { withoutTrailingSlashes } from "../../http/url.ts";
import type { Sealer } from "../../lib/seal.ts";
import { sealedCodec } from "../codecs.ts";
import type { App, Destination } from "../destination.ts";
import type { LookupKind } from "../lookup_cache.ts";
import { storedOwner } from "../owner_labels.ts";

const storedPlacement = z.object({
  runner: runnerAnswer,
  /**
   * Null if nobody has read whose it is: others that write such records do not. Older versions stored the labels that they
   * knew as `labels`.
   */
  owner: storedOwner.nullable().default(null),
});

/** Where a sandbox is, and its owner. */
export type Placement = Readonly<z.output<typeof storedPlacement>>;

/** The base URL of a runner's proxy or API, parsed. */
interface RunnerBase {
  readonly origin: Origin;
  /** The Host of requests to it, `host[:port]`. */
  readonly authority: string;
  /** The URL's path without trailing slashes. */
  readonly path: string;
}

/** @throws {TypeError} as {@linkcode parseOrigin} */
export function runnerBase(url: string): RunnerBase {
  const { host: authority, pathname } = new URL(url);
  const path = withoutTrailingSlashes(pathname);
  return { origin: parseOrigin(url), authority, path };
}

export function runnerHeaders({ apiKey }: Pick<Runner, "apiKey">): HeaderList {
  return [["x-daytona-authorization", `Bearer ${apiKey}`]];
}

/** A runner's base and headers, which are the same for all of its sandboxes. */
const proxies = new WeakMap<
  Runner,
  RunnerBase & Pick<Destination, "headers" | "livenessTarget">
>();

/** The destination of an app of a sandbox that `runner` holds; throws a TypeError if `sandboxId` is no sandbox's id. */
export function runnerDestination(
  runner: Runner,
  { sandboxId, sandboxPort: port }: App,
  rest: Pick<Destination, "appOrigin" | "refusals" | "organizationId">,
): Destination {
  let proxy = proxies.get(runner);
  if (proxy === undefined) {
    const headers = runnerHeaders(runner);
    const base = runnerBase(runner.proxyUrl);
    proxy = { ...base, headers, livenessTarget: `${base.path}/` };
    proxies.set(runner, proxy);
  }
  const { origin, authority, path, headers, livenessTarget } = proxy;
  const toolbox = path + toolboxPrefix(sandboxId);
  return {
    origin,
    authority,
    pathPrefix: port === "toolbox" ? toolbox : portPrefix(toolbox, port),
    headers,
    toolboxPrefix: toolbox,
    reportsUse: false,
    publicOrigin: undefined,
    livenessTarget,
    ...rest,
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
    : sealedCodec(storedPlacement, sealer);
}

/**
 * Daytona's own format, `{"apiKey","apiUrl"}`, whose `apiUrl` is the runner's `proxyUrl`, with our other members added.
 * In records that others wrote, nobody has read the owner.
 */
const DAYTONA_RECORD: Codec<Placement | null> = {
  encode: (placement) =>
    placement && {
      apiKey: placement.runner.apiKey,
      apiUrl: placement.runner.proxyUrl,
      proxyUrl: placement.runner.proxyUrl,
      runnerApiUrl: placement.runner.apiUrl,
      owner: placement.owner && { ...placement.owner },
    },
  decode(json) {
    const { apiKey, owner, ...urls } = Object(json);
    const proxyUrl = urls.proxyUrl ?? urls.apiUrl;
    const runner = { apiKey, proxyUrl, apiUrl: urls.runnerApiUrl };
    return storedPlacement.safeParse({ runner, owner }).data;
  },
};
