/** The seam between the resolver, which knows Daytona, and the forwarder, which knows HTTP. */
import type { AppOriginMode } from "../config/config.ts";
import type { HeaderList } from "../http/headers.ts";
import type { Origin } from "../http/origin.ts";

/** A port of a sandbox, or its toolbox. */
export type SandboxPort = number | "toolbox";

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
  /** Whose refusals may come in place of the app's responses; by a signed link, they are about the link. */
  readonly refusedBy: "runner" | "hosted_proxy" | "hosted_proxy_by_link";
  /** The origin by which browsers would reach the upstream, which an app may take for its own; undefined if none would. */
  readonly publicOrigin: string | undefined;
  /** What the app is told of its own address. */
  readonly appOrigin: AppOriginMode;
}

/** How a destination has failed. */
export interface Failure {
  readonly at: Destination;
  /** True if the upstream did not accept what it knows the gateway by. */
  readonly isRefusal: boolean;
}

/**
 * Finds where sandboxes are. An admission `isAnonymous` if no credential was needed; then none of the gateway's may open
 * anything for it. Each method resolves with null if there is no such sandbox, and throws a `GatewayError` if that cannot
 * be found out.
 */
export interface Destinations {
  /** The destination if it is in process and fresh; undefined otherwise. */
  knownDestination(
    sandboxId: string,
    port: SandboxPort,
    isAnonymous: boolean,
  ): Destination | null | undefined;
  /** The destination; `onMiss` is called before a lookup that goes beyond the process. */
  destinationOf(
    sandboxId: string,
    port: SandboxPort,
    onMiss: () => void,
    isAnonymous: boolean,
  ): Promise<Destination | null>;
  /** The same, asked for again, as the known one has failed, or may. */
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
    one.headers.length === other.headers.length &&
    one.headers.every(([name, value], index) =>
      other.headers[index]?.[0] === name && other.headers[index][1] === value
    );
}
