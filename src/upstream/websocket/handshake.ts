/** The client's opening handshake (RFC 6455 section 4.1): the request, and the validation of a 101. */
import { type HeaderList, valuesOf } from "../../http/headers.ts";
import type { UpstreamClient } from "../http1/client.ts";
import type { UpstreamRequest, UpstreamResponse } from "../http1/message.ts";
import { protocolError } from "../upstream_error.ts";
import { UpstreamWebSocket } from "./socket.ts";

/** The constant that proves that the server understands the protocol (RFC 6455 section 1.3). */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Headers of a single connection's handshake, not forwarded (RFC 6455 section 11.3); no extension is offered. */
const HANDSHAKE_HEADERS = new Set([
  "upgrade",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-version",
]);

/** An opening handshake, ready to be sent. */
interface OpeningHandshake {
  /** All headers of the request except Connection. */
  readonly headers: HeaderList;
  /** The Sec-WebSocket-Accept value that answers it. */
  readonly accept: string;
  /** The subprotocols offered, in order of preference. */
  readonly offered: readonly string[];
}

/** The verdict on a 101: the subprotocol that it selects, if any, or the problem with it. */
type SwitchCheck =
  | { readonly ok: true; readonly protocol: string | undefined }
  | { readonly ok: false; readonly problem: string };

/** An open WebSocket with the subprotocol selected, if any, or the ordinary response that refused it. */
export type OpenResult =
  | {
    readonly kind: "open";
    readonly socket: UpstreamWebSocket;
    readonly protocol: string | undefined;
  }
  | { readonly kind: "refused"; readonly response: UpstreamResponse };

/** The values of a header whose whole value is compared, without whitespace around them. */
function trimmedValuesOf(headers: HeaderList, name: string): string[] {
  return valuesOf(headers, name).map((value) => value.trim());
}

/** The members of a comma-separated header (RFC 9110 section 5.6.1). */
function membersOf(headers: HeaderList, name: string): string[] {
  return valuesOf(headers, name)
    .flatMap((value) => value.split(","))
    .map((member) => member.trim())
    .filter((member) => member !== "");
}

/**
 * Extends a client's end-to-end headers, including Sec-WebSocket-Protocol, to an opening handshake with its own key.
 *
 * @param key 16 bytes, random by default.
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
      ...endToEnd.filter(([name]) =>
        !HANDSHAKE_HEADERS.has(name.toLowerCase())
      ),
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", encodedKey],
    ],
    accept: new Uint8Array(digest).toBase64(),
    offered: membersOf(endToEnd, "sec-websocket-protocol"),
  };
}

/**
 * Validates the headers of a 101 against the handshake that it answers (RFC 6455 section 4.1).
 *
 * @example
 * ```ts
 * checkSwitch([
 *   ["Upgrade", "websocket"],
 *   ["Connection", "Upgrade"],
 *   ["Sec-WebSocket-Accept", handshake.accept],
 *   ["Sec-WebSocket-Protocol", "chat"],
 * ], handshake); // { ok: true, protocol: "chat" } if "chat" was offered
 * ```
 */
export function checkSwitch(
  headers: HeaderList,
  handshake: Pick<OpeningHandshake, "accept" | "offered">,
): SwitchCheck {
  const [upgrade, ...otherUpgrades] = trimmedValuesOf(headers, "upgrade");
  if (upgrade?.toLowerCase() !== "websocket" || otherUpgrades.length > 0) {
    return { ok: false, problem: "Upgrade is not websocket" };
  }
  const connection = membersOf(headers, "connection");
  if (!connection.some((option) => option.toLowerCase() === "upgrade")) {
    return { ok: false, problem: "Connection lacks the upgrade option" };
  }
  const [accept, ...otherAccepts] = trimmedValuesOf(
    headers,
    "sec-websocket-accept",
  );
  if (accept !== handshake.accept || otherAccepts.length > 0) {
    return { ok: false, problem: "Sec-WebSocket-Accept does not match" };
  }
  if (membersOf(headers, "sec-websocket-extensions").length > 0) {
    return { ok: false, problem: "Extension was not offered" };
  }
  const [protocol, ...otherProtocols] = trimmedValuesOf(
    headers,
    "sec-websocket-protocol",
  );
  if (
    otherProtocols.length > 0 ||
    (protocol !== undefined && !handshake.offered.includes(protocol))
  ) {
    return { ok: false, problem: "Subprotocol was not offered" };
  }
  return { ok: true, protocol };
}

/**
 * Opens a WebSocket through `client`. `request.headers` holds the end-to-end headers, including Host and the offered
 * Sec-WebSocket-Protocol; the headers of another connection's handshake are dropped.
 *
 * @throws {TypeError} As `client.upgrade()` does.
 * @throws {UpstreamError} As `client.upgrade()` does; also `protocol_error` if a 101 does not complete the handshake,
 * in which case the connection is closed.
 */
export async function openWebSocket(
  client: Pick<UpstreamClient, "upgrade">,
  request: Omit<UpstreamRequest, "method" | "body" | "contentLength">,
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
  const { connection } = result;
  const check = checkSwitch(result.headers, handshake);
  if (!check.ok) {
    connection.close();
    throw protocolError(check.problem);
  }
  return {
    kind: "open",
    socket: new UpstreamWebSocket(connection),
    protocol: check.protocol,
  };
}
