/** Signals that a test sends itself. */
import type { AddSignalListener } from "../../src/server/signals.ts";

/** Signals and who listens for them. */
export interface FakeSignals {
  readonly addSignalListener: AddSignalListener;
  /** Calls the listeners; throws where there is none, as such a signal would end the process. */
  send(signal: Parameters<AddSignalListener>[0]): void;
}

/** Creates signals. */
export function fakeSignals(): FakeSignals {
  const listeners = new Map<string, (() => void)[]>();
  return {
    addSignalListener(signal, listener) {
      listeners.set(signal, [...listeners.get(signal) ?? [], listener]);
    },
    send(signal) {
      const heard = listeners.get(signal);
      if (heard === undefined) throw new Error(`Nobody listens for ${signal}`);
      for (const listener of heard) listener();
    },
  };
}
