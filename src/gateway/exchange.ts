/** A request that a runner may answer, parsed once for all decisions about it. */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import type { PreviewHost } from "../address/preview_host.ts";
import type { RequestHeaders } from "../lib/headers.ts";
import type { ClientInfo } from "../proxy/forwarded.ts";
import type { Build } from "../resolver/builds.ts";

/** The request as plain data, and the Request itself, whose body and signal are needed later. */
export interface Exchange {
  readonly id: string;
  readonly request: Request;
  readonly method: string;
  readonly headers: RequestHeaders;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  readonly from: ClientInfo;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** A request to a preview host. */
export interface PreviewExchange extends Exchange {
  readonly route: "preview";
  readonly host: PreviewHost;
}

/** A request to a sandbox's daemon below `/toolbox/{id}`; its `target` is without that prefix. */
export interface ToolboxExchange extends Exchange {
  readonly route: "toolbox";
  readonly sandboxId: string;
}

/** A request for a sandbox. */
export type SandboxExchange = PreviewExchange | ToolboxExchange;

/** The port and label that a request is for; the toolbox is also what the preview host of its port leads to. */
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
  /** The query of the request-target, from the question mark on; empty if there is none. */
  readonly query: string;
}

/** Whether a request opens a WebSocket (RFC 6455 section 4.1); one for any other upgrade is an ordinary request. */
export function isWebSocketRequest(
  method: string,
  headers: RequestHeaders,
): boolean {
  return method === "GET" &&
    /^websocket$/i.test(headers.get("upgrade") ?? "") &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.get("connection") ?? "");
}
