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
 * Instead, they are counted: for each Pong and message, Deno calls a method of the WebSocket that is named by a symbol,
 * and restarts a timer. An update of Deno may hide that; then nothing is counted. What Deno does not tell even so are
 * Pings, which it answers with some turns, and fragments of messages.
 */

/** Calls `onFrame` for each Pong, and before `message` for each message of a client. */
export function watchFrames(socket: WebSocket, onFrame: () => void): void {
  const symbol = Object.getOwnPropertySymbols(WebSocket.prototype)
    .find(({ description }) => description === "[[serverHandleIdleTimeout]]");
  if (symbol === undefined) return;
  const restartTimer: unknown = Reflect.get(socket, symbol);
  if (typeof restartTimer !== "function") return;
  // A property of its own, rather than an accessor: with one, V8 looks up all properties of the WebSocket in a table.
  Reflect.set(socket, symbol, () => {
    onFrame();
    restartTimer.call(socket);
  });
}
