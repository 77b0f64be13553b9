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

/** Restarting the timer takes 2 µs, a tenth of a relayed message: it is left as it is for so long, ms. */
const TIMER_PRECISION_MS = 1000;

/**
 * Calls `onFrame` for each Pong, and before `message` for each message of a client; and has the timer count from the
 * first of those within a second.
 *
 * @param now The current time, ms.
 */
export function watchFrames(
  socket: WebSocket,
  onFrame: () => void,
  now: () => number = () => performance.now(),
): void {
  const symbol = Object.getOwnPropertySymbols(WebSocket.prototype)
    .find(({ description }) => description === "[[serverHandleIdleTimeout]]");
  if (symbol === undefined) return;
  const restartTimer: unknown = Reflect.get(socket, symbol);
  if (typeof restartTimer !== "function") return;
  let restartedAt = -Infinity;
  // A property of its own, rather than an accessor: with one, V8 looks up all properties of the WebSocket in a table.
  Reflect.set(socket, symbol, () => {
    onFrame();
    const time = now();
    if (time - restartedAt < TIMER_PRECISION_MS) return;
    restartedAt = time;
    restartTimer.call(socket);
  });
}
