/**
 * What an optional part of the gateway may do: it joins some of six chains, adds to the control plane, and has a life of
 * its own. The core knows no feature by name; one that is switched off is not there. Each chain says what holds for two
 * that join it (see chains.ts).
 */
import type { NameSource } from "../address/known_names.ts";
import type { PreviewHost } from "../address/preview_host.ts";
import type { GrantSource } from "../auth/grants.ts";
import type { Admission } from "../auth/verdict.ts";
import type { ControlRoutes } from "../control/app.ts";
import type { BrowserSessions } from "../control/browser_sessions.ts";
import type { GatewayError } from "../errors.ts";
import type { HeaderList } from "../http/headers.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { CurrentBrand } from "../pages/brand.ts";
import type { AdmittedRequest } from "../proxy/forward.ts";
import type { Served } from "../proxy/stream_handle.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { ExchangeObserver } from "./observer.ts";
import type { PreviewExchange } from "./preview_route.ts";
import type { ReceivedRequest } from "./received_request.ts";
import type { SandboxExchange } from "./sandbox_route.ts";

/** A feature that is switched on. */
export interface Feature {
  /** Resolve: what hosts lead to besides preview hosts; the first answer counts. */
  readonly resolve?: NameSource;
  /** Judge: what it knows of grants; each has marks of its own. */
  readonly judge?: GrantSource;
  /** Answer: responses in place of the app's, by stage; the first one counts. */
  readonly answer?: AnswerStages;
  /** Shape: what is made of a request to an app, and of its response; each gets what the one before has made. */
  readonly shape?: Shape;
  /**
   * Guard: the failure to tell in place of what is served to nobody, toolboxes too; the first one counts. It is asked once
   * for each request, once it is known where that goes, and without an organization if it goes nowhere.
   */
  readonly guard?: (served: Served) => GatewayError | undefined;
  /** Watch: all hear. */
  readonly watch?: Watch;
  /** What it adds to the gateway's own pages. */
  readonly control?: ControlPart;
  readonly life?: Life;
}

/** An exchange that is a feature's own, and what handles it, which rejects as a handler does. */
export interface OwnExchange {
  readonly exchange: Exchange;
  handle(): Promise<Response>;
}

/** How a visitor gets to the login, and back to the preview. */
export interface WayToLogin {
  readonly location: string;
  /** What the browser has to remember. */
  readonly headers: HeaderList;
}

/** The stages at which a feature may answer, in this order. */
export interface AnswerStages {
  /** A request on a base host that is this feature's. */
  onBase?(
    received: ReceivedRequest,
    services: ExchangeServices,
  ): OwnExchange | undefined;
  /** A request to a path below `/.porthole/` of a preview host. */
  onOwnPath?(
    received: ReceivedRequest,
    host: PreviewHost,
    services: ExchangeServices,
  ): OwnExchange | undefined;
  /** A parameter of a preview's query that is this feature's: it is taken out, and never reaches an app. */
  readonly ownParameter?: string;
  /** A request to a preview, before anything is looked up for it. */
  arrived?(x: PreviewExchange): Promise<Response | undefined> | undefined;
  /** A visitor who was admitted; what does more than answer calls {@linkcode Exchange.checkServed} first. */
  admitted?(
    x: PreviewExchange,
    admission: Admission,
  ): Promise<Response | undefined> | undefined;
  /**
   * A failure of a request that was admitted: a response, or the failure to tell instead, which the next feature gets.
   * `toLogin` is for its page; undefined if no login begins there.
   */
  failed?(
    failure: unknown,
    x: SandboxExchange,
    admission: Admission,
    toLogin: () => WayToLogin | undefined,
  ): Promise<Response | GatewayError | undefined>;
}

export interface Shape {
  /** What an app is sent for a visitor who was admitted; with headers `added`, its response is for this one alone. */
  request?(
    request: AdmittedRequest,
    x: PreviewExchange,
    admission: Admission,
  ): AdmittedRequest;
  /** What becomes of the app's response, before it is relayed. */
  response?(
    response: UpstreamResponse,
    x: PreviewExchange,
    admission: Admission,
  ): UpstreamResponse;
}

export interface Watch {
  /** Sees exchanges with sandboxes while they are under way. */
  readonly exchanges?: ExchangeObserver;
  /** Called with each exchange that is over. */
  record?(record: ExchangeRecord): void;
}

/** A page about a sandbox on base hosts, for its members: its path, which the sandbox's ID or name ends, and text. */
export interface SandboxPage {
  readonly url: `/${string}/`;
  readonly text: string;
}

/** What a feature adds to the gateway's own pages; of all but `routes`, there can be one of each. */
export interface ControlPart {
  /** Routes of its own on base hosts. */
  readonly routes?: ControlRoutes;
  readonly sandboxPage?: SandboxPage;
  /** Pages beside `/metrics`, by path, for GET and HEAD. */
  readonly metricsPages?: MetricsPages;
  /** True if it has a page at `/` of base hosts. */
  readonly hasHomePage?: boolean;
  /** What all our pages are dressed in. */
  readonly brand?: CurrentBrand | undefined;
  /** How the sessions of logins are kept, in place of one for each sandbox. */
  readonly browserSessions?: BrowserSessions | undefined;
  /** How those are kept that are for its own pages, which ask who somebody is, whatever they may open. */
  readonly anyLogins?: BrowserSessions | undefined;
  /** Where a visitor is sent to log in, and what the browser has to remember; undefined if to `loginUrl` as it is. */
  departure?(
    x: PreviewExchange,
    loginUrl: string,
  ): { readonly location: string; readonly setCookie: string } | undefined;
  /** Where the owner of a sandbox sees its requests, below a base origin. */
  readonly ownersViewOf?: (baseOrigin: string, sandbox: string) => string;
}

export type MetricsPages = Readonly<
  Record<string, (request: Request) => Response>
>;

export interface Life {
  /** Fulfils once it knows what it must, which the start waits for; never rejects. */
  readonly loaded?: Promise<void>;
  /** The gateway begins to shut down. */
  startDraining?(): void;
  /** The gateway has shut down; the stores close next. */
  close?(): Promise<void> | void;
}
