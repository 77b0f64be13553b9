/** The part of the DevTools protocol that a CPU profile needs, for a process started with `--inspect`. */
import type { CpuProfile } from "./cpu_profile.ts";

/** The profiler of another process. */
export interface Profiler extends Disposable {
  start(): Promise<void>;
  stop(): Promise<CpuProfile>;
}

/** Microseconds between two samples: often enough to see small functions, rarely enough not to slow them down much. */
const INTERVAL_US = 200;

/**
 * Connects to the inspector that listens on a port of 127.0.0.1.
 *
 * @throws {Error} if that fails.
 */
export async function connectProfiler(port: number): Promise<Profiler> {
  const response = await fetch(`http://127.0.0.1:${port}/json`);
  const [page]: { webSocketDebuggerUrl: string }[] = await response.json();
  if (page === undefined) throw new Error("The inspector has no target");
  const socket = new WebSocket(page.webSocketDebuggerUrl);
  const waiting = new Map<number, (result: unknown) => void>();
  let lastId = 0;
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(data);
    waiting.get(id)?.(result);
    waiting.delete(id);
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("Cannot reach the inspector"));
  });

  function call(method: string, params = {}): Promise<unknown> {
    return new Promise((resolve) => {
      waiting.set(++lastId, resolve);
      socket.send(JSON.stringify({ id: lastId, method, params }));
    });
  }

  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  return {
    async start() {
      await call("Profiler.start");
    },
    async stop() {
      const { profile } = await call("Profiler.stop") as {
        profile: CpuProfile;
      };
      return profile;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}
