/**
 * Deno 2.9.6: a paused `node:tls` socket goes on reading, and buffers without bound. Its `readStop()` stops what it
 * hands over, not what it reads from the TCP connection below. (Node stops both. Related: denoland/deno#33524.)
 *
 * Instead, the TCP connection below is stopped and started too. Once started like this, it hands each 64 KiB over in a
 * new buffer, which is freed as soon as TLS has taken them: the garbage collector would let some 100 MiB pile up.
 */
import type { TLSSocket } from "node:tls";
import { freeBuffer } from "./free_buffer.ts";

/** The part of a TCP connection's handle that Deno has in common with Node. */
interface TcpHandle {
  /** Gives TLS what was read, which is copied; undefined at the end, or after an error. */
  onread(this: TcpHandle, read?: ArrayBuffer): void;
  readStart(): number;
  readStop(): number;
}

/** The handle of a TLS socket; that of its TCP connection is gone once it is closed. */
type TlsHandle = { readonly _nativeTcpHandle?: TcpHandle | null };

/**
 * Makes `pause()` of a TLS socket stop its client, until `resume()`. While it is neither paused nor read, it still
 * buffers without bound.
 * @throws {TypeError} If Deno has changed and it cannot: rather no TLS at all than a listener that anyone can fill up.
 */
export function mendPause(socket: TLSSocket): void {
  const { _handle: tls } = socket as unknown as { _handle?: TlsHandle };
  if (tls?._nativeTcpHandle === undefined) {
    throw new TypeError("This version of Deno hides the handles of node:tls");
  }
  const tcp = tls._nativeTcpHandle;
  if (tcp !== null) {
    const { onread } = tcp;
    tcp.onread = (read) => {
      onread.call(tcp, read);
      if (read !== undefined) freeBuffer(new Uint8Array(read));
    };
  }
  const { pause, resume } = socket;
  socket.pause = () => {
    tls._nativeTcpHandle?.readStop();
    return pause.call(socket);
  };
  socket.resume = () => {
    tls._nativeTcpHandle?.readStart();
    return resume.call(socket);
  };
}
