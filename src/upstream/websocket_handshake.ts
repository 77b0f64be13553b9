/** The opening handshake of RFC 6455 section 4.1: what a client sends, and what makes a 101 valid. */

import { protocolError } from "./errors.ts";
import type {
  HeaderList,
  UpgradeResult,
  UpstreamRequest,
  UpstreamResponse,
} from "./types.ts";
import { UpstreamWebSocket, type WebSocketOptions } from "./websocket.ts";

/** RFC 6455 section 1.3: proves that whoever answers has understood the protocol. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Fields that belong to one connection's handshake, each peer's own (RFC 6455 section 11.3); no extension is offered. */
const HANDSHAKE_FIELDS = new Set([
  "upgrade",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-version",
]);

/** A handshake that is ready to be sent. */
export interface OpeningHandshake {
  /** All fields of the request but Connection. */
  readonly headers: HeaderList;
  /** The Sec-WebSocket-Accept that answers it. */
  readonly accept: string;
  /** The subprotocols offered, most wanted first. */
  readonly offered: readonly string[];
}

/** Whether a 101 completes the handshake, with the chosen subprotocol, or why it does not. */
export type SwitchCheck =
  | { readonly ok: true; readonly protocol: string | undefined }
  | { readonly ok: false; readonly problem: string };

/** An open WebSocket with the fields of its 101, or the ordinary response that refused it. */
export type OpenResult =
  | {
    readonly kind: "open";
    readonly socket: UpstreamWebSocket;
    readonly protocol: string | undefined;
    readonly headers: HeaderList;
  }
  | { readonly kind: "refused"; readonly response: UpstreamResponse };

/** The part of `UpstreamClient` that opens a WebSocket. */
export interface Upgrader {
  upgrade(request: UpstreamRequest): Promise<UpgradeResult>;
}

function valuesOf(headers: HeaderList, name: string): string[] {
  return headers
    .filter(([field]) => field.toLowerCase() === name)
    .map(([, value]) => value.trim());
}

/** The members of a comma-separated field (RFC 9110 section 5.6.1). */
function membersOf(headers: HeaderList, name: string): string[] {
  return valuesOf(headers, name)
    .flatMap((value) => value.split(","))
    .map((member) => member.trim())
    .filter((member) => member !== "");
}

/**
 * Completes a client's end-to-end fields, Sec-WebSocket-Protocol included, to an opening handshake with a key of
 * its own.
 *
 * @param key 16 octets; random unless given.
 */
export async function openingHandshake(
  endToEnd: HeaderList,
  key: Uint8Array = crypto.getRandomValues(new Uint8Array(16)),
): Promise<OpeningHandshake> {
  const encodedKey = key.toBase64();
  const digest = await crypto.subtle.digest(
    "SHA-1",
    new TextEncoder().encode(encodedKey + GUID),
  );
  return {
    headers: [
      ...endToEnd.filter(([name]) => !HANDSHAKE_FIELDS.has(name.toLowerCase())),
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", encodedKey],
    ],
    accept: new Uint8Array(digest).toBase64(),
    offered: membersOf(endToEnd, "sec-websocket-protocol"),
  };
}

/** Checks the fields of a 101 against the handshake that it answers (RFC 6455 section 4.1, the server's response). */
export function checkSwitch(
  headers: HeaderList,
  handshake: Pick<OpeningHandshake, "accept" | "offered">,
): SwitchCheck {
  const [upgrade, ...otherUpgrades] = valuesOf(headers, "upgrade");
  if (upgrade?.toLowerCase() !== "websocket" || otherUpgrades.length > 0) {
    return { ok: false, problem: "Upgrade is not websocket" };
  }
  const connection = membersOf(headers, "connection");
  if (!connection.some((option) => option.toLowerCase() === "upgrade")) {
    return { ok: false, problem: "Connection lacks upgrade" };
  }
  const [accept, ...otherAccepts] = valuesOf(headers, "sec-websocket-accept");
  if (accept !== handshake.accept || otherAccepts.length > 0) {
    return { ok: false, problem: "Sec-WebSocket-Accept does not match" };
  }
  if (membersOf(headers, "sec-websocket-extensions").length > 0) {
    return { ok: false, problem: "Extension that was not offered" };
  }
  const [protocol, ...otherProtocols] = valuesOf(
    headers,
    "sec-websocket-protocol",
  );
  if (
    otherProtocols.length > 0 ||
    (protocol !== undefined && !handshake.offered.includes(protocol))
  ) {
    return { ok: false, problem: "Subprotocol that was not offered" };
  }
  return { ok: true, protocol };
}

/**
 * Opens a WebSocket through `client`. `request.headers` holds the end-to-end fields, Host and the offered
 * Sec-WebSocket-Protocol included; fields of another connection's handshake are left out.
 *
 * @throws {UpstreamError} As `client.upgrade()` does, and `protocol_error` for a 101 that does not complete the
 * handshake: the connection is closed then.
 */
export async function openWebSocket(
  client: Upgrader,
  request: Omit<UpstreamRequest, "method" | "body" | "contentLength">,
  options: WebSocketOptions = {},
): Promise<OpenResult> {
  const handshake = await openingHandshake(request.headers);
  const result = await client.upgrade({
    ...request,
    method: "GET",
    headers: handshake.headers,
    body: null,
    contentLength: null,
  });
  if (result.kind === "response") {
    return { kind: "refused", response: result.response };
  }
  const { headers, connection } = result;
  const check = checkSwitch(headers, handshake);
  if (!check.ok) {
    connection.close();
    throw protocolError(check.problem);
  }
  return {
    kind: "open",
    socket: new UpstreamWebSocket(connection, options),
    protocol: check.protocol,
    headers,
  };
}
