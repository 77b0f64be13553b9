/** Dispatches requests: by host and target, to the data plane or to the gateway's own routes. */
import { type BaseRoute, baseRoute } from "../address/base_route.ts";
import { createHostParser } from "../address/host_parser.ts";
import { splitRequestUrl } from "../address/request_url.ts";
import type { Control } from "../control/app.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { wantsDocument } from "../lib/fetch_metadata.ts";
import { type RequestHeaders, requestHeadersOf } from "../lib/headers.ts";
import type { ExchangeFacts } from "../observability/metrics/facts.ts";
import { problem } from "../pages/problem.ts";
import { accessSignal } from "../platform/early_signal.ts";
import {
  type AddressRange,
  clientOf,
  isTrusted,
  untrustedNetwork,
} from "../proxy/forwarded.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { BuildLogs } from "./build_logs.ts";
import type { Exchange } from "./exchange.ts";
import { checkControlHead, type RequestHeadLimits } from "./head_limits.ts";
import type { Gateway } from "./preview.ts";

/** Dependencies of {@linkcode createDispatch}. */
export interface DispatchOptions {
  readonly scheme: "http" | "https";
  readonly trustedProxies: readonly AddressRange[];
  /** The base domains, for {@linkcode createHostParser}. */
  readonly baseDomains: () => readonly string[];
  readonly gateway: Gateway;
  readonly buildLogs: BuildLogs;
  readonly control: Control;
  /** The limits for the control plane; the data plane checks its own. */
  readonly headLimits: RequestHeadLimits;
  readonly nextRequestId: () => string;
  /** Where requests for our own pages are registered. */
  readonly ownRequests: Pick<InFlight, "begin">;
  /** Called for every response that does not come from the data plane. */
  readonly onOwnAnswer: (facts: ExchangeFacts) => void;
  /** Called at most once, if a peer in that kind of network seems to be a proxy but is not trusted. */
  readonly onUntrustedProxy: (network: string) => void;
  readonly now: () => number;
}

/** A handler for `Deno.serve`, whose promise never rejects. */
export type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

/** A request id accepted from a proxy: nothing that could be taken for anything else in a log. */
const REQUEST_ID = /^[A-Za-z0-9._:=+/-]{1,128}$/;

/** A balancer's probe, under whatever name it has for us: `10-0-0-7.gateway.pod.cluster.local` looks like a preview. */
const PROBE = /^\/(?:health|ready)(?:\?|$)/;

function peerOf(info: Deno.ServeHandlerInfo): string {
  const { remoteAddr } = info;
  if (!("hostname" in remoteAddr)) return "127.0.0.1";
  const { hostname } = remoteAddr;
  // An IPv4-mapped address: an IPv4 client of a listener on `::` (RFC 4291 section 2.5.5.2).
  return hostname.startsWith("::ffff:") && hostname.includes(".")
    ? hostname.slice("::ffff:".length)
    : hostname;
}

/** Creates the handler of every request. */
export function createDispatch(options: DispatchOptions): Handler {
  const { scheme, trustedProxies, now } = options;
  const parseHost = createHostParser(options.baseDomains);
  let hasWarned = false;

  return function dispatch(request, info) {
    const { method } = request;
    const headers = requestHeadersOf(request.headers);
    if (headers.get("host") === null) accessSignal(request); // it may be HTTP/2
    const startedAt = now();
    const peer = peerOf(info);
    const id = proxyRequestId(peer, headers) ?? options.nextRequestId();

    function refuse(code: ErrorCode): Response {
      const asPage = wantsDocument(headers);
      return recorded(startedAt, problem({ code, requestId: id, asPage }));
    }

    const split = splitRequestUrl(request.url, headers.get("host"));
    if (!split.ok) return refuse(split.code);
    const { authority, target } = split.address;
    const parsed = parseHost(authority);
    if (parsed.kind === "malformed") return refuse("bad_host");
    if (parsed.kind === "unknown_domain" && !PROBE.test(target)) {
      // Until the API has named the base domains, this may be one of them.
      const isKnown = options.baseDomains().length > 0;
      return refuse(isKnown ? "unknown_domain" : "api_unreachable");
    }
    if (!hasWarned && headers.has("x-forwarded-for")) warnOf(peer);
    const exchange = {
      id,
      request,
      method,
      headers,
      authority,
      target,
      from: clientOf(peer, headers, {
        authority,
        scheme,
        trusted: trustedProxies,
      }),
      startedAt,
    };
    if (parsed.kind === "preview") {
      const { host } = parsed;
      return options.gateway({ ...exchange, route: "preview", host });
    }
    const route = baseRoute(target);
    if (route?.kind === "malformed") return refuse("bad_target");
    if (route !== undefined) return toDataPlane(exchange, route);
    try {
      checkControlHead(exchange, options.headLimits);
    } catch (error) {
      if (error instanceof GatewayError) return refuse(error.code);
      throw error;
    }
    const base = parsed.kind === "base" ? parsed.base : undefined;
    return toControlPlane(exchange, base);
  };

  function warnOf(peer: string): void {
    const network = untrustedNetwork(peer, trustedProxies);
    if (network === undefined) return;
    hasWarned = true;
    options.onUntrustedProxy(network);
  }

  /** The id that a trusted proxy gave the request, so that all logs have the same one; undefined if it gave none. */
  function proxyRequestId(
    peer: string,
    headers: RequestHeaders,
  ): string | undefined {
    if (!isTrusted(peer, trustedProxies)) return undefined;
    const given = headers.get("x-request-id") ?? "";
    return REQUEST_ID.test(given) ? given : undefined;
  }

  /** Dispatches what the data plane serves by path, on any host that is not a preview's; no cookie counts there. */
  function toDataPlane(
    exchange: Exchange,
    route: Exclude<BaseRoute, { kind: "malformed" }>,
  ): Promise<Response> {
    switch (route.kind) {
      case "toolbox":
        return options.gateway({
          ...exchange,
          target: route.target,
          route: "toolbox",
          sandboxId: route.sandboxId,
        });
      case "build_logs": {
        const { of, id, query } = route;
        return options.buildLogs({
          ...exchange,
          route: "build_logs",
          build: { of, id },
          query,
        });
      }
    }
  }

  async function toControlPlane(
    { request, id, authority, from, startedAt }: Exchange,
    base: string | undefined,
  ): Promise<Response> {
    const { clientAddress } = from;
    const context = { requestId: id, authority, base, clientAddress };
    const entry = options.ownRequests.begin();
    try {
      return recorded(startedAt, await options.control(request, context));
    } finally {
      entry?.end();
    }
  }

  function recorded(startedAt: number, response: Response): Response {
    const endedAt = now();
    options.onOwnAnswer({
      route: "control",
      status: response.status,
      end: "complete",
      error: response.headers.get("x-porthole-error") ?? undefined,
      tunnel: undefined,
      receivedBytes: 0,
      sentBytes: 0,
      startedAt,
      resolvedAt: undefined,
      answeredAt: endedAt,
      endedAt,
    });
    return response;
  }
}
