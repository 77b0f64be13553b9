/** Load by clients that keep their connections and forgive nothing: what they sent is answered in full, or has failed. */
import { setTimeout as delay } from "node:timers/promises";
import {
  type RawResponse,
  type RawStream,
  rawStream,
  readResponse,
  valuesOf,
} from "./raw_client.ts";

/** One request, and what makes its answer the right one. */
export interface LoadRequest {
  /** GET unless given. */
  readonly method?: string;
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The content in Latin-1, sent part by part with a pause before each. */
  readonly body?: readonly string[];
  /** Looks at the body of a 200. */
  isRight(body: string): boolean;
}

/** How much load, and of what. */
export interface LoadOptions {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Clients, each with one connection and one request at a time. */
  readonly clients: number;
  /** Each client makes them in turn, and each begins with another one; `serial` is a request's number. */
  readonly requests: readonly ((serial: number) => LoadRequest)[];
}

/** What the clients saw. */
export interface LoadReport {
  /** How many requests were answered with what is right. */
  readonly answered: number;
  /** One line each; a client stops at its first. */
  readonly failures: readonly string[];
}

/** Load that goes on until it is told to stop. */
export interface Load extends AsyncDisposable {
  /** Lets the requests under way end. */
  stop(): Promise<LoadReport>;
}

/** Pause before each part of a body, ms. */
const PART_PAUSE_MS = 30;

/** Starts the clients. */
export function startLoad({ port, clients, requests }: LoadOptions): Load {
  const failures: string[] = [];
  let answered = 0;
  let isOver = false;
  let serial = 0;

  async function connect(): Promise<RawStream> {
    return rawStream(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** A client is never idle, so a connection that ends without `Connection: close` before it has cost a request. */
  async function run(first: number): Promise<void> {
    let stream: RawStream | undefined;
    for (let count = first; !isOver; count++) {
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
    Array.from({ length: clients }, (_, i) => run(i)),
  );
  async function stop(): Promise<LoadReport> {
    isOver = true;
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
  { isRight }: LoadRequest,
): string | undefined {
  if (status !== 200) return `status ${status}: ${body}`;
  if (!isComplete) return `broken off after ${body.length} octets`;
  return isRight(body) ? undefined : `wrong body: ${body.slice(0, 200)}`;
}

function saysClose({ fields }: RawResponse): boolean {
  return valuesOf(fields, "connection")
    .some((value) => /(?:^|,)\s*close\s*(?:,|$)/i.test(value));
}
