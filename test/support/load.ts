/**
 * Load by clients with persistent connections and no retries: a request is answered in full, or counts as a failure.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  type RawResponse,
  type RawStream,
  rawStream,
  readResponse,
  valuesOf,
} from "./raw_client.ts";

/** A request, and how to check its response. */
export interface LoadRequest {
  /** GET by default. */
  readonly method?: string;
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The content in Latin-1, sent in parts with a pause before each. */
  readonly body?: readonly string[];
  /** Checks the body of a 200. */
  isExpected(body: string): boolean;
}

/** How much load, and of which requests. */
export interface LoadOptions {
  /** The target's, on 127.0.0.1. */
  readonly port: number;
  /** The number of clients, each with one connection and one request at a time. */
  readonly clients: number;
  /** Each client sends these in turn, starting from a different one; `serial` is the number of the request. */
  readonly requests: readonly ((serial: number) => LoadRequest)[];
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

/** Pause before each part of a body, ms. */
const PART_PAUSE_MS = 30;

/** Starts the clients. */
export function startLoad({ port, clients, requests }: LoadOptions): Load {
  const failures: string[] = [];
  let answered = 0;
  let isStopped = false;
  let serial = 0;

  async function connect(): Promise<RawStream> {
    return rawStream(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** A client is never idle, so a connection that closes without a previous `Connection: close` has cost a request. */
  async function runClient(first: number): Promise<void> {
    let stream: RawStream | undefined;
    for (let count = first; !isStopped; count++) {
      const request = requests[count % requests.length]?.(serial++);
      if (request === undefined) return;
      try {
        stream ??= await connect();
        const response = await exchange(stream, request);
        const fault = faultOf(response, request);
        if (fault !== undefined) throw new Error(fault);
        answered++;
        if (saysClose(response)) {
          stream.close();
          stream = undefined;
        }
      } catch (error) {
        failures.push(`${request.path}: ${error}`);
        break;
      }
    }
    stream?.close();
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

async function exchange(
  stream: RawStream,
  { method = "GET", host, path, headers, body = [] }: LoadRequest,
): Promise<RawResponse> {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const fields = {
    Host: host,
    ...headers,
    ...length > 0 && { "Content-Length": String(length) },
  };
  const lines = Object.entries(fields).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  await stream.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  for (const part of body) {
    await delay(PART_PAUSE_MS);
    await stream.write(part);
  }
  return await readResponse(stream, method);
}

function faultOf(
  { status, body, isComplete }: RawResponse,
  { isExpected }: LoadRequest,
): string | undefined {
  if (status !== 200) return `status ${status}: ${body}`;
  if (!isComplete) return `broken off after ${body.length} octets`;
  return isExpected(body) ? undefined : `wrong body: ${body.slice(0, 200)}`;
}

function saysClose({ fields }: RawResponse): boolean {
  return valuesOf(fields, "connection")
    .some((value) => /(?:^|,)\s*close\s*(?:,|$)/i.test(value));
}
