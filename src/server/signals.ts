/** Turns the operating system's signals into requests to stop. */

export type EndSignal = "SIGINT" | "SIGTERM";

/** Registers a signal listener, as {@linkcode Deno.addSignalListener} does. */
export type AddSignalListener = (
  signal: EndSignal | "SIGHUP",
  listener: () => void,
) => void;

/** Ctrl+C may arrive twice within this time, from the terminal and from a task runner that forwards it, ms. */
const ECHO_MS = 250;

/** Listens for the signals that stop the process: the first one gracefully, the second one at once. */
export function listenForEnd(
  addSignalListener: AddSignalListener,
): Readonly<Record<"first" | "second", Promise<EndSignal>>> {
  const first = Promise.withResolvers<EndSignal>();
  const second = Promise.withResolvers<EndSignal>();
  let received: { readonly signal: EndSignal; readonly at: number } | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    addSignalListener(signal, () => {
      if (received === undefined) {
        received = { signal, at: performance.now() };
        return first.resolve(signal);
      }
      const isEcho = signal === received.signal &&
        performance.now() - received.at < ECHO_MS;
      if (!isEcho) second.resolve(signal);
    });
  }
  return { first: first.promise, second: second.promise };
}
