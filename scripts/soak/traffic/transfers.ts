/** Downloads, uploads and streams of events, from beginning to end. */
import { setTimeout as delay } from "node:timers/promises";
import {
  chunks,
  Closed,
  parseHead,
  type RawStream,
  readResponse,
  valuesOf,
} from "../../../test/support/raw_client.ts";
import {
  type Ask,
  type Client,
  failureOf,
  headOf,
  outcomeOf,
} from "../client.ts";
import type { Operation } from "../lanes.ts";
import { hostOf, PORTS, TOKEN_FIELD } from "../world.ts";
import { RUNNER_DOWN } from "./troubles.ts";

const DEMO = hostOf(PORTS.app, "demo");
const LOCKED = hostOf(PORTS.app, "locked");
const MIB = 1024 * 1024;
const PART_BYTES = 64 * 1024;
const PART = new Uint8Array(PART_BYTES);

/** Between an event and the next one, ms. */
const EVENT_INTERVAL_MS = 500;

/** Does something on a connection of its own, whose failures are outcomes. */
export async function onConnection(
  client: Client,
  act: (stream: RawStream) => Promise<string>,
): Promise<string> {
  try {
    using stream = await client.connect();
    return await act(stream);
  } catch (error) {
    return failureOf(error);
  }
}

/** Sends a request, and reads the head of its answer: the outcome where it is not a 200. */
export async function begin(
  stream: RawStream,
  ask: Ask,
): Promise<string | undefined> {
  await stream.write(headOf(ask));
  const { line, fields } = parseHead(await stream.readUntil("\r\n\r\n"));
  const [, status] = line.split(" ");
  const [code] = valuesOf(fields, "x-porthole-error");
  if (status === "200") return undefined;
  return code === undefined ? `${status}` : `${status} ${code}`;
}

async function download(
  stream: RawStream,
  { ask, bytes, pauseMs }: { ask: Ask; bytes: number; pauseMs: number },
): Promise<string> {
  const other = await begin(stream, ask);
  if (other !== undefined) return other;
  try {
    for (let left = bytes; left > 0; left -= PART_BYTES) {
      await stream.read(Math.min(left, PART_BYTES));
      if (pauseMs > 0) await delay(pauseMs);
    }
    return "200";
  } catch (error) {
    if (error instanceof Closed) return "200 broken off";
    throw error;
  }
}

async function upload(
  stream: RawStream,
  { ask, parts }: { ask: Ask; parts: number },
): Promise<string> {
  await stream.write(headOf(ask));
  const isChunked = ask.fields?.["Transfer-Encoding"] !== undefined;
  try {
    for (let part = 0; part < parts; part++) {
      if (isChunked) await stream.write(`${PART_BYTES.toString(16)}\r\n`);
      await stream.write(PART);
      if (isChunked) await stream.write("\r\n");
    }
    if (isChunked) await stream.write("0\r\n\r\n");
  } catch (error) {
    // An answer may come before the upload has ended.
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

/** Follows a stream of events until it ends, the reader has seen enough, or the load is over. */
async function follow(
  stream: RawStream,
  { ask, atMost, signal }: { ask: Ask; atMost: number; signal: AbortSignal },
): Promise<string> {
  const other = await begin(stream, ask);
  if (other !== undefined) return other;
  let events = 0;
  try {
    for await (const chunk of chunks(stream)) {
      events += chunk.split("id: ").length - 1;
      if (events >= atMost || signal.aborted) return "left";
    }
    return "200";
  } catch (error) {
    if (error instanceof Closed) return "200 broken off";
    throw error;
  }
}

/** All of them. */
export function transfers(client: Client): Operation[] {
  const shared = {
    expected: ["200"],
    during: { runner_down: [...RUNNER_DOWN, "no answer"] },
  };

  function downloading(
    name: string,
    pace: { everyMs: number; atOnce: number },
    { mib, pauseMs = 0 }: { mib: number; pauseMs?: number },
  ): Operation {
    const bytes = mib * MIB;
    const path = `/bytes?size=${bytes}`;
    const ask = { host: LOCKED, path, fields: TOKEN_FIELD };
    return {
      ...shared,
      ...pace,
      name,
      run: () =>
        onConnection(
          client,
          (stream) => download(stream, { ask, bytes, pauseMs }),
        ),
    };
  }

  function uploading(
    name: string,
    everyMs: number,
    { parts, fields }: { parts: number; fields: Record<string, string> },
  ): Operation {
    const ask = { method: "POST", host: DEMO, path: "/upload", fields };
    return {
      ...shared,
      name,
      everyMs,
      atOnce: 4,
      run: () =>
        onConnection(client, (stream) => upload(stream, { ask, parts })),
    };
  }

  return [
    downloading("download 256 KiB", { everyMs: 200, atOnce: 4 }, { mib: 0.25 }),
    downloading("download 8 MiB", { everyMs: 5000, atOnce: 2 }, { mib: 8 }),
    downloading("download to a slow reader", { everyMs: 2000, atOnce: 6 }, {
      mib: 4,
      pauseMs: 60,
    }),
    uploading("upload 256 KiB", 250, {
      parts: 4,
      fields: { "Content-Length": String(4 * PART_BYTES) },
    }),
    uploading("upload 8 MiB", 5000, {
      parts: 128,
      fields: { "Content-Length": String(128 * PART_BYTES) },
    }),
    uploading("upload in chunks", 500, {
      parts: 4,
      fields: { "Transfer-Encoding": "chunked" },
    }),
    {
      ...shared,
      name: "events to their end",
      everyMs: 1500,
      atOnce: 10,
      expected: ["200", "left"],
      run: (signal) =>
        onConnection(client, (stream) => {
          const path = `/sse?count=40&interval=${EVENT_INTERVAL_MS}`;
          const ask = { host: DEMO, path };
          return follow(stream, { ask, atMost: Infinity, signal });
        }),
    },
    {
      ...shared,
      name: "events until the reader leaves",
      everyMs: 1000,
      atOnce: 10,
      expected: ["left"],
      run: (signal) =>
        onConnection(client, (stream) => {
          const path = `/sse?interval=${EVENT_INTERVAL_MS}`;
          const ask = { host: LOCKED, path, fields: TOKEN_FIELD };
          const atMost = 1 + Math.floor(Math.random() * 40);
          return follow(stream, { ask, atMost, signal });
        }),
    },
  ];
}
