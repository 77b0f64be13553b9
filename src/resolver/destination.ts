/** The seam between the resolver, which knows Daytona, and the forwarder, which knows HTTP. */
import type { Origin } from "../address/origin.ts";
import type { AppOriginMode } from "../config/config.ts";
import type { HeaderList } from "../lib/headers.ts";

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
  /** What the app is told of its own address. */
  readonly appOrigin: AppOriginMode;
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
