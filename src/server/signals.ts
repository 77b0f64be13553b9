/** What the operating system's signals ask for. */

/** Signals that end the process. */
export type EndSignal = "SIGINT" | "SIGTERM";

/** As {@linkcode Deno.addSignalListener}. */
export type AddSignalListener = (
  signal: EndSignal | "SIGHUP",
  listener: () => void,
) => void;

/** The two times that a process can be told to end. */
export interface EndSignals {
  /** Told to end when it is done. */
  readonly first: Promise<EndSignal>;
  /** Told again: at once. */
  readonly second: Promise<EndSignal>;
}

/** Ctrl+C may come twice, from the terminal and from a task runner that passes it on, ms. */
const ECHO_MS = 250;

/** Listens for the signals that end the process; `now` is in ms. */
export function listenForEnd(
  addSignalListener: AddSignalListener,
  now: () => number,
): EndSignals {
  const first = Promise.withResolvers<EndSignal>();
  const second = Promise.withResolvers<EndSignal>();
  let told: { readonly signal: EndSignal; readonly at: number } | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    addSignalListener(signal, () => {
      if (told === undefined) {
        told = { signal, at: now() };
        first.resolve(signal);
      } else if (signal !== told.signal || now() - told.at >= ECHO_MS) {
        second.resolve(signal);
      }
    });
  }
  return { first: first.promise, second: second.promise };
}
