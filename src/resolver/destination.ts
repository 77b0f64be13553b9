/** The seam between the resolver, which knows Daytona, and the forwarder, which knows HTTP. */
import type { AppOriginMode } from "../config/config.ts";
import type { HeaderList } from "../http/headers.ts";
import type { Origin } from "../http/origin.ts";
import type { Awaitable } from "../lib/awaitable.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import type { Refusal, RefusalKind } from "./refusals/refusal.ts";

export type SandboxPort = number | "toolbox";

/** What listens on a port of a sandbox. */
export interface App {
  readonly sandboxId: string;
  readonly sandboxPort: SandboxPort;
}

/** Where requests for one port of a sandbox go. */
export interface Destination {
  readonly origin: Origin;
  /** The Host of requests to it, `host[:port]`. */
  readonly authority: string;
  /** The path that every request-target begins with; it has no trailing slash. */
  readonly pathPrefix: string;
  /** The headers by which the upstream knows the gateway, secrets included. */
  readonly headers: HeaderList;
  /** The path prefix of the sandbox's daemon; undefined if the upstream leads to ports only. */
  readonly toolboxPrefix: string | undefined;
  /** Tells the upstream's refusals from the app's responses. */
  readonly refusals: Refusals;
  /** True if the upstream reports by itself that a sandbox is in use, and has to be told what is not to count. */
  readonly reportsUse: boolean;
  /** The origin by which browsers would reach the upstream, which an app may take for its own; undefined if none would. */
  readonly publicOrigin: string | undefined;
  /** The sandbox's id, where a name may have been asked for. */
  readonly sandboxId?: string | undefined;
  /** Whose sandbox it is; undefined if the API has not told, or all belong to one. */
  readonly organizationId?: string | undefined;
  /** What the app is told of its own address. */
  readonly appOrigin: AppOriginMode;
  /** A target that is no sandbox's, which the upstream answers if it answers at all; undefined at a sandbox's origin. */
  readonly livenessTarget: string | undefined;
}

/** The part of a response that is known before its body is read. */
export type ResponseHead = Pick<UpstreamResponse, "status" | "headers">;

export interface AppRequest extends App {
  readonly method: string;
}

/** What may come in place of an app's response, and what it means. */
export interface Refusals {
  /** False if a response is surely the app's. */
  mayRefuse(head: ResponseHead): boolean;
  /** The app's response, its body unread, or the refusal that it is, by a probe if need be; throws if the body fails. */
  judge(
    response: UpstreamResponse,
    request: AppRequest,
    destination: Destination,
  ): Promise<UpstreamResponse | Refusal>;
  /** What the refusal of an opening handshake comes to: the app may have dropped it, or nothing listens on the port. */
  judgeHandshake(
    refusal: Refusal,
    app: App,
    destination: Destination,
  ): Promise<Refusal>;
}

export interface Failure {
  readonly at: Destination;
  readonly kind: RefusalKind;
}

/**
 * Finds where sandboxes are, for admitted requests. An admission `isAnonymous` if no credential was needed; then none of
 * the gateway's may open anything for it. Null if there is no such sandbox; a `GatewayError` if that cannot be found out.
 */
export interface Destinations {
  /** The destination, at once if it is in process and fresh; `onMiss` is called before a lookup that goes beyond the process. */
  destinationOf(
    sandboxId: string,
    port: SandboxPort,
    onMiss: () => void,
    isAnonymous: boolean,
  ): Awaitable<Destination | null>;
  /** The destination, asked for again, as the known one has failed, or may. */
  renewDestination(
    sandboxId: string,
    port: SandboxPort,
    isAnonymous: boolean,
    failure?: Failure,
  ): Promise<Destination | null>;
}

/** True if requests to both go to the same place by the same means. */
export function isSameDestination(
  one: Destination,
  other: Destination,
): boolean {
  return one.origin.key === other.origin.key &&
    one.authority === other.authority &&
    one.pathPrefix === other.pathPrefix &&
    JSON.stringify(one.headers) === JSON.stringify(other.headers);
}
