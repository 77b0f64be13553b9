/** One request that a runner may answer, taken apart once: what every decision about it looks at. */
import type { Fields } from "../lib/fields.ts";
import type { PreviewHost } from "../address/preview_host.ts";
import { TOOLBOX_PORT } from "../address/sandbox_ref.ts";
import type { Build } from "../directory/builds.ts";

/** The request as plain data, and the Request itself for whoever carries the decision out. */
export interface Exchange {
  readonly id: string;
  readonly request: Request;
  readonly method: string;
  readonly headers: Fields;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  /** The address at the other end of the connection. */
  readonly peer: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** A request to a preview host. */
export interface PreviewExchange extends Exchange {
  readonly route: "preview";
  readonly host: PreviewHost;
}

/** A request to the daemon of a sandbox by `/toolbox/{id}`; its `target` is the daemon's own. */
export interface ToolboxExchange extends Exchange {
  readonly route: "toolbox";
  readonly sandboxId: string;
}

/** A request for a sandbox. */
export type SandboxExchange = PreviewExchange | ToolboxExchange;

/** The port and the label that a request is for; the toolbox is what the preview host of its port leads to as well. */
export function destinationOf(
  exchange: SandboxExchange,
): Omit<PreviewHost, "base"> {
  return exchange.route === "preview" ? exchange.host : {
    port: TOOLBOX_PORT,
    label: exchange.sandboxId,
    authoritySuffix: exchange.authority,
  };
}

/** A request for the log of a build. */
export interface BuildLogExchange extends Exchange {
  readonly route: "build_logs";
  readonly build: Build;
  /** The query of the request-target, from its question mark on. */
  readonly query: string;
}

/** Whether a request asks for a WebSocket (RFC 6455 section 4.1); any other upgrade is an ordinary request. */
export function isWebSocketRequest(method: string, headers: Fields): boolean {
  return method === "GET" &&
    /^websocket$/i.test(headers.get("upgrade") ?? "") &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.get("connection") ?? "");
}
