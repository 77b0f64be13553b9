/** The entry point of a worker thread, which gets its configuration from the supervisor instead of the environment. */
import type { WorkerStart } from "./server/workers/messages.ts";
import { serveAsWorker } from "./server/workers/serve_as_worker.ts";
import { createService } from "./service.ts";

addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const { start, port }: { start: WorkerStart; port: MessagePort } = event.data;
  serveAsWorker(port, { ...start, createService });
}, { once: true });
