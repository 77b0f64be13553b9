/** The attackers, as the soak sees them. */
import type { FromHostile, ToHostile } from "./hostile.ts";

/** A thread of attackers; disposing of it ends it. */
export interface Attackers extends Disposable {
  /** Where the hostile app listens on 127.0.0.1. */
  readonly appPort: number;
  /** Attacks a gateway; the function returned stops, and waits until everybody has. */
  attack(target: Required<ToHostile>): () => Promise<void>;
}

/** Starts the thread. */
export async function startAttackers(): Promise<Attackers> {
  const worker = new Worker(new URL("./hostile.ts", import.meta.url), {
    type: "module",
  });
  const listening = Promise.withResolvers<number>();
  let stopped = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: MessageEvent<FromHostile>) => {
    if ("appPort" in data) listening.resolve(data.appPort);
    else stopped.resolve();
  };
  function tell(message: ToHostile): void {
    worker.postMessage(message);
  }
  return {
    appPort: await listening.promise,
    attack(target) {
      stopped = Promise.withResolvers();
      tell(target);
      return async () => {
        tell({});
        await stopped.promise;
      };
    },
    [Symbol.dispose]: () => worker.terminate(),
  };
}
