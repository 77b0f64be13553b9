/** A thread of the hostile: an app and its clients, which must not slow down those who watch. */
import { startHostileApp } from "../support/hostile_app.ts";
import { type FloodOrder, startFlood } from "./floods.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  /** The flood goes on until the next message. */
  onmessage: ((event: MessageEvent<FloodOrder | "stop">) => void) | null;
  /** Posts the app's port once, and then "done" for each message. */
  postMessage(message: number | "done"): void;
}

const scope = globalThis as unknown as WorkerScope;
const app = startHostileApp();
let stop: (() => Promise<void>) | undefined;

scope.onmessage = async ({ data }) => {
  await stop?.();
  stop = data === "stop" ? undefined : startFlood(data);
  scope.postMessage("done");
};
scope.postMessage(app.port);
