/** The entry point of a thread that serves: what main.ts is told by the environment, it is told by its supervisor. */
import type { WorkerStart } from "./server/workers/messages.ts";
import { serveAsWorker } from "./server/workers/serve_as_worker.ts";
import { createService } from "./service.ts";

addEventListener("message", (event) => {
  if (!(event instanceof MessageEvent)) return;
  const { start, port }: { start: WorkerStart; port: MessagePort } = event.data;
  serveAsWorker(port, { ...start, createService });
}, { once: true });
