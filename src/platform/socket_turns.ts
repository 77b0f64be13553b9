/**
 * Deno 2.9.6 polls sockets when its event loop is idle, and otherwise only once in 61 turns, Tokio's `event_interval`:
 * a loop that is kept busy, with 5 ms for each turn, serves timers at once, but sockets and signals 300 ms later. No
 * upstream issue is known.
 *
 * Instead, a turn is what a byte takes from one end of a connection of our own to the other: it arrives when the
 * sockets are polled, and whoever waits for it lets the loop become idle. It takes 12 µs, where a timer of 0 ms takes 2
 * ms.
 */

/** Turns of this thread's event loop in which all sockets are polled. */
export class SocketTurns implements Disposable {
  readonly #sender: Deno.Conn;
  readonly #receiver: Deno.Conn;
  readonly #byte = new Uint8Array(1);
  /** The turn that has begun, and the one after it, for which everybody waits who comes meanwhile. */
  #current = Promise.resolve();
  #following: Promise<void> | undefined;

  private constructor(sender: Deno.Conn, receiver: Deno.Conn) {
    this.#sender = sender;
    this.#receiver = receiver;
  }

  /** Opens the connection; rejects where the platform allows none. */
  static async open(): Promise<SocketTurns> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { hostname, port } = listener.addr;
    const sender = await Deno.connect({ hostname, port });
    sender.setNoDelay(true);
    for (;;) {
      const receiver = await listener.accept();
      const isOurs = receiver.remoteAddr.port === sender.localAddr.port;
      if (isOurs) return new SocketTurns(sender, receiver);
      receiver.close(); // another program was first
    }
  }

  /** Resolves after the next turn, and at once when it is closed: nobody needs to be fair any more. */
  next(): Promise<void> {
    return this.#following ??= this.#current.then(() => {
      this.#following = undefined;
      const received = this.#receiver.read(new Uint8Array(1));
      const turn = Promise.all([received, this.#sender.write(this.#byte)]);
      return this.#current = turn.then(() => {}, () => {});
    });
  }

  [Symbol.dispose](): void {
    this.#sender.close();
    this.#receiver.close();
  }
}
