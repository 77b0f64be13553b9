/**
 * A route: what kind of address a request has, and what that means for its exchange. It is a policy, made of the request
 * alone: it knows nothing of who was admitted until it is told, and nothing in it changes.
 */
import type { Credential } from "../auth/credentials.ts";
import type { GateRequest } from "../auth/verdict.ts";
import { isSentByPage } from "../http/fetch_metadata.ts";
import type { RouteKind } from "../observability/access_log.ts";
import type { CorsDecision } from "../proxy/cors.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import type { Guest } from "./progress.ts";
import type { ReceivedRequest } from "./received_request.ts";

export interface Route {
  readonly kind: RouteKind;
  /** The port of the sandbox, if there is one. */
  readonly port?: number;
  /** The name that was asked for in place of a preview host, with its port; undefined if none was. */
  readonly name?: string | undefined;
  /** The sandbox as the client has named it; undefined if there is none, or its name is a secret. */
  readonly namedSandbox?: string | undefined;
  /** The request-target without what is meant for the gateway. */
  readonly shownTarget: string;
  /** The base host, `host[:port]`, as the client knows it. */
  readonly baseAuthority: string;
  /** The CORS policy for the response. */
  readonly cors: CorsDecision;
  /** True if what an upstream answers is an app's. */
  readonly hasApp: boolean;
  /** True if the exchange counts as use of the sandbox. */
  readonly isUse: boolean;
  /** True if its sandbox's app or daemon serves it, which may be forbidden. */
  readonly servesSandbox: boolean;
  /** Headers of this route for answers of our own; none unless there. */
  ownHeaders?(): [string, string][];
  /** The headers of an upstream's response as the client of this route gets them. */
  responseHeaders(
    upstream: Pick<UpstreamResponse, "status" | "headers">,
    admitted: Admitted,
  ): [string, string][];
}

/** Who gets a response. */
export interface Admitted {
  readonly guest: Guest;
  /** True if anybody gets what this visitor does. */
  readonly isForAnybody: boolean;
}

/**
 * The route of what the gateway answers itself: that is no use of a sandbox, and by itself, no page of another site reads
 * it.
 * @param baseAuthority By default, the request is to a base host.
 */
export function ownRoute(
  kind: RouteKind,
  { authority, target }: Pick<ReceivedRequest, "authority" | "target">,
  baseAuthority = authority.toLowerCase(),
): Route {
  return {
    kind,
    shownTarget: target,
    baseAuthority,
    cors: { kind: "off" },
    hasApp: false,
    isUse: false,
    servesSandbox: false,
    responseHeaders: ({ headers }) =>
      headers.map(([name, value]) => [name, value]),
  };
}

/** What the gate decides on, for members of a sandbox, which is never public where the gateway answers itself. */
export function requestOfMember(
  { received: { method, headers, client }, progress }: {
    readonly received: ReceivedRequest;
    readonly progress: GateRequest["progress"];
  },
  preview: Pick<GateRequest, "label" | "port">,
  credentials: () => readonly Credential[],
): GateRequest {
  return {
    ...preview,
    method,
    isToolbox: true,
    isForMembers: true,
    clientAddress: client.clientAddress,
    isSentByPage: isSentByPage(headers),
    progress,
    credentials,
  };
}
