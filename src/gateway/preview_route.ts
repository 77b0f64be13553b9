/** The route to a port of a sandbox, by a preview host. */
import { isPort, mayBeSignedToken } from "../address/grammar.ts";
import {
  hostOfPort,
  parentDomain,
  type PreviewHost,
  previewOrigin,
} from "../address/preview_host.ts";
import {
  type Credential,
  type CredentialSource,
  presentedCredentials,
} from "../auth/credentials.ts";
import type { FrameTerms } from "../auth/grants.ts";
import { isNavigation, isWindow, mayRedirect } from "../http/fetch_metadata.ts";
import { splitParameter } from "../http/query_parameter.ts";
import type { AppAddress } from "../proxy/app_origin.ts";
import type { CorsDecision } from "../proxy/cors.ts";
import { embeddedHeaders } from "../proxy/embedded_response.ts";
import {
  frameHeaders,
  type FrameSource,
  framingCookies,
} from "../proxy/frame_headers.ts";
import { responseHeaders } from "../proxy/response_headers.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { Guest } from "./progress.ts";
import type { ReceivedRequest } from "./received_request.ts";
import type { Admitted } from "./route.ts";
import {
  isUse,
  namedSandbox,
  sandboxCors,
  type SandboxExchange,
  type SandboxRoute,
  type SplitTarget,
  splitTarget,
} from "./sandbox_route.ts";

const NONE: ReadonlyMap<string, string> = new Map();

/** An exchange on a preview host. */
export type PreviewExchange = Exchange<PreviewRoute>;

/** The exchange of a request on a preview host, without the parameters that are meant for features. */
export function previewExchange(
  incoming: ReceivedRequest,
  host: PreviewHost,
  services: ExchangeServices,
): PreviewExchange {
  let received = incoming;
  let taken = NONE;
  for (const name of services.ownParameters) {
    const { target, value } = splitParameter(received.target, name);
    if (value === undefined) continue;
    received = { ...received, target };
    taken = new Map([...taken, [name, value]]);
  }
  const route = new PreviewRoute(received, host, services, taken);
  return new Exchange(received, route, services);
}

export function isPreview(x: SandboxExchange): x is PreviewExchange {
  return x.route.kind === "preview";
}

type PreviewServices = Pick<
  ExchangeServices,
  | "corsMode"
  | "edgeCache"
  | "scheme"
  | "cookies"
  | "allowedOrigins"
  | "frameAncestors"
>;

const NO_HEADERS = new Headers();

export class PreviewRoute implements SandboxRoute {
  readonly kind = "preview";
  readonly hasApp = true;
  readonly servesSandbox = true;
  readonly host: PreviewHost;
  readonly label: string;
  readonly port: number;
  readonly name: string | undefined;
  readonly appTarget: string;
  readonly cors: CorsDecision;
  readonly isUse: boolean;
  /** The parameters of features that were taken out of the query, by name. */
  readonly ownParameters: ReadonlyMap<string, string>;
  readonly grantInQuery: SplitTarget["grantInQuery"];
  readonly #tokenInQuery: string | undefined;
  readonly #received: ReceivedRequest;
  readonly #services: PreviewServices;
  #credentials: readonly Credential[] | undefined;

  constructor(
    received: ReceivedRequest,
    host: PreviewHost,
    services: PreviewServices,
    ownParameters = NONE,
  ) {
    const split = splitTarget(received.target);
    this.host = host;
    this.label = host.label;
    this.port = host.port;
    this.name = host.name;
    this.ownParameters = ownParameters;
    this.appTarget = split.appTarget;
    this.grantInQuery = split.grantInQuery;
    this.cors = sandboxCors(received, host, services);
    this.isUse = isUse(received);
    this.#tokenInQuery = split.tokenInQuery;
    this.#received = received;
    this.#services = services;
  }

  get shownTarget(): string {
    return this.appTarget;
  }

  get namedSandbox(): string | undefined {
    return namedSandbox(this.label);
  }

  get baseAuthority(): string {
    return this.host.authoritySuffix;
  }

  get appAddress(): AppAddress {
    const { port, host } = this;
    const { scheme } = this.#services;
    return {
      port,
      publicOrigin: previewOrigin(host, scheme),
      // A signed token opens one port.
      originOf: (other) =>
        isPort(other) && !mayBeSignedToken(host.label)
          ? previewOrigin(hostOfPort(host, other), scheme)
          : undefined,
    };
  }

  /** True if it may be a frame's: in a tab of its own, a public preview is to everybody what it is. */
  get isEmbedded(): boolean {
    const { headers } = this.#received;
    const cookie = headers.get("cookie");
    return cookie !== null &&
      cookie.includes(this.#services.cookies.grantSession) &&
      !isWindow(headers);
  }

  /** True if the target had a token in its query that is not to stay in an address bar; programs follow none for a grant. */
  get redirectsWithoutToken(): boolean {
    const { method, headers } = this.#received;
    return this.#tokenInQuery !== undefined && mayRedirect(method, headers) ||
      this.grantInQuery.secret !== undefined && isNavigation(method, headers);
  }

  credentials(): readonly Credential[] {
    return this.#credentials ??= presentedCredentials(this.#source);
  }

  ownHeaders(): [string, string][] {
    return framingCookies(this.#source);
  }

  /** What the browser has stored may say something else of who may frame it. */
  needsWhole(guest: Guest): boolean {
    const { method, headers } = this.#received;
    return frameTerms(guest) !== undefined && isNavigation(method, headers);
  }

  responseHeaders(
    { status, headers }: Pick<UpstreamResponse, "status" | "headers">,
    { guest, isForAnybody }: Admitted,
  ): [string, string][] {
    const relayed = responseHeaders(headers, parentDomain(this.host));
    const terms = frameTerms(guest);
    const response = { status, headers: relayed };
    if (terms !== undefined) {
      return embeddedHeaders(response, terms, this.#source);
    }
    const framers = this.#framersFor(guest);
    if (framers !== undefined) {
      // What a shared cache keeps for all says nothing of this visitor.
      const isForAll = isForAnybody && this.#services.edgeCache === "public";
      const source = isForAll
        ? { ...this.#source, headers: NO_HEADERS }
        : this.#source;
      relayed.push(...frameHeaders(response, source, framers));
    }
    return relayed;
  }

  /** Whose pages may frame what the app answers, besides the sandbox's own; undefined for anybody's. */
  #framersFor({ by, credential }: Guest): Iterable<string> | undefined {
    const { allowedOrigins, frameAncestors } = this.#services;
    if (credential?.kind === "session") return allowedOrigins;
    const isOfAnybody = by === "public" || by === "signed_token";
    return isOfAnybody ? frameAncestors : undefined;
  }

  get #source(): CredentialSource & FrameSource {
    const { method, headers } = this.#received;
    const { scheme, cookies, allowedOrigins } = this.#services;
    return {
      method,
      headers,
      host: this.host,
      scheme,
      cookies,
      queryToken: this.#tokenInQuery,
      queryGrant: this.grantInQuery.secret,
      allowedOrigins,
    };
  }
}

/** The terms of the frame that a request is for; undefined if it is for none, or its session's grant is not. */
function frameTerms({ credential, grant }: Guest): FrameTerms | undefined {
  return credential?.kind === "session" ? grant?.frame : undefined;
}
