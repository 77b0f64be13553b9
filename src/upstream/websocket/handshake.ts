/** The client's opening handshake (RFC 6455 section 4.1): the request, and the validation of a 101. */
import { type HeaderList, valuesOf } from "../../http/headers.ts";
import type { UpstreamClient } from "../http1/client.ts";
import type { UpstreamRequest, UpstreamResponse } from "../http1/message.ts";
import { protocolError } from "../upstream_error.ts";
import { UpstreamWebSocket } from "./socket.ts";

/** The constant that proves that the server understands the protocol (RFC 6455 section 1.3). */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Headers of a single connection's handshake, not forwarded (RFC 6455 section 11.3); no extension is offered. */
const HANDSHAKE_HEADER =
  /^(?:upgrade|sec-websocket-(?:accept|extensions|key|version))$/i;

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

/** The value of a header that may have one only: several lines are joined, to what is no such value. */
function wholeValueOf(headers: HeaderList, name: string): string | undefined {
  const values = valuesOf(headers, name);
  return values.length === 0 ? undefined : values.join(", ").trim();
}

function membersOf(headers: HeaderList, name: string): string[] {
  return valuesOf(headers, name)
    .flatMap((value) => value.split(","))
    .map((member) => member.trim())
    .filter((member) => member !== "");
}

/** Extends a client's end-to-end headers to an opening handshake with its own key, of 16 bytes, random by default. */
export async function openingHandshake(
  endToEnd: HeaderList,
  key: Uint8Array = crypto.getRandomValues(new Uint8Array(16)),
): Promise<OpeningHandshake> {
  const encodedKey = key.toBase64();
  const proof = new TextEncoder().encode(encodedKey + GUID);
  const digest = await crypto.subtle.digest("SHA-1", proof);
  return {
    headers: [
      ...endToEnd.filter(([name]) => !HANDSHAKE_HEADER.test(name)),
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", encodedKey],
    ],
    accept: new Uint8Array(digest).toBase64(),
    offered: membersOf(endToEnd, "sec-websocket-protocol"),
  };
}

/** Validates the headers of a 101 against the handshake that it answers (RFC 6455 section 4.1). */
export function checkSwitch(
  headers: HeaderList,
  handshake: Pick<OpeningHandshake, "accept" | "offered">,
): SwitchCheck {
  if (wholeValueOf(headers, "upgrade")?.toLowerCase() !== "websocket") {
    return { ok: false, problem: "Upgrade is not websocket" };
  }
  const connection = membersOf(headers, "connection");
  if (!connection.some((option) => option.toLowerCase() === "upgrade")) {
    return { ok: false, problem: "Connection lacks the upgrade option" };
  }
  if (wholeValueOf(headers, "sec-websocket-accept") !== handshake.accept) {
    return { ok: false, problem: "Sec-WebSocket-Accept does not match" };
  }
  if (membersOf(headers, "sec-websocket-extensions").length > 0) {
    return { ok: false, problem: "Extension was not offered" };
  }
  const protocol = wholeValueOf(headers, "sec-websocket-protocol");
  if (protocol !== undefined && !handshake.offered.includes(protocol)) {
    return { ok: false, problem: "Subprotocol was not offered" };
  }
  return { ok: true, protocol };
}

/**
 * Opens a WebSocket through `client`. `request.headers` holds the end-to-end headers, including Host and the offered
 * Sec-WebSocket-Protocol; the headers of another connection's handshake are dropped. Throws as `client.upgrade()` does.
 * @throws {UpstreamError} `protocol_error` if a 101 does not complete the handshake; the connection is closed then.
 */
export async function openWebSocket(
  client: Pick<UpstreamClient, "upgrade">,
  request: Omit<UpstreamRequest, "method" | "body" | "contentLength">,
): Promise<OpenResult> {
  const handshake = await openingHandshake(request.headers);
  const { headers } = handshake;
  const framing = { method: "GET", body: null, contentLength: null } as const;
  const result = await client.upgrade({ ...request, ...framing, headers });
  if (result.kind === "response") return { ...result, kind: "refused" };
  const { connection } = result;
  const check = checkSwitch(result.headers, handshake);
  if (!check.ok) {
    connection.close();
    throw protocolError(check.problem);
  }
  const socket = new UpstreamWebSocket(connection);
  return { kind: "open", socket, protocol: check.protocol };
}
