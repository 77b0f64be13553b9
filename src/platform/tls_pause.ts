/**
 * Deno 2.9.6: a paused `node:tls` socket goes on reading, and buffers without bound. Its `readStop()` stops what it hands
 * over, not what it reads from the TCP connection below. (Node stops both. Related: denoland/deno#33524.) To reproduce:
 *
 *     tls.createServer({ cert, key }, (socket) => socket.pause()).listen(443);
 *     // A client that sends 3 GB is let, and the server's memory grows by as much.
 *
 * Instead, the TCP connection is stopped and started along with its TLS socket.
 */
import type { TLSSocket } from "node:tls";

/** What Deno's handles of sockets have in common with Node's. */
interface Handle {
  readStart(): number;
  readStop(): number;
}

/** The handle of a TLS socket; the handle of its TCP connection is gone once it is closed. */
interface TlsHandle extends Handle {
  _nativeTcpHandle?: Handle | null;
}

/**
 * Makes `pause()` of a TLS socket stop its client, and with it everything that relies on pausing: `pipe()`, or a reader
 * that lets data wait.
 *
 * @throws {TypeError} If Deno has changed and it cannot: rather no TLS at all than a listener that anyone can fill up.
 */
export function mendPause(socket: TLSSocket): void {
  const { _handle: tls } = socket as unknown as { _handle?: TlsHandle };
  if (tls?._nativeTcpHandle === undefined) {
    throw new TypeError("This version of Deno hides the handles of node:tls");
  }
  const { readStart, readStop } = tls;
  tls.readStart = () => {
    tls._nativeTcpHandle?.readStart();
    return readStart.call(tls);
  };
  tls.readStop = () => {
    tls._nativeTcpHandle?.readStop();
    return readStop.call(tls);
  };
}
