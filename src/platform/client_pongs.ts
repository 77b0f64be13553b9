/**
 * Deno 2.9.6, with a WebSocket from `Deno.upgradeWebSocket()`: the client's Pongs reach no handler, and those that have
 * arrived are handled in a row, without a turn of the event loop. A client that sends nothing else, at 12 MB/s or more,
 * stops everything on this thread, signals included, for as long as it likes. No upstream issue is known.
 *
 * Instead, they are counted: for each Pong and message, and once as it opens, Deno calls a method of the WebSocket that
 * is named by a symbol, and restarts its idle timer. (Should an update of Deno hide it, nothing is counted.) Even so,
 * it does not tell of Pings, which it answers with some turns, and of fragments of messages.
 *
 * Restarting that timer takes 2 µs, a tenth of a relayed message, so messages restart it once a second. Pongs always
 * do: the timer that one has to stop is begun when its Ping has been written, which may be long after the Ping was due.
 */
const TIMER_PRECISION_MS = 1000;

const resolved = Promise.resolve();

/** Calls `onPong` for each Pong, and maybe as it opens. Call what is returned for each message, within its event. */
export function watchPongs(
  socket: WebSocket,
  onPong: () => void,
  now: () => number = () => performance.now(),
): () => void {
  const symbol = Object.getOwnPropertySymbols(WebSocket.prototype)
    .find(({ description }) => description === "[[serverHandleIdleTimeout]]");
  const restartTimer: unknown = symbol && Reflect.get(socket, symbol);
  if (symbol === undefined || typeof restartTimer !== "function") {
    return () => {};
  }
  let isMessage = false;
  let restartedAt = -Infinity;
  const afterEvent = () => {
    const wasMessage = isMessage;
    isMessage = false;
    if (!wasMessage) onPong();
    const time = now();
    if (wasMessage && time - restartedAt < TIMER_PRECISION_MS) return;
    if (socket.readyState !== WebSocket.OPEN) return;
    restartedAt = time;
    restartTimer.call(socket);
  };
  // A property of its own, rather than an accessor: with one, V8 looks up all properties of the WebSocket in a table.
  Reflect.set(socket, symbol, () => void resolved.then(afterEvent));
  return () => {
    isMessage = true;
  };
}
