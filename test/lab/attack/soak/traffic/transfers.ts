/** Downloads, uploads and event streams, from beginning to end. */
import { setTimeout as delay } from "node:timers/promises";
import {
  failureOf,
  headOf,
  type LoadClient,
  outcomeOf,
  type RequestSpec,
} from "../../../../support/load_client.ts";
import {
  chunks,
  Closed,
  parseHead,
  type RawStream,
  readResponse,
  valuesOf,
} from "../../../../support/raw_client.ts";
import { MIB } from "../../attack.ts";
import type { Operation } from "../load.ts";
import { RUNNER_DOWN } from "../outcomes.ts";
import { ADDRESS, DEMO, LOCKED, TOKEN_HEADER } from "../world.ts";

const PART_BYTES = 64 * 1024;
const PART = new Uint8Array(PART_BYTES);

/** Runs `act` on a new connection; a failure of the connection becomes the outcome. */
export async function onConnection(
  client: LoadClient,
  act: (stream: RawStream) => Promise<string>,
): Promise<string> {
  try {
    using stream = await client.connect();
    return await act(stream);
  } catch (error) {
    return failureOf(error);
  }
}

/** Sends a request and reads the head of its response; resolves to the outcome if that is not a 200. */
export async function beginExchange(
  stream: RawStream,
  request: RequestSpec,
): Promise<string | undefined> {
  await stream.write(headOf(request));
  const { line, fields } = parseHead(await stream.readUntil("\r\n\r\n"));
  const [, status] = line.split(" ");
  const [code] = valuesOf(fields, "x-porthole-error");
  if (status === "200") return undefined;
  return code === undefined ? `${status}` : `${status} ${code}`;
}

/** Sends a request on a new connection, and has `read` take the body of a 200; resolves to the outcome. */
function exchange(
  client: LoadClient,
  request: RequestSpec,
  read: (stream: RawStream) => Promise<string>,
): Promise<string> {
  return onConnection(client, async (stream) => {
    const failure = await beginExchange(stream, request);
    if (failure !== undefined) return failure;
    try {
      return await read(stream);
    } catch (error) {
      if (error instanceof Closed) return "200 broken off";
      throw error;
    }
  });
}

async function upload(
  stream: RawStream,
  { request, parts }: { request: RequestSpec; parts: number },
): Promise<string> {
  await stream.write(headOf(request));
  const isChunked = request.headers?.["Transfer-Encoding"] !== undefined;
  try {
    for (let part = 0; part < parts; part++) {
      if (isChunked) await stream.write(`${PART_BYTES.toString(16)}\r\n`);
      await stream.write(PART);
      if (isChunked) await stream.write("\r\n");
    }
    if (isChunked) await stream.write("0\r\n\r\n");
  } catch (error) {
    // The response may come before the end of the upload.
    if (
      !(error instanceof Deno.errors.BrokenPipe) &&
      !(error instanceof Deno.errors.ConnectionReset)
    ) throw error;
  }
  return outcomeOf(
    await readResponse(stream, "POST"),
    (body) => JSON.parse(body).bytes === parts * PART_BYTES,
  );
}

/** Follows an event stream until it ends, `atMost` events have arrived, or `signal` is aborted. */
function follow(
  client: LoadClient,
  { request, atMost, signal }: {
    readonly request: RequestSpec;
    readonly atMost: number;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  return exchange(client, request, async (stream) => {
    let events = 0;
    for await (const chunk of chunks(stream)) {
      events += chunk.split("\n\n").length - 1;
      if (events >= atMost || signal.aborted) return "left";
    }
    return "200";
  });
}

/** The outcomes of most operations. */
const USUAL = {
  expected: ["200"],
  during: { runner_down: [...RUNNER_DOWN, "no answer"] },
};

/** The operations; `statusClient` is one of the gateway's status page. */
export function transfers(
  client: LoadClient,
  statusClient: LoadClient,
): Operation[] {
  return [
    downloadOf(client, "download 256 KiB", { everyMs: 200, atOnce: 4 }, {
      mib: 0.25,
    }),
    downloadOf(client, "download 8 MiB", { everyMs: 5000, atOnce: 2 }, {
      mib: 8,
    }),
    downloadOf(client, "download to a slow reader", {
      everyMs: 2000,
      atOnce: 6,
    }, {
      mib: 4,
      pauseMs: 60,
    }),
    uploadOf(client, "upload 256 KiB", 250, {
      parts: 4,
      framing: { "Content-Length": String(4 * PART_BYTES) },
    }),
    uploadOf(client, "upload 8 MiB", 5000, {
      parts: 128,
      framing: { "Content-Length": String(128 * PART_BYTES) },
    }),
    uploadOf(client, "upload in chunks", 500, {
      parts: 4,
      framing: { "Transfer-Encoding": "chunked" },
    }),
    {
      ...USUAL,
      name: "events to their end",
      everyMs: 1500,
      atOnce: 10,
      expected: ["200", "left"],
      run: (signal) =>
        follow(client, {
          request: {
            host: DEMO,
            path: "/sse?count=40&interval=500",
            headers: ADDRESS,
          },
          atMost: Infinity,
          signal,
        }),
    },
    {
      ...USUAL,
      name: "events until the reader leaves",
      everyMs: 1000,
      atOnce: 10,
      expected: ["left"],
      run: (signal) =>
        follow(client, {
          request: {
            host: LOCKED,
            path: "/sse?interval=500",
            headers: { ...TOKEN_HEADER, ...ADDRESS },
          },
          atMost: 1 + Math.floor(Math.random() * 40),
          signal,
        }),
    },
    {
      name: "status page, watched",
      everyMs: 1000,
      atOnce: 1,
      expected: ["left"],
      run: (signal) =>
        follow(statusClient, {
          request: { host: "127.0.0.1", path: "/events" },
          atMost: 15,
          signal,
        }),
    },
  ];
}

function downloadOf(
  client: LoadClient,
  name: string,
  pace: Pick<Operation, "everyMs" | "atOnce">,
  { mib, pauseMs = 0 }: { mib: number; pauseMs?: number },
): Operation {
  const bytes = mib * MIB;
  const path = `/bytes?size=${bytes}`;
  const headers = { ...TOKEN_HEADER, ...ADDRESS };
  const request = { host: LOCKED, path, headers };
  return {
    ...USUAL,
    ...pace,
    name,
    run: () =>
      exchange(client, request, async (stream) => {
        for (let left = bytes; left > 0; left -= PART_BYTES) {
          await stream.read(Math.min(left, PART_BYTES));
          if (pauseMs > 0) await delay(pauseMs);
        }
        return "200";
      }),
  };
}

function uploadOf(
  client: LoadClient,
  name: string,
  everyMs: number,
  { parts, framing }: { parts: number; framing: Record<string, string> },
): Operation {
  const headers = { ...framing, ...ADDRESS };
  const request = { method: "POST", host: DEMO, path: "/upload", headers };
  return {
    ...USUAL,
    name,
    everyMs,
    atOnce: 4,
    run: () =>
      onConnection(client, (stream) => upload(stream, { request, parts })),
  };
}
