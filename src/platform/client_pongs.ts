/**
 * Deno 2.9.6, with a WebSocket from `Deno.upgradeWebSocket()`: the client's Pongs reach no handler, and those that have
 * arrived are handled in a row, without a turn of the event loop. A client that sends nothing else, at 12 MB/s or more,
 * stops everything on this thread, signals included, for as long as it likes. No upstream issue is known. To reproduce:
 *
 *     Deno.serve((request) => Deno.upgradeWebSocket(request).response);
 *     setInterval(() => console.log("turns"), 100);
 *     // a client on this machine, after the 101: for (;;) await conn.write(pongs);
 *     // 256 KiB of 8a 80 00 00 00 00 at once: nothing is logged any more
 *
 * Instead, they are counted: for each Pong and message, Deno restarts a timer of the WebSocket, which it keeps in a
 * property named by a symbol. An update of Deno may hide that; then nothing is counted. What Deno does not tell even so
 * are Pings, which it answers with some turns, and fragments of messages.
 */

/** Calls `onFrame` for each Pong, and before `message` for each message of a client; `idleTimeout` must not be 0. */
export function watchFrames(socket: WebSocket, onFrame: () => void): void {
  const symbol = Object.getOwnPropertySymbols(socket)
    .find(({ description }) => description === "[[idleTimeoutTimeout]]");
  if (symbol === undefined) return;
  let timer: unknown = Reflect.get(socket, symbol);
  Object.defineProperty(socket, symbol, {
    configurable: true,
    get: () => timer,
    set(newTimer: unknown) {
      timer = newTimer;
      onFrame();
    },
  });
}
