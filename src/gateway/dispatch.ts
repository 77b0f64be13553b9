/** Dispatches requests: by host and target, to a handler of the data plane or to the gateway's own pages. */
import { type BaseRoute, baseRoute } from "../address/base_route.ts";
import { canonicalRef } from "../address/grammar.ts";
import {
  type HostParser,
  likelyHost,
  likelyName,
  type PreviewHost,
  previewOrigin,
} from "../address/preview_host.ts";
import type { Config } from "../config/config.ts";
import type { Control } from "../control/app.ts";
import type { ControlContext } from "../control/route.ts";
import { ownForm } from "../downstream/http/form.ts";
import {
  type ClientInfo,
  clientOf,
  isTrusted,
  untrustedNetwork,
} from "../downstream/http/forwarded.ts";
import {
  receivedHeaders,
  type RequestInfo,
} from "../downstream/http/handler.ts";
import { checkControlHead } from "../downstream/http/head_limits.ts";
import {
  type AnsweredRequest,
  ownAnswer,
  refusalOfTooMany,
} from "../downstream/http/own_answer.ts";
import { Reply } from "../downstream/http/reply.ts";
import {
  finishUnread,
  type UnreadRequest,
} from "../downstream/http/unread_body.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { wantsDocument } from "../http/fetch_metadata.ts";
import type { RequestHeaders } from "../http/headers.ts";
import { splitRequestUrl, withoutDefaultPort } from "../http/request_url.ts";
import { clientKey } from "../lib/client_key.ts";
import type { ExchangeFacts } from "../observability/metrics/facts.ts";
import type { RequestTrace } from "../observability/traces.ts";
import { dressed, givenText } from "../pages/brand.ts";
import { problem, type ProblemOptions } from "../pages/problem.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { InFlightEntry } from "../proxy/in_flight_entry.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import {
  BuildLogExchange,
  type BuildLogParts,
  handleBuildLog,
} from "./build_logs.ts";
import type { Exchange } from "./exchange.ts";
import type { Feature, HandledExchange } from "./feature.ts";
import { OwnPageShare } from "./own_page_share.ts";
import type { SandboxHandlers } from "./preview.ts";
import type { ExchangeServices, IncomingRequest } from "./received_request.ts";
import { PreviewExchange, ToolboxExchange } from "./sandbox_exchange.ts";

/** The parts of the gateway that the dispatch uses. */
export interface DispatchParts extends ExchangeServices {
  readonly limits:
    & ExchangeServices["limits"]
    & Pick<Config["limits"], "concurrentExchanges">;
  readonly remoteSettings: Pick<
    RemoteSettings,
    "baseDomains" | "dashboardUrl"
  >;
  readonly sandboxes: Pick<SandboxHandlers, "preview" | "toolbox">;
  readonly buildLogs: BuildLogParts;
  readonly features: readonly Feature[];
  readonly parseHost: HostParser;
  /** True to serve toolboxes and build logs, which are reached by path. */
  readonly servesPaths: boolean;
  readonly control: Control;
  readonly nextRequestId: () => string;
  /** Undefined if Deno makes no spans. */
  readonly newTrace?: (() => RequestTrace) | undefined;
  /** Where requests for our own pages are registered. */
  readonly ownRequests: Pick<InFlight, "begin">;
  /** Called for every response that does not come from the data plane. */
  readonly onOwnAnswer: (facts: ExchangeFacts) => void;
}

/** A request id accepted from a proxy: nothing that could be taken for anything else in a log. */
const REQUEST_ID = /^[A-Za-z0-9._:=+/-]{1,128}$/;

/** A balancer's probe, under whatever name it has for us: `10-0-0-7.gateway.pod.cluster.local` looks like a preview. */
const PROBE = /^\/(?:health|ready)(?:\?|$)/;

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE = /^(?:GET|HEAD|OPTIONS)$/;

/** The share of all exchanges that may be forms for our own pages. */
const FORMS_SHARE = 1 / 4;

/** The host that `Deno.serve` invents for a request over HTTP/1.1 without one; over HTTP/2, clients may name it as well. */
const FALLBACK_HOST = /^localhost:[0-9]+$/;

/** Where the gateway has pages of its own on preview hosts, if a feature has. */
const OWN_PATHS = "/.porthole/";

export class Dispatch {
  readonly #parts: DispatchParts;
  #hasWarned = false;
  #hasWarnedOfScheme = false;
  #isRefusing = false;
  readonly #pages = new OwnPageShare({
    now: () => performance.now(),
    after: (ms, callback) => void setTimeout(callback, ms),
  });
  /** The forms that are being read. */
  #forms = 0;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
  }

  /**
   * From now on, refuses what a front may send to another gateway (RFC 9110 section 9.2.1): whatever lasts begins so. What
   * it may not send twice, such as a POST, is served still.
   */
  refuseNew(): void {
    this.#isRefusing = true;
  }

  /** Answers a request of `Deno.serve`; never rejects. */
  handle(request: Request, info: RequestInfo): Response | Promise<Response> {
    const parts = this.#parts;
    const headers = receivedHeaders(request);
    const startedAt = parts.now();
    const { remoteAddr } = info; // made anew each time
    const peer = peerOf(remoteAddr);
    const id = this.#proxyRequestId(peer, headers) ?? parts.nextRequestId();
    const connection = connectionOf(remoteAddr);
    const delivered = () => info.completed;
    const isHttp2 = info.isHttp2 ?? !headers.has("host");
    const { socket } = info;
    const refused = {
      id,
      request,
      headers,
      client: { clientAddress: peer },
      connection,
      socket,
      isHttp2,
      startedAt,
      delivered,
    };

    const split = splitRequestUrl(request.url, headers.get("host"));
    if (!split.ok) return this.#refuse(refused, split.code);
    const { target } = split.address;
    if (this.#isRefusing && SAFE.test(request.method) && !PROBE.test(target)) {
      return this.#refuse(refused, "draining");
    }
    const authority = withoutDefaultPort(split.address.authority, parts.scheme);
    const parsed = parts.parseHost(authority);
    const client = clientOf(peer, headers, {
      authority,
      scheme: parts.scheme,
      trusted: parts.trustedProxies,
    });
    if (parsed.kind === "malformed") {
      const domain = parsed.authoritySuffix;
      const likely = likelyHost(authority, domain);
      const retryUrl = likely && `${previewOrigin(likely, parts.scheme)}/`;
      const name = likelyName(authority, domain);
      const about = { domain, retryUrl, name };
      return this.#refuse({ ...refused, client }, "bad_host", about);
    }
    if (parsed.kind === "suspended") {
      const name = authority.toLowerCase();
      return this.#refuse({ ...refused, client }, "name_suspended", { name });
    }
    if (parsed.kind === "unknown_domain" && !PROBE.test(target)) {
      // Until the API has named the base domains, this may be one of them.
      const isKnown = parts.remoteSettings.baseDomains.length > 0;
      const code = isKnown ? "unknown_domain" : "api_unreachable";
      return this.#refuse({ ...refused, client }, code);
    }
    if (!this.#hasWarned && headers.has("x-forwarded-for")) this.#warnOf(peer);
    if (client.forwarded.proto !== parts.scheme) this.#warnOfScheme(client);
    const incoming = {
      id,
      request,
      method: request.method,
      headers,
      authority,
      namesHost: headers.has("host") || info.isHttp2 === true ||
        !FALLBACK_HOST.test(authority),
      target,
      client,
      trace: parts.newTrace?.(),
      connection,
      socket,
      isHttp2,
      startedAt,
      delivered,
      onBodyRead: info.onBodyRead,
    };
    if (parsed.kind === "preview") {
      const own = this.#ownAt(parsed.host, incoming);
      if (own !== undefined) return this.#serve(own.exchange, own.handle());
      const x = new PreviewExchange(incoming, parsed.host, parts);
      return this.#serve(x, parts.sandboxes.preview(x));
    }
    const route = baseRoute(target);
    if (route?.kind === "malformed") {
      return this.#refuse(incoming, "bad_target");
    }
    if (route !== undefined) {
      return incoming.namesHost
        ? this.#serveByPath(incoming, route)
        : this.#refuse({ ...refused, client }, "bad_host");
    }
    for (const feature of parts.features) {
      const own = feature.ownExchange?.(incoming, parts);
      if (own !== undefined) return this.#serve(own.exchange, own.handle());
    }
    const base = parsed.kind === "base" ? parsed.base : undefined;
    return this.#toControl(incoming, base);
  }

  /** A feature's exchange on a preview host; undefined if the path is the app's. */
  #ownAt(
    host: PreviewHost,
    incoming: IncomingRequest,
  ): HandledExchange | undefined {
    if (!incoming.target.startsWith(OWN_PATHS)) return undefined;
    for (const feature of this.#parts.features) {
      const own = feature.ownPreviewExchange?.(incoming, host, this.#parts);
      if (own !== undefined) return own;
    }
    return undefined;
  }

  /** Serves an exchange, which its handler is answering. This is the one place where a failure becomes a response. */
  async #serve(x: Exchange, answering: Promise<Response>): Promise<Response> {
    try {
      return await answering;
    } catch (error) {
      return await x.refuse(error);
    }
  }

  /** Serves what the data plane serves by path, on any host but a preview's. */
  #serveByPath(
    incoming: IncomingRequest,
    route: Exclude<BaseRoute, { kind: "malformed" }>,
  ): Promise<Response> {
    const { sandboxes, buildLogs, servesPaths } = this.#parts;
    if (route.kind === "toolbox") {
      const sandboxId = canonicalRef(route.sandboxId);
      const request = { ...incoming, target: route.target };
      const x = new ToolboxExchange(request, sandboxId, this.#parts);
      return this.#serve(x, servesPaths ? sandboxes.toolbox(x) : notServed());
    }
    const x = new BuildLogExchange(incoming, route, this.#parts);
    return this.#serve(
      x,
      servesPaths ? handleBuildLog(x, buildLogs) : notServed(),
    );
  }

  async #toControl(
    incoming: IncomingRequest & Pick<ControlContext, "namesHost">,
    base: string | undefined,
  ): Promise<Response> {
    const { control, ownRequests, limits, clientLeg } = this.#parts;
    try {
      checkControlHead(incoming, limits);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return this.#refuse(incoming, error.code);
    }
    const { id, request, authority, target, startedAt } = incoming;
    const { clientAddress } = incoming.client;
    const client = clientKey(clientAddress);
    const entry = ownRequests.begin();
    const isWithinLimits = entry?.reserveForClient(clientAddress) ?? false;
    // A gateway whose pages are busy is still healthy.
    const isHeadEnough = PROBE.test(target);
    if (!isWithinLimits && !isHeadEnough) {
      entry?.end();
      // In its turn, too: a refusal takes time as well, and its connection has the next request ready.
      return await this.#pages.make(
        client,
        () => this.#refuse(incoming, "pages_overloaded"),
      );
    }
    const reply = new Reply({ ...incoming, isHeadEnough }, clientLeg);
    try {
      const context: ControlContext = {
        requestId: id,
        authority,
        namesHost: incoming.namesHost,
        base,
        clientAddress,
        readForm: (maxBytes) => this.#readForm(reply, entry, maxBytes),
      };
      const response = isHeadEnough
        ? await control(request, context)
        : await this.#pages.make(client, () =>
          refusalOfTooMany(incoming, clientLeg.untaken) ??
            control(request, context));
      return await reply.answer(await this.#recorded(startedAt, response));
    } finally {
      reply.close();
      entry?.end();
    }
  }

  async #readForm(
    reply: Reply,
    entry: InFlightEntry | undefined,
    maxBytes: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const max = this.#parts.limits.concurrentExchanges * FORMS_SHARE;
    if (this.#forms >= max || !entry?.reserveUploadForClient()) {
      throw new GatewayError("pages_overloaded", "Too many forms");
    }
    this.#forms++;
    try {
      return await ownForm(reply, maxBytes);
    } finally {
      this.#forms--;
    }
  }

  #refuse(
    refused:
      & UnreadRequest
      & AnsweredRequest
      & Pick<IncomingRequest, "id" | "headers" | "startedAt">
      /** Undefined unless our own pages are served there. */
      & Partial<Pick<IncomingRequest, "authority">>,
    code: ErrorCode,
    { retryUrl, ...address }:
      & Pick<ProblemOptions, "domain" | "name">
      & { readonly retryUrl?: string | undefined } = {},
  ): Response | Promise<Response> {
    const { id, headers, startedAt, authority } = refused;
    const { scheme, brand, clientLeg } = this.#parts;
    const asPage = wantsDocument(headers);
    const docsUrl = authority === undefined
      ? undefined
      : `${scheme}://${authority.toLowerCase()}/docs`;
    const advice = { retryUrl };
    const given = givenText(brand, code, headers);
    const options = { code, requestId: id, asPage, docsUrl, advice };
    const response = refusalOfTooMany(refused, clientLeg.untaken) ??
      problem({ ...options, ...address, given });
    const recorded = this.#recorded(startedAt, response);
    function finish(it: Response): Response {
      const { untaken, readSizes } = clientLeg;
      return finishUnread(refused, readSizes, ownAnswer(it, refused, untaken));
    }
    return recorded instanceof Promise
      ? recorded.then(finish)
      : finish(recorded);
  }

  #recorded(
    startedAt: number,
    response: Response,
  ): Response | Promise<Response> {
    const endedAt = this.#parts.now();
    this.#parts.onOwnAnswer({
      route: "control",
      status: response.status,
      end: "complete",
      isFromApp: false,
      error: response.headers.get("x-porthole-error") ?? undefined,
      tunnel: undefined,
      receivedBytes: 0,
      sentBytes: 0,
      startedAt,
      resolvedAt: undefined,
      answeredAt: endedAt,
      endedAt,
    });
    return dressed(response, this.#parts.brand);
  }

  /** Warns once, if a peer seems to be a proxy but is not trusted. */
  #warnOf(peer: string): void {
    const { trustedProxies, logger } = this.#parts;
    const network = untrustedNetwork(peer, trustedProxies);
    if (network === undefined) return;
    this.#hasWarned = true;
    logger.warn(
      "X-Forwarded-For from an address that is not in TRUSTED_PROXIES: if that is a proxy, all its visitors count as one client",
      { network },
    );
  }

  /** Warns once, if what is in front has visitors by https, and the gateway's cookies and links are for http. */
  #warnOfScheme({ forwarded: { proto } }: ClientInfo): void {
    const { scheme, logger } = this.#parts;
    if (this.#hasWarnedOfScheme || proto !== "https") return;
    this.#hasWarnedOfScheme = true;
    logger.warn(
      `PROXY_PROTOCOL is ${scheme}, but a trusted proxy says X-Forwarded-Proto: https: redirects and links lead to http, and cookies are not Secure; set PROXY_PROTOCOL=https`,
    );
  }

  /** The id that a trusted proxy gave the request, so that all logs have the same one; undefined if it gave none. */
  #proxyRequestId(peer: string, headers: RequestHeaders): string | undefined {
    if (!isTrusted(peer, this.#parts.trustedProxies)) return undefined;
    const given = headers.get("x-request-id") ?? "";
    return REQUEST_ID.test(given) ? given : undefined;
  }
}

function notServed(): Promise<never> {
  const reason = "Daytona's proxy serves it";
  return Promise.reject(new GatewayError("port_not_served", reason));
}

function connectionOf(remoteAddr: Deno.Addr): string {
  return "hostname" in remoteAddr
    ? `${remoteAddr.hostname}:${remoteAddr.port}`
    : "";
}

function peerOf(remoteAddr: Deno.Addr): string {
  if (!("hostname" in remoteAddr)) return "127.0.0.1";
  const { hostname } = remoteAddr;
  // An IPv4-mapped address: an IPv4 client of a listener on `::` (RFC 4291 section 2.5.5.2).
  return hostname.startsWith("::ffff:") && hostname.includes(".")
    ? hostname.slice("::ffff:".length)
    : hostname;
}
