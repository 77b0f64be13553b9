/** Signals under a test's control. */
import type { AddSignalListener } from "../../src/server/signals.ts";

/** Fake signals and their listeners. */
export interface FakeSignals {
  readonly addSignalListener: AddSignalListener;
  /**
   * Calls the listeners.
   *
   * @throws {Error} if there are none: a real signal would terminate the process.
   */
  send(signal: Parameters<AddSignalListener>[0]): void;
}

/** Creates fake signals. */
export function fakeSignals(): FakeSignals {
  const listeners = new Map<string, (() => void)[]>();
  return {
    addSignalListener(signal, listener) {
      listeners.set(signal, [...listeners.get(signal) ?? [], listener]);
    },
    send(signal) {
      const registered = listeners.get(signal);
      if (registered === undefined) {
        throw new Error(`There is no listener for ${signal}`);
      }
      for (const listener of registered) listener();
    },
  };
}
