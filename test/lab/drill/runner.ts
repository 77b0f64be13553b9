// deno-lint-ignore-file no-console
/**
 * A runner in a process of its own, which a drill suspends, slows down and kills. The end of the path selects the
 * response: `/` a page, `/drip` twenty of them within two seconds, `/drip/N` so many, `/events/N` so many without a length,
 * `/hang` none at all, `/ws` an echoing WebSocket; and `/delay/MS` slows all pages down by so many milliseconds from then
 * on.
 */
import { setTimeout as delay } from "node:timers/promises";

const PAGE = new Uint8Array(1024).fill(0x61);
const PART_MS = 100;

let delayMs = 0;

function drip(parts: number, hasLength: boolean): Response {
  let sent = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      await delay(PART_MS);
      controller.enqueue(PAGE);
      if (++sent === parts) controller.close();
    },
  }, { highWaterMark: 0 });
  const headers = hasLength
    ? { "content-length": String(parts * PAGE.length) }
    : { "content-type": "text/event-stream" };
  return new Response(body, { headers });
}

function echo(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
}, async (request) => {
  const [, what = "", value] = /\/(drip|events|hang|ws|delay)?(?:\/(\d+))?$/
    .exec(request.url) ?? [];
  switch (what) {
    case "drip":
    case "events":
      return drip(Number(value ?? 20), what === "drip");
    case "hang":
      return await Promise.withResolvers<Response>().promise;
    case "ws":
      return echo(request);
    case "delay":
      delayMs = Number(value);
      return new Response(null, { status: 204 });
    default:
      await request.arrayBuffer(); // a form is read before it is answered
      if (delayMs > 0) await delay(delayMs);
      return new Response(PAGE);
  }
});
