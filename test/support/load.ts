/**
 * Load by clients with persistent connections and no retries: a request is answered in full, or counts as a failure.
 */
import { LoadClient, type RequestSpec } from "./load_client.ts";

/** The amount of load, and its requests. */
export interface LoadOptions {
  /** The target's, on 127.0.0.1. */
  readonly port: number;
  /** The number of clients, each with one connection and one request at a time. */
  readonly clients: number;
  /** Each client sends these in turn, starting from a different one; `serial` is the number of the request. */
  readonly requests: readonly ((serial: number) => RequestSpec)[];
}

/** The results of all clients. */
export interface LoadReport {
  /** The number of requests with the expected response. */
  readonly answered: number;
  /** One line each; a client stops after its first failure. */
  readonly failures: readonly string[];
}

/** Load that continues until it is stopped. */
export interface Load extends AsyncDisposable {
  /** Waits for the requests in flight, and sends no more. */
  stop(): Promise<LoadReport>;
}

/** Starts the clients. */
export function startLoad({ port, clients, requests }: LoadOptions): Load {
  const failures: string[] = [];
  let answered = 0;
  let isStopped = false;
  let serial = 0;

  /** A client is never idle, so a connection that closes without a previous `Connection: close` has cost a request. */
  async function runClient(first: number): Promise<void> {
    using client = new LoadClient(port);
    for (let count = first; !isStopped; count++) {
      const request = requests[count % requests.length]?.(serial++);
      if (request === undefined) return;
      const outcome = await client.send(request);
      if (outcome !== "200") {
        failures.push(`${request.path}: ${outcome}`);
        return;
      }
      answered++;
    }
  }

  const running = Promise.all(
    Array.from({ length: clients }, (_, i) => runClient(i)),
  );
  async function stop(): Promise<LoadReport> {
    isStopped = true;
    await running;
    return { answered, failures };
  }
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
