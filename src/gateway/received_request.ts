/** A request as the exchange with its client knows it, whatever becomes of it, and what all exchanges share. */
import type { GrantAccess } from "../auth/grant_access.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { CorsMode, EdgeCache, SessionScope } from "../config/config.ts";
import type { AddressRange, ClientInfo } from "../downstream/http/forwarded.ts";
import type { RequestHeadLimits } from "../downstream/http/head_limits.ts";
import type { ClientLeg, RepliedRequest } from "../downstream/http/reply.ts";
import { isSentByPage } from "../http/fetch_metadata.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { Logger } from "../observability/log.ts";
import { type RequestTrace, traceIdIn } from "../observability/traces.ts";
import type { CurrentBrand } from "../pages/brand.ts";
import type { Activity } from "../proxy/activity.ts";
import {
  type CorsDecision,
  corsDecision,
  type Preflight,
  preflightOf,
} from "../proxy/cors.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { Served } from "../proxy/stream_handle.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { ExchangeObserver } from "./observer.ts";

/** The parts of the gateway that all exchanges share. */
export interface ExchangeServices {
  readonly corsMode: CorsMode;
  readonly edgeCache: EdgeCache;
  readonly limits: RequestHeadLimits;
  readonly trustedProxies: readonly AddressRange[];
  readonly inFlight: Pick<InFlight, "begin">;
  /** Where the use of a sandbox is reported. */
  readonly activity: Pick<Activity, "touch" | "begin">;
  readonly clientLeg: ClientLeg;
  readonly onRecord: (record: ExchangeRecord) => void;
  /** Who sees exchanges under way; undefined if nobody may. */
  readonly observer?: ExchangeObserver | undefined;
  /** Where the owner of a sandbox sees its requests, below a base origin; undefined if nowhere. */
  readonly ownersViewOf?:
    | ((baseOrigin: string, sandbox: string) => string)
    | undefined;
  /** Throws the failure to tell in place of what is served to nobody, toolboxes too; undefined if nothing is forbidden. */
  readonly forbid?: ((served: Served) => void) | undefined;
  /** What our pages are dressed in; undefined if they look as they do. */
  readonly brand?: CurrentBrand | undefined;
  readonly logger: Logger;
  readonly now: () => number;
  readonly scheme: "http" | "https";
  readonly remoteSettings: Pick<RemoteSettings, "dashboardUrl">;
  readonly cookies: OwnCookies;
  readonly grants: Pick<GrantAccess, "owns">;
  /** Parameters of previews' queries that are meant for features. */
  readonly ownParameters: readonly string[];
  /** What the cookie of a login is for. */
  readonly sessionScope: SessionScope;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Whose pages may frame what opens for anybody, besides the sandbox's own; undefined for anybody's. */
  readonly frameAncestors: readonly string[] | undefined;
}

/** What an exchange begins with. */
export interface IncomingRequest extends RepliedRequest {
  readonly id: string;
  readonly method: string;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  readonly client: ClientInfo;
  readonly trace?: RequestTrace | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** What only the client's leg needs. */
type OfConnection = Pick<
  IncomingRequest,
  "connection" | "socket" | "isHttp2" | "delivered" | "onBodyRead"
>;

/** A request, its origin and what it asks permission for. */
export abstract class ReceivedRequest
  implements Omit<IncomingRequest, keyof OfConnection> {
  readonly id: string;
  readonly request: Request;
  readonly method: string;
  readonly headers: IncomingRequest["headers"];
  readonly authority: string;
  readonly target: string;
  readonly client: ClientInfo;
  readonly trace: RequestTrace | undefined;
  readonly startedAt: number;
  protected readonly services: ExchangeServices;
  #cors: CorsDecision | undefined;

  constructor(incoming: IncomingRequest, services: ExchangeServices) {
    this.id = incoming.id;
    this.request = incoming.request;
    this.method = incoming.method;
    this.headers = incoming.headers;
    this.authority = incoming.authority;
    this.target = incoming.target;
    this.client = incoming.client;
    this.trace = incoming.trace;
    this.startedAt = incoming.startedAt;
    this.services = services;
  }

  get clientAddress(): string {
    return this.client.clientAddress;
  }

  /** The id of the trace that the request is part of; undefined if it is part of none. */
  get traceId(): string | undefined {
    return this.trace?.traceId ?? traceIdIn(this.headers.get("traceparent"));
  }

  /** True if a page of another origin sent the request, not its visitor. */
  get isSentByPage(): boolean {
    return isSentByPage(this.headers);
  }

  /** True if pages of an origin may use the browser's credentials. */
  protected abstract isTrustedOrigin(origin: string): boolean;

  /** The port of a page's origin, if that is a page of the app's own sandbox. */
  protected pagePort(_origin: string): number | undefined {
    return undefined;
  }

  /** The base host, `host[:port]`, as the client knows it. */
  protected get baseAuthority(): string {
    return this.authority.toLowerCase();
  }

  /** The sandbox as the client has named it; undefined if there is none, or its name is a secret. */
  get namedSandbox(): string | undefined {
    return undefined;
  }

  /** The request-target without what is meant for the gateway. */
  protected get shownTarget(): string {
    return this.target;
  }

  /** The CORS policy for the response. */
  get cors(): CorsDecision {
    return this.#cors ??= corsDecision({
      mode: this.services.corsMode,
      headers: this.headers,
      isTrusted: (origin) => this.isTrustedOrigin(origin),
      pagePort: (origin) => this.pagePort(origin),
    });
  }

  /** The preflight that the request is; undefined if it is none, or if only the app may answer it. */
  get preflight(): Preflight | undefined {
    return this.cors.kind === "on"
      ? preflightOf(this.method, this.headers)
      : undefined;
  }
}
