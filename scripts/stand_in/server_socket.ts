/** The server's side of a WebSocket: the part of the `ws` package that is used here; it has no types. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

/** An accepted WebSocket. */
export interface ServerSocket {
  /** The subprotocol that was selected. */
  readonly protocol: string;
  on(
    event: "message",
    listener: (data: Uint8Array, isBinary: boolean) => void,
  ): void;
  on(event: "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  /** Sends a string as a text message, bytes as a binary one unless `binary` is false. */
  send(data: string | Uint8Array, options?: { readonly binary: boolean }): void;
  close(code: number, reason: string): void;
}

/** The options of `ws` that are used here. */
export interface AcceptorOptions {
  /** Selects a subprotocol, or none. */
  readonly handleProtocols: (offered: Set<string>) => string | false;
  /** The largest message that is accepted, bytes. */
  readonly maxPayload?: number;
}

/** Answers the opening handshake of a request, whose connection has sent `head` after it. */
export type Accept = (
  message: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  accepted: (webSocket: ServerSocket) => void,
) => void;

/** Creates a function that accepts WebSockets. */
export function acceptor(options: AcceptorOptions): Accept {
  const server: { readonly handleUpgrade: Accept } = new WebSocketServer({
    noServer: true,
    ...options,
  });
  return (message, socket, head, accepted) => {
    server.handleUpgrade(message, socket, head, (webSocket) => {
      // An invalid frame closes the connection anyway.
      webSocket.on("error", () => {});
      accepted(webSocket);
    });
  };
}
