/** What the routes to sandboxes share: to ports by preview hosts, and to their daemons by the toolbox path. */
import { isAlwaysPrivate, mayBeSignedToken } from "../address/grammar.ts";
import {
  portOfSandboxOrigin,
  type PreviewHost,
} from "../address/preview_host.ts";
import {
  bearerOf,
  type Credential,
  isTrustedOrigin,
} from "../auth/credentials.ts";
import {
  type GrantSplit,
  splitGrant,
  splitPreviewToken,
} from "../auth/preview_token.ts";
import type { GateRequest } from "../auth/verdict.ts";
import { isWebSocketRequest } from "../downstream/http/head_limits.ts";
import { isSentByPage } from "../http/fetch_metadata.ts";
import type { AppAddress } from "../proxy/app_origin.ts";
import { type CorsDecision, corsDecision } from "../proxy/cors.ts";
import type { AdmittedRequest } from "../proxy/forward.ts";
import type { SandboxPort } from "../resolver/destination.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { Guest } from "./progress.ts";
import type { ReceivedRequest } from "./received_request.ts";
import type { Route } from "./route.ts";

/** The route to a port of a sandbox, or to its toolbox. */
export interface SandboxRoute extends Route {
  readonly kind: "preview" | "toolbox";
  /** A sandbox id, a name where those count, or a signed token. */
  readonly label: string;
  readonly port: number;
  /** The request-target for the app, without tokens. */
  readonly appTarget: string;
  /** Undefined if no app is addressed. */
  readonly appAddress: AppAddress | undefined;
  /** True if it may be a frame's, by its cookies. */
  readonly isEmbedded?: boolean;
  credentials(): readonly Credential[];
  /** True if the browser must get the whole of what the app answers. */
  needsWhole?(guest: Guest): boolean;
}

/** An exchange with a port of a sandbox, or with its toolbox. */
export type SandboxExchange = Exchange<SandboxRoute>;

type Host = Omit<PreviewHost, "base">;

type RouteServices = Pick<
  ExchangeServices,
  "corsMode" | "scheme" | "allowedOrigins"
>;

/** What a request-target says besides the app's: a preview token, and a grant. */
export interface SplitTarget {
  readonly appTarget: string;
  /** The preview token in the query; undefined if there is none. */
  readonly tokenInQuery: string | undefined;
  readonly grantInQuery: Omit<GrantSplit, "target">;
}

export function splitTarget(received: string): SplitTarget {
  const { target, token: tokenInQuery } = splitPreviewToken(received);
  const grantInQuery = splitGrant(target);
  return { appTarget: grantInQuery.target, tokenInQuery, grantInQuery };
}

/** The sandbox that a label names; undefined if the label is a secret. */
export function namedSandbox(label: string): string | undefined {
  return mayBeSignedToken(label) ? undefined : label;
}

/** True if the client does not say that a request is no use of the sandbox. */
export function isUse({ headers }: Pick<ReceivedRequest, "headers">): boolean {
  return headers.get("x-daytona-skip-last-activity-update") !== "true";
}

export function sandboxCors(
  { headers }: Pick<ReceivedRequest, "headers">,
  host: Host,
  { corsMode: mode, scheme, allowedOrigins }: RouteServices,
): CorsDecision {
  return corsDecision({
    mode,
    headers,
    isTrusted: (origin) =>
      isTrustedOrigin(origin, { host, scheme, allowedOrigins }),
    pagePort: (origin) =>
      isAlwaysPrivate(host.port)
        ? undefined
        : portOfSandboxOrigin(origin, host, scheme),
  });
}

/** True for the opening handshake of a WebSocket. */
export function isWebSocket({ received }: SandboxExchange): boolean {
  return isWebSocketRequest(received.method, received.headers);
}

/** What the gate decides by. */
export function gateRequest(
  { received, route, progress, preflight }: SandboxExchange,
): GateRequest {
  const { method, headers, client } = received;
  const { kind, label, port, name, isEmbedded = false } = route;
  return {
    label,
    port,
    method,
    // A preflight carries nothing on purpose, and must use nothing up.
    takesGrants: kind === "preview" && preflight === undefined,
    isEmbedded,
    name,
    isToolbox: kind === "toolbox",
    clientAddress: client.clientAddress,
    isSentByPage: isSentByPage(headers),
    credentials: () => route.credentials(),
    progress,
  };
}

/** True if no credential was needed, and not by a label of the sandbox's owner either. */
export function isAnonymous({ guest }: SandboxExchange): boolean {
  return guest?.by === "public" && guest.isByLabel !== true;
}

/** What the sandbox is sent, before features make anything of it; throws `TypeError` before anybody is admitted. */
export function requestToSandbox(
  x: SandboxExchange,
  { grants }: Pick<ExchangeServices, "grants">,
): AdmittedRequest {
  const { received, route, reply, guest, progress } = x;
  const { headers, client } = received;
  if (guest === undefined) throw new TypeError("Nobody was admitted");
  return {
    id: received.id,
    method: received.method,
    headers,
    body: reply.upload,
    contentLength: reply.contentLength,
    appTarget: route.appTarget,
    appAddress: route.appAddress,
    sandboxId: guest.sandboxId,
    sandboxPort: sandboxPortOf(route),
    isAnonymous: isAnonymous(x),
    clientAddress: client.clientAddress,
    dropsAuthorization: dropsAuthorization(x, guest, grants),
    needsWhole: route.needsWhole?.(guest) ?? false,
    forwarded: client.forwarded,
    trace: received.trace,
    reply,
    progress,
    onResolved: (destination) => x.onResolved(destination),
  };
}

export function sandboxPortOf({ kind, port }: SandboxRoute): SandboxPort {
  return kind === "toolbox" ? "toolbox" : port;
}

/** The daemon has no use for `Authorization`, whichever credential was used, and no app for a grant. */
function dropsAuthorization(
  { received: { headers }, route }: SandboxExchange,
  { by, credential }: Guest,
  grants: ExchangeServices["grants"],
): boolean {
  const isUsed = by === "bearer" || credential?.place === "bearer";
  if (route.kind === "toolbox" || isUsed) return true;
  const bearer = bearerOf(headers);
  return bearer !== undefined && grants.owns(bearer);
}
