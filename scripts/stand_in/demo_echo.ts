/** The demo app's WebSocket, which echoes every message. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

/** The part of the `ws` package that is used here; it has no types. */
interface Acceptor {
  handleUpgrade(
    message: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    accepted: (webSocket: Accepted) => void,
  ): void;
}

interface Accepted {
  on(
    event: "message",
    listener: (data: Uint8Array, isBinary: boolean) => void,
  ): void;
  on(event: "error", listener: (error: Error) => void): void;
  send(data: Uint8Array, options: { readonly binary: boolean }): void;
}

const acceptor: Acceptor = new WebSocketServer({
  noServer: true,
  maxPayload: 64 * 1024 * 1024,
  // Select the first subprotocol offered (RFC 6455 section 4.2.2), if any.
  handleProtocols: ([first]: Set<string>) => first ?? false,
});

/** Accepts the opening handshake, and echoes all messages. */
export function echoWebSocket(
  message: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): void {
  acceptor.handleUpgrade(message, socket, head, (webSocket) => {
    webSocket.on("message", (data, isBinary) => {
      webSocket.send(data, { binary: isBinary });
    });
    // An invalid frame closes the connection anyway.
    webSocket.on("error", () => {});
  });
}
