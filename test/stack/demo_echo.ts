/** The demo app's WebSocket: every message comes back as it was sent. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

/** The part of the `ws` package that is used here: it brings no types. */
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
  // The first protocol that is offered (RFC 6455 section 4.2.2), or none.
  handleProtocols: ([first]: Set<string>) => first ?? false,
});

/** Accepts the opening handshake and echoes from then on. */
export function echoWebSocket(
  message: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): void {
  acceptor.handleUpgrade(message, socket, head, (webSocket) => {
    webSocket.on("message", (data, isBinary) => {
      webSocket.send(data, { binary: isBinary });
    });
    // A broken frame closes the connection by itself.
    webSocket.on("error", () => {});
  });
}
