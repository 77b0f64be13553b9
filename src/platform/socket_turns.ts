/**
 * Deno 2.9.6 polls sockets when its event loop is idle, and otherwise only once in 61 turns. A loop that is kept busy, with
 * 5 ms for each turn, serves timers at once, but other sockets 300 ms later, new connections and signals too. The number
 * is Tokio's `event_interval`; no upstream issue is known. To reproduce:
 *
 *     Deno.serve(() => new Response());
 *     setImmediate(function work() {
 *       for (const end = performance.now() + 5; performance.now() < end;);
 *       setImmediate(work);
 *     });
 *     // each request takes 300 to 600 ms; with setTimeout(work) instead of setImmediate(work) 1 to 10
 *
 * Instead, a turn is what a byte takes from one end of a connection of our own to the other: it arrives when the sockets
 * are polled, and whoever waits for it lets the loop become idle. It takes 12 µs, where a timer of 0 ms takes 2 ms.
 */

/** Turns of this thread's event loop in which all sockets are polled. */
export class SocketTurns implements Disposable {
  readonly #sender: Deno.Conn;
  readonly #receiver: Deno.Conn;
  readonly #byte = new Uint8Array(1);
  /** The turn that has begun, and the one after it, for which everybody waits who comes meanwhile. */
  #current: Promise<void> = Promise.resolve();
  #following: Promise<void> | undefined;

  private constructor(sender: Deno.Conn, receiver: Deno.Conn) {
    this.#sender = sender;
    this.#receiver = receiver;
  }

  /** Opens the connection; rejects where the platform allows none. */
  static async open(): Promise<SocketTurns> {
    const hostname = "127.0.0.1";
    using listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    const sender = await Deno.connect({ hostname, port });
    sender.setNoDelay(true);
    for (;;) {
      const receiver = await listener.accept();
      // Another program may have been first.
      if (receiver.remoteAddr.port === sender.localAddr.port) {
        return new SocketTurns(sender, receiver);
      }
      receiver.close();
    }
  }

  /** Resolves after the next turn. */
  next(): Promise<void> {
    return this.#following ??= this.#current.then(() => {
      this.#following = undefined;
      return this.#current = this.#turn();
    });
  }

  async #turn(): Promise<void> {
    try {
      await Promise.all([
        this.#receiver.read(new Uint8Array(1)),
        this.#sender.write(this.#byte),
      ]);
    } catch {
      // It is closed: nobody needs to be fair any more.
    }
  }

  /** Resolves all that wait. */
  [Symbol.dispose](): void {
    this.#sender.close();
    this.#receiver.close();
  }
}
