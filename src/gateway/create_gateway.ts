/** Creates the data plane: the dispatch, and the handlers behind it. */
import ipaddr from "ipaddr.js";
import { PlantedCookies } from "../auth/planted_cookies.ts";
import type { Config } from "../config/config.ts";
import { FloodBans } from "../downstream/websocket/rate_limit.ts";
import { createRequestIds } from "../observability/log.ts";
import { RequestTrace } from "../observability/traces.ts";
import { Forwarder, type ForwarderParts } from "../proxy/forward.ts";
import { HandshakeForms } from "../proxy/handshake_forms.ts";
import { HostRefusals } from "../proxy/host_refusals.ts";
import type { Chains } from "./chains.ts";
import { Dispatch, type DispatchParts } from "./dispatch.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { Auth, Resolvers } from "./feature_module.ts";
import type { TunnelLimits } from "./open_tunnel.ts";
import { OpenedLinks } from "./opened_links.ts";
import { SandboxHandlers } from "./preview.ts";

/** Creates what sends requests to sandboxes. */
export function createForwarder(
  { cache: { maxEntries: maxApps } }: Pick<Config, "cache">,
  { now, ...parts }:
    & Omit<ForwarderParts, "handshakes" | "hosts">
    & Pick<GatewayParts, "now">,
): Forwarder {
  return new Forwarder({
    ...parts,
    handshakes: new HandshakeForms(maxApps, now),
    hosts: new HostRefusals(maxApps, now),
  });
}

interface GatewayParts extends
  Pick<
    DispatchParts,
    | "activity"
    | "inFlight"
    | "ownRequests"
    | "control"
    | "onRecord"
    | "onOwnAnswer"
    | "logger"
    | "now"
    | "parseHost"
  > {
  readonly forwarder: Forwarder;
  readonly resolvers: Resolvers;
  readonly auth: Auth;
  readonly chains: Chains;
  /** True if Deno makes spans of what it serves. */
  readonly hasSpans: boolean;
  readonly clientLeg:
    & ExchangeServices["clientLeg"]
    & Pick<TunnelLimits, "memoryGuard">;
}

/** The handler of all requests. */
export function createGateway(config: Config, parts: GatewayParts): Dispatch {
  const { limits, listen, session, public: site, daytona, traceApps } = config;
  const {
    forwarder,
    resolvers,
    auth,
    hasSpans,
    ...shared
  } = parts;
  const { chains, clientLeg } = shared;
  const services = {
    ...shared,
    corsMode: site.corsMode,
    edgeCache: site.edgeCache,
    limits,
    trustedProxies: listen.trustedProxies.map((range) =>
      ipaddr.parseCIDR(range)
    ),
    guard: chains.guard,
    observer: chains.observer,
    ownersViewOf: chains.control.ownersViewOf,
    brand: chains.control.brand,
    scheme: auth.scheme,
    remoteSettings: resolvers.remoteSettings,
    cookies: auth.cookies,
    grants: auth.grants,
    ownParameters: chains.answer.ownParameters,
    sessionScope: session.scope,
    allowedOrigins: new Set(site.allowedOrigins),
    frameAncestors: site.frameAncestors,
  };
  const sandboxes = new SandboxHandlers({
    ...services,
    toolboxOnly: site.toolboxOnly,
    sessionTtlMs: session.ttlMs,
    openedLinks: new OpenedLinks(shared.now),
    tunnelLimits: {
      bufferLimitBytes: limits.tunnelBufferBytes,
      maxMessageBytes: limits.messageBytes,
      budget: clientLeg.budget,
      memoryGuard: clientLeg.memoryGuard,
      bans: new FloodBans(() => performance.now()),
    },
    gate: auth.gate,
    accessEvents: auth.accessEvents,
    sessions: auth.sessions,
    plantedCookies: new PlantedCookies(auth),
    login: auth.login,
    logins: chains.control,
    forwarder,
    states: resolvers.states,
    destinations: resolvers.sandboxes,
  });
  return new Dispatch({
    ...services,
    sandboxes,
    servesToolboxes: daytona.mode === "proxy",
    nextRequestId: createRequestIds(),
    newTrace: hasSpans ? () => new RequestTrace(traceApps) : undefined,
  });
}
