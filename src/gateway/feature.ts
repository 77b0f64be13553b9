/**
 * What an optional part of the gateway may do. The core asks all features in one order, which service.ts sets, and knows
 * none of them by name; a feature that is switched off is not there.
 */
import type { PreviewHost } from "../address/preview_host.ts";
import type { GrantSource } from "../auth/grants.ts";
import type { Admission } from "../auth/verdict.ts";
import type { ControlFeature, ControlHooks } from "../control/app.ts";
import type { GatewayError } from "../errors.ts";
import type { HeaderList } from "../http/headers.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeObserver } from "./observer.ts";
import type { ExchangeServices, IncomingRequest } from "./received_request.ts";
import type { PreviewExchange, SandboxExchange } from "./sandbox_exchange.ts";

/** An exchange, and what handles it. */
export interface HandledExchange {
  readonly exchange: Exchange;
  handle(): Promise<Response>;
}

/** How a visitor gets to the login, and back to the preview. */
export interface WayToLogin {
  readonly location: string;
  /** What the browser has to remember. */
  readonly headers: HeaderList;
}

/** A feature that is switched on. */
export interface Feature extends ControlFeature, ControlHooks {
  /** A parameter of a preview's query that is this feature's: it is taken out, and never reaches an app. */
  readonly ownParameter?: string;
  /** What it knows of grants. */
  readonly grants?: GrantSource;
  /** Sees exchanges with sandboxes while they are under way. */
  readonly observer?: ExchangeObserver;
  /** Where the owner of a sandbox sees its requests, below a base origin. */
  readonly ownersViewOf?: ExchangeServices["ownersViewOf"];
  /** Throws the failure to tell, to whoever was admitted, in place of what is served to nobody, toolboxes too. */
  readonly forbid?: ExchangeServices["forbid"];
  /** A page about a sandbox on base hosts, for its members: its path, which the sandbox's ID or name ends, and text. */
  readonly sandboxPage?: { readonly url: `/${string}/`; readonly text: string };
  /** Pages beside `/metrics`, by path, for GET and HEAD. */
  readonly metricsPages?: Readonly<
    Record<string, (request: Request) => Response>
  >;
  /** Fulfils once it knows what it must, which the start waits for; never rejects. */
  readonly loaded?: Promise<void>;
  /** Answers a request to a preview before anything is looked up for it. */
  beforeGate?(x: PreviewExchange): Promise<Response | undefined> | undefined;
  /** Answers in place of the app a visitor who was admitted. */
  admitted?(
    x: PreviewExchange,
    admission: Admission,
  ): Promise<Response | undefined> | undefined;
  /** Where a visitor is sent to log in, and what the browser has to remember; undefined if to `loginUrl` as it is. */
  departure?(
    x: PreviewExchange,
    loginUrl: string,
  ): { readonly location: string; readonly setCookie: string } | undefined;
  /** What becomes of the app's response to a visitor who was admitted, before it is relayed; most often, the response. */
  relayed?(
    upstream: UpstreamResponse,
    x: PreviewExchange,
    admission: Admission,
  ): UpstreamResponse;
  /**
   * What to do about the failure of a request that was admitted: answer with that response, or tell of that failure
   * instead. `toLogin` is for its page; undefined if no login begins there.
   */
  explain?(
    failure: unknown,
    x: SandboxExchange,
    admission: Admission,
    toLogin: () => WayToLogin | undefined,
  ): Promise<Response | GatewayError | undefined>;
  /** The exchange for a request on a base host that is this feature's; `handle` rejects as a handler does. */
  ownExchange?(
    incoming: IncomingRequest,
    services: ExchangeServices,
  ): HandledExchange | undefined;
  /** That for a request to a path below `/.porthole/` of a preview host. */
  ownPreviewExchange?(
    incoming: IncomingRequest,
    host: PreviewHost,
    services: ExchangeServices,
  ): HandledExchange | undefined;
  /** Called with each exchange that is over. */
  onRecord?(record: ExchangeRecord): void;
  /** The gateway begins to shut down. */
  startDraining?(): void;
  /** The gateway has shut down; the stores close next. */
  close?(): Promise<void> | void;
}

/** The first answer that a feature has; undefined at once if none could have any. */
export function firstAnswer(
  features: readonly Feature[],
  ask: (feature: Feature) => Promise<Response | undefined> | undefined,
): Promise<Response | undefined> | undefined {
  for (const [index, feature] of features.entries()) {
    const asked = ask(feature);
    if (asked === undefined) continue;
    const others = features.slice(index + 1);
    return asked.then((answer) => answer ?? firstAnswer(others, ask));
  }
  return undefined;
}
