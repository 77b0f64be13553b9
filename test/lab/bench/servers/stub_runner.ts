// deno-lint-ignore-file no-console
/**
 * A runner that responds at once, so that the proxy in front of it is measured. The end of the path selects the
 * response: `/` 1 KiB, `/bytes/SIZE` that many bytes, `/chunked/SIZE` the same without a Content-Length, `/upload` the
 * length of the request body, `/echo` an echoing WebSocket, `/events` server-sent events with the time at which they were
 * sent, `/drip/SIZE` that many bytes, 1 KiB every 5 ms.
 */
import { setTimeout as delay } from "node:timers/promises";

const HEADERS = { "content-type": "text/plain" };
const KIB = new Uint8Array(1024).fill(0x61);
const CHUNK = new Uint8Array(64 * 1024).fill(0x62);
/** Larger bodies are streamed. */
const MAX_CACHED_BYTES = 1024 * 1024;

const bodies = new Map<number, Uint8Array<ArrayBuffer>>();

function bytes(size: number): Response {
  if (size > MAX_CACHED_BYTES) return stream(size);
  let body = bodies.get(size);
  if (body === undefined) {
    bodies.set(size, body = new Uint8Array(size).fill(0x62));
  }
  return new Response(body, { headers: HEADERS });
}

function stream(size: number): Response {
  return new Response(chunksOf(size), {
    headers: { ...HEADERS, "content-length": `${size}` },
  });
}

function chunksOf(size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      controller.enqueue(chunk);
      left -= chunk.length;
      if (left === 0) controller.close();
    },
  }, { highWaterMark: 0 });
}

const DRIP_MS = 5;

/** With its length, but in small parts. */
function drip(size: number): Response {
  let left = size;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (left < size) await delay(DRIP_MS);
      controller.enqueue(KIB);
      left -= KIB.length;
      if (left <= 0) controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: { ...HEADERS, "content-length": `${size}` },
  });
}

async function takeUpload({ body }: Request): Promise<Response> {
  let size = 0;
  for await (const chunk of body ?? []) size += chunk.length;
  return new Response(`${size}`, { headers: HEADERS });
}

function echo(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: 0,
  });
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

const EVERY_MS = 10;
const EVENT_HEADERS = { "content-type": "text/event-stream" };

/** Milliseconds since the epoch, with the fractions that Date.now() lacks. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}

function events(): Response {
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval>;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      timer = setInterval(() => {
        controller.enqueue(encoder.encode(`data: ${preciseNow()}\n\n`));
      }, EVERY_MS);
    },
    cancel: () => clearInterval(timer),
  });
  return new Response(body, { headers: EVENT_HEADERS });
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  automaticCompression: false,
  onError: () => new Response(null, { status: 500 }), // who sent it has left
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, (request) => {
  const { url } = request;
  if (url.endsWith("/")) return new Response(KIB, { headers: HEADERS });
  const [, what, size] =
    /\/(bytes|chunked|drip|upload|echo|events)(?:\/(\d+))?$/.exec(url) ?? [];
  switch (what) {
    case "bytes":
      return bytes(Number(size));
    case "chunked":
      return new Response(chunksOf(Number(size)), { headers: HEADERS });
    case "drip":
      return drip(Number(size));
    case "upload":
      return takeUpload(request);
    case "echo":
      return echo(request);
    case "events":
      return events();
    default:
      return new Response(null, { status: 404 });
  }
});
