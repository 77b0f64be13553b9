// deno-lint-ignore-file no-console
/**
 * A plain proxy on the gateway's own HTTP/1.1 client, for the origin in its argument: it forwards headers and bodies,
 * and has no authentication, cache, log or metrics.
 */
import { parseOrigin } from "../../../../src/http/origin.ts";
import { lentBody } from "../../../../src/platform/lent_body.ts";
import {
  type BodyReader,
  bodyReader,
} from "../../../../src/stream/body_reader.ts";
import type { ResponseBody } from "../../../../src/stream/response_body.ts";
import { UpstreamClient } from "../../../../src/upstream/http1/client.ts";
import { UPSTREAM_CONFIG } from "../../../support/upstream.ts";

const url = Deno.args[0] ?? "";
const origin = parseOrigin(url);
const { host } = new URL(url);
const client = new UpstreamClient(UPSTREAM_CONFIG);

/** Longer bodies are lent, as by the gateway, bytes. */
const MAX_COPIED_BYTES = 128 * 1024;

/** What the client sets itself. */
const FRAMING = /^(?:connection|content-length|transfer-encoding)$/;

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(JSON.stringify({ port })),
  onError: () => new Response(null, { status: 502 }),
}, async (request) => {
  const sent: [string, string][] = [];
  request.headers.forEach((value, name) => {
    if (FRAMING.test(name)) return;
    sent.push([name, name === "host" ? host : value]);
  });
  const length = request.headers.get("content-length");
  const { status, headers, body } = await client.request({
    origin,
    method: request.method,
    target: request.url.slice(request.url.indexOf("/", "http://".length)),
    headers: sent,
    body: request.body && bodyReader(request.body),
    contentLength: length === null ? null : Number(length),
    mayGather: () => true,
  });
  const response = new Response(bodyInit(body), { status });
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
});

function bodyInit(body: ResponseBody): BodyInit | null {
  if (body === null) return null;
  if (body instanceof Uint8Array) {
    return body.length > MAX_COPIED_BYTES ? lentBody(body) : body;
  }
  return streamOf(body);
}

function streamOf(body: BodyReader): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const bytes = await body.read();
      if (bytes === null) controller.close();
      else controller.enqueue(bytes);
    },
    cancel: () => body.cancel(),
  }, { highWaterMark: 0 });
}
