/** Dispatches requests: by host and target, to a handler of the data plane or to the gateway's own pages. */
import { canonicalRef } from "../address/grammar.ts";
import {
  type HostParser,
  likelyHost,
  likelyName,
  type PreviewHost,
  previewOrigin,
} from "../address/preview_host.ts";
import { type ToolboxPath, toolboxPath } from "../address/toolbox_path.ts";
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
import { type ErrorCode, GatewayError } from "../errors.ts";
import type { RequestHeaders } from "../http/headers.ts";
import { splitRequestUrl, withoutDefaultPort } from "../http/request_url.ts";
import { isSafe } from "../http/safe_method.ts";
import type { RequestTrace } from "../observability/traces.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { Chains } from "./chains.ts";
import type { Exchange } from "./exchange.ts";
import type { OwnExchange } from "./feature.ts";
import {
  isProbe,
  OwnPages,
  type OwnPagesParts,
  type RefusedAddress,
} from "./own_pages.ts";
import type { SandboxHandlers } from "./preview.ts";
import { previewExchange } from "./preview_route.ts";
import type { ReceivedRequest } from "./received_request.ts";
import { toolboxExchange } from "./toolbox_route.ts";

/** The parts of the gateway that the dispatch uses. */
export interface DispatchParts extends OwnPagesParts {
  readonly remoteSettings: Pick<
    RemoteSettings,
    "baseDomains" | "dashboardUrl"
  >;
  readonly sandboxes: Pick<SandboxHandlers, "preview" | "toolbox">;
  readonly chains: Pick<Chains, "answer">;
  readonly parseHost: HostParser;
  /** True to serve toolboxes. */
  readonly servesToolboxes: boolean;
  readonly nextRequestId: () => string;
  /** Undefined if Deno makes no spans. */
  readonly newTrace?: (() => RequestTrace) | undefined;
}

/** A request id accepted from a proxy: nothing that could be taken for anything else in a log. */
const REQUEST_ID = /^[A-Za-z0-9._:=+/-]{1,128}$/;

/** The host that `Deno.serve` invents for a request over HTTP/1.1 without one; over HTTP/2, clients may name it as well. */
const FALLBACK_HOST = /^localhost:[0-9]+$/;

/** Where the gateway has pages of its own on preview hosts, if a feature has. */
const OWN_PATHS = "/.porthole/";

export class Dispatch {
  readonly #parts: DispatchParts;
  #hasWarned = false;
  #hasWarnedOfScheme = false;
  #isRefusing = false;
  readonly #pages: OwnPages;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#pages = new OwnPages(parts);
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
    const split = splitRequestUrl(request.url, headers.get("host"));
    const authority = split.ok
      ? withoutDefaultPort(split.address.authority, parts.scheme)
      : "";
    const client = clientOf(peer, headers, {
      authority,
      scheme: parts.scheme,
      trusted: parts.trustedProxies,
    });
    // A trusted proxy's connection carries others' requests, too.
    const socket = client.clientAddress === peer ? info.socket : undefined;
    const received = {
      id,
      request,
      method: request.method,
      headers,
      authority,
      namesHost: headers.has("host") || info.isHttp2 === true ||
        !FALLBACK_HOST.test(authority),
      target: split.ok ? split.address.target : "",
      client,
      connection,
      socket,
      isHttp2,
      startedAt,
      delivered,
      onBodyRead: info.onBodyRead,
    };
    if (!split.ok) return this.#refuse(received, split.code);
    const { target } = received;
    if (this.#isRefusing && isSafe(request.method) && !isProbe(target)) {
      return this.#refuse(received, "draining");
    }
    const parsed = parts.parseHost(authority);
    if (parsed.kind === "malformed") {
      const domain = parsed.authoritySuffix;
      const likely = likelyHost(authority, domain);
      const retryUrl = likely && `${previewOrigin(likely, parts.scheme)}/`;
      const name = likelyName(authority, domain);
      const about = { domain, retryUrl, name };
      return this.#refuse(received, "bad_host", about);
    }
    if (parsed.kind === "suspended") {
      const name = authority.toLowerCase();
      return this.#refuse(received, "name_suspended", { name });
    }
    if (parsed.kind === "unknown_domain" && !isProbe(target)) {
      // Until the API has named the base domains, this may be one of them.
      const isKnown = parts.remoteSettings.baseDomains.length > 0;
      const code = isKnown ? "unknown_domain" : "api_unreachable";
      return this.#refuse(received, code);
    }
    if (!this.#hasWarned && headers.has("x-forwarded-for")) this.#warnOf(peer);
    if (client.forwarded.proto !== parts.scheme) this.#warnOfScheme(client);
    const incoming = parts.newTrace
      ? { ...received, trace: parts.newTrace() }
      : received;
    if (parsed.kind === "preview") {
      const own = this.#ownAt(parsed.host, incoming);
      if (own !== undefined) return this.#serve(own.exchange, own.handle());
      const x = previewExchange(incoming, parsed.host, parts);
      return this.#serve(x, parts.sandboxes.preview(x));
    }
    const toolbox = toolboxPath(target);
    if (toolbox === "malformed") {
      return this.#pages.refuse(incoming, "bad_target");
    }
    if (toolbox !== undefined) {
      return incoming.namesHost
        ? this.#serveToolbox(incoming, toolbox)
        : this.#refuse(received, "bad_host");
    }
    for (const one of parts.chains.answer.onBase) {
      const own = one.onBase(incoming, parts);
      if (own === undefined) continue;
      return incoming.namesHost
        ? this.#serve(own.exchange, own.handle())
        : this.#refuse(received, "bad_host");
    }
    const base = parsed.kind === "base" ? parsed.base : undefined;
    return this.#pages.serve(incoming, base);
  }

  /** Refuses what is for nobody, so that no page of ours can be linked below its host. */
  #refuse(
    { authority: _, ...refused }: ReceivedRequest,
    code: ErrorCode,
    about?: RefusedAddress,
  ): Response | Promise<Response> {
    return this.#pages.refuse(refused, code, about);
  }

  /** A feature's exchange on a preview host; undefined if the path is the app's. */
  #ownAt(
    host: PreviewHost,
    incoming: ReceivedRequest,
  ): OwnExchange | undefined {
    if (!incoming.target.startsWith(OWN_PATHS)) return undefined;
    for (const one of this.#parts.chains.answer.onOwnPath) {
      const own = one.onOwnPath(incoming, host, this.#parts);
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

  /** Serves a sandbox's toolbox, which is reached by path on any host but a preview's. */
  #serveToolbox(
    incoming: ReceivedRequest,
    { sandboxId, target }: Exclude<ToolboxPath, "malformed">,
  ): Promise<Response> {
    const { sandboxes, servesToolboxes } = this.#parts;
    const request = { ...incoming, target };
    const x = toolboxExchange(request, canonicalRef(sandboxId), this.#parts);
    return this.#serve(x, servesToolboxes ? sandboxes.toolbox(x) : notServed());
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
