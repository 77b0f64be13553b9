/** Exchanges with sandboxes: what a preview host or the toolbox route makes of a request. */
import {
  isAlwaysPrivate,
  isPort,
  mayBeSignedToken,
  TOOLBOX_PORT,
} from "../address/grammar.ts";
import {
  hostOfPort,
  parentDomain,
  portOfSandboxOrigin,
  type PreviewHost,
  previewOrigin,
} from "../address/preview_host.ts";
import {
  bearerOf,
  type Credential,
  type CredentialSource,
  isTrustedOrigin,
  presentedCredentials,
  toolboxCredentials,
} from "../auth/credentials.ts";
import { type FileUrlSplit, splitFileSignature } from "../auth/file_url.ts";
import type { FrameTerms } from "../auth/grants.ts";
import {
  type GrantSplit,
  splitGrant,
  splitPreviewToken,
} from "../auth/preview_token.ts";
import type { GateRequest } from "../auth/verdict.ts";
import type { Forwarded } from "../downstream/http/forwarded.ts";
import { isWebSocketRequest } from "../downstream/http/head_limits.ts";
import { isNavigation, isWindow, mayRedirect } from "../http/fetch_metadata.ts";
import type { HeaderList } from "../http/headers.ts";
import { splitParameter } from "../http/query_parameter.ts";
import type { AppAddress } from "../proxy/app_origin.ts";
import { embeddedHeaders } from "../proxy/embedded_response.ts";
import type { AdmittedRequest } from "../proxy/forward.ts";
import {
  frameHeaders,
  type FrameSource,
  framingCookies,
} from "../proxy/frame_headers.ts";
import { responseHeaders } from "../proxy/response_headers.ts";
import type { Served } from "../proxy/stream_handle.ts";
import { toolboxResponseHeaders } from "../proxy/toolbox_response.ts";
import type { BodyReader } from "../stream/body_reader.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeServices, IncomingRequest } from "./received_request.ts";

/** An exchange with a port of a sandbox, or with its toolbox. */
export abstract class SandboxExchange extends Exchange
  implements GateRequest, AdmittedRequest {
  readonly label: string;
  readonly port: number;
  /** The request-target for the app, without tokens. */
  readonly appTarget: string;
  abstract readonly isToolbox: boolean;
  /** Undefined if no app is addressed. */
  abstract readonly appAddress: AppAddress | undefined;
  /** The preview token in the query; undefined if there is none. */
  protected readonly tokenInQuery: string | undefined;
  /** What the query says of a grant. */
  readonly grantInQuery: Omit<GrantSplit, "target">;
  readonly #host: Omit<PreviewHost, "base">;

  constructor(
    incoming: IncomingRequest,
    host: Omit<PreviewHost, "base">,
    services: ExchangeServices,
  ) {
    super(incoming, services);
    const { target, token } = splitPreviewToken(incoming.target);
    const grant = splitGrant(target);
    this.label = host.label;
    this.port = host.port;
    this.appTarget = grant.target;
    this.tokenInQuery = token;
    this.grantInQuery = grant;
    this.#host = host;
  }

  abstract credentials(): readonly Credential[];

  override get namedSandbox(): string | undefined {
    return mayBeSignedToken(this.label) ? undefined : this.label;
  }

  protected override get shownTarget(): string {
    return this.appTarget;
  }

  get body(): BodyReader | null {
    return this.reply.upload;
  }

  get contentLength(): number | null {
    return this.reply.contentLength;
  }

  get forwarded(): Forwarded {
    return this.client.forwarded;
  }

  get isWebSocket(): boolean {
    return isWebSocketRequest(this.method, this.headers);
  }

  get sandboxId(): string {
    return this.granted.sandboxId;
  }

  override get name(): string | undefined {
    return this.#host.name;
  }

  protected override get served(): Served {
    const { sandboxId, name, progress: { organizationId } } = this;
    return { sandboxId, name, organizationId };
  }

  get sandboxPort(): number | "toolbox" {
    return this.isToolbox ? "toolbox" : this.port;
  }

  get isAnonymous(): boolean {
    const { by, isByLabel = false } = this.granted;
    return by === "public" && !isByLabel;
  }

  /** The daemon has no use for it, whichever credential was used, and no app for a grant. */
  get dropsAuthorization(): boolean {
    const { by, credential } = this.granted;
    const isUsed = by === "bearer" || credential?.place === "bearer";
    if (this.isToolbox || isUsed) return true;
    const bearer = bearerOf(this.headers);
    return bearer !== undefined && this.services.grants.owns(bearer);
  }

  protected isTrustedOrigin(origin: string): boolean {
    const { scheme, allowedOrigins } = this.services;
    const host = this.#host;
    return isTrustedOrigin(origin, { host, scheme, allowedOrigins });
  }

  protected override pagePort(origin: string): number | undefined {
    return isAlwaysPrivate(this.port)
      ? undefined
      : portOfSandboxOrigin(origin, this.#host, this.services.scheme);
  }
}

const NONE: ReadonlyMap<string, string> = new Map();

const NO_HEADERS = new Headers();

/** An exchange on a preview host. */
export class PreviewExchange extends SandboxExchange {
  readonly route = "preview";
  readonly isToolbox = false;
  readonly host: PreviewHost;
  /** The parameters of features that were taken out of the query, by name. */
  readonly ownParameters: ReadonlyMap<string, string>;
  /** Set by a feature that changes the response: see {@linkcode AdmittedRequest}. */
  asksPlain = false;
  /** What features tell the app of a visitor who was admitted; see {@linkcode PreviewExchange.add}. */
  #added: HeaderList | undefined;
  #credentials: readonly Credential[] | undefined;

  constructor(
    incoming: IncomingRequest,
    host: PreviewHost,
    services: ExchangeServices,
  ) {
    let request = incoming;
    let taken = NONE;
    for (const name of services.ownParameters) {
      const { target, value } = splitParameter(request.target, name);
      if (value === undefined) continue;
      request = { ...incoming, target };
      taken = new Map([...taken, [name, value]]);
    }
    super(request, host, services);
    this.host = host;
    this.ownParameters = taken;
  }

  get added(): HeaderList | undefined {
    return this.#added;
  }

  /** Has the app get these headers, too: the response is for this visitor alone then. */
  add(headers: HeaderList): void {
    this.#added = [...this.#added ?? [], ...headers];
  }

  get appAddress(): AppAddress {
    const { port, host, services: { scheme } } = this;
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

  /** A preflight carries nothing on purpose, and must use nothing up. */
  get takesGrants(): boolean {
    return this.preflight === undefined;
  }

  /** True if the target had a token in its query that is not to stay in an address bar; programs follow none for a grant. */
  get redirectsWithoutToken(): boolean {
    const { method, headers, tokenInQuery, grantInQuery: { secret } } = this;
    return tokenInQuery !== undefined && mayRedirect(method, headers) ||
      secret !== undefined && isNavigation(method, headers);
  }

  credentials(): readonly Credential[] {
    return this.#credentials ??= presentedCredentials(this.#source);
  }

  protected override get ownHeaders(): [string, string][] {
    return framingCookies(this.#source);
  }

  protected override get baseAuthority(): string {
    return this.host.authoritySuffix;
  }

  get #source(): CredentialSource & FrameSource {
    const { scheme, cookies, allowedOrigins } = this.services;
    const { method, headers, host, tokenInQuery: queryToken } = this;
    const { secret: queryGrant } = this.grantInQuery;
    return {
      method,
      headers,
      host,
      scheme,
      cookies,
      queryToken,
      queryGrant,
      allowedOrigins,
    };
  }

  /** True if it may be a frame's: in a tab of its own, a public preview is to everybody what it is. */
  get isEmbedded(): boolean {
    const { headers, services: { cookies } } = this;
    const cookie = headers.get("cookie");
    return cookie !== null && cookie.includes(cookies.grantSession) &&
      !isWindow(headers);
  }

  /** The terms of the frame that the request is for; undefined if it is for none, or its session's grant is not. */
  get frameTerms(): FrameTerms | undefined {
    const { credential, grant } = this.granted;
    return credential?.kind === "session" ? grant?.frame : undefined;
  }

  /** What the browser has stored may say something else of who may frame it. */
  get needsWhole(): boolean {
    return this.frameTerms !== undefined &&
      isNavigation(this.method, this.headers);
  }

  /** Whose pages may frame what the app answers, besides the sandbox's own; undefined for anybody's. */
  get #framers(): Iterable<string> | undefined {
    const { by, credential } = this.granted;
    const { allowedOrigins, frameAncestors } = this.services;
    if (credential?.kind === "session") return allowedOrigins;
    const isOfAnybody = by === "public" || by === "signed_token";
    return isOfAnybody ? frameAncestors : undefined;
  }

  protected override get isForAnybody(): boolean {
    return super.isForAnybody && this.added === undefined;
  }

  /** True if caches in front may keep what the app answers. */
  get #isForAll(): boolean {
    return this.isForAnybody && this.services.edgeCache === "public";
  }

  protected responseHeaders(
    { status, headers }: UpstreamResponse,
  ): [string, string][] {
    const relayed = responseHeaders(headers, parentDomain(this.host));
    const terms = this.frameTerms;
    if (terms !== undefined) {
      const response = { status, headers: relayed };
      return embeddedHeaders(response, terms, this.#source);
    }
    const framers = this.#framers;
    if (framers !== undefined) {
      const response = { status, headers: relayed };
      // What a shared cache keeps for all says nothing of this visitor.
      const source = this.#isForAll
        ? { ...this.#source, headers: NO_HEADERS }
        : this.#source;
      relayed.push(...frameHeaders(response, source, framers));
    }
    return relayed;
  }
}

/** An exchange with a sandbox's daemon below `/toolbox/{id}`; its `target` is without that prefix. */
export class ToolboxExchange extends SandboxExchange {
  readonly route = "toolbox";
  readonly isToolbox = true;
  readonly appAddress = undefined;
  /** When the signed URL of a file expired, ms since the epoch; undefined if it has not, or is none. */
  readonly urlEndedAt: number | undefined;
  readonly #urlSignature: FileUrlSplit["signature"];

  constructor(
    incoming: IncomingRequest,
    sandboxId: string,
    services: ExchangeServices,
  ) {
    const { target, signature, endedAt } = splitFileSignature(
      incoming.method,
      incoming.target,
      incoming.startedAt,
    );
    const { authority: authoritySuffix } = incoming;
    // The toolbox is also what the preview host of its port leads to.
    const host = { port: TOOLBOX_PORT, label: sandboxId, authoritySuffix };
    super({ ...incoming, target }, host, services);
    this.urlEndedAt = endedAt;
    this.#urlSignature = signature;
  }

  credentials(): readonly Credential[] {
    const { headers, tokenInQuery: queryToken } = this;
    // Files are signed for, and a handshake is a GET as well.
    const urlSignature = this.#urlSignature && this.isWebSocket
      ? "invalid"
      : this.#urlSignature;
    return toolboxCredentials({ headers, queryToken, urlSignature });
  }

  protected responseHeaders({ headers }: UpstreamResponse): [string, string][] {
    const { sandboxId, authority } = this;
    return toolboxResponseHeaders(headers, { sandboxId, authority });
  }
}
