/** Requests of the upstream client as Node's HTTP parser reads them: they arrive as they were sent. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { listenOnLoopback } from "../../../scripts/stand_in/loopback.ts";
import { type Origin, parseOrigin } from "../../../src/http/origin.ts";
import { bodyReader } from "../../../src/stream/body_reader.ts";
import { UpstreamClient } from "../../../src/upstream/http1/client.ts";
import type { UpstreamRequest } from "../../../src/upstream/http1/message.ts";
import { requestHead } from "../../../src/upstream/http1/request_head.ts";
import { toLatin1 } from "../../support/latin1.ts";
import { requestOf, UPSTREAM_CONFIG } from "../../support/upstream.ts";
import { fieldValue, mutated, TRICKY, trickyTarget } from "./arbitraries.ts";
import { fieldName } from "./heads.ts";
import { asyncProperty, type Property } from "./property.ts";

/** A request as the server read it, decoded as Latin-1. */
interface Received {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** A request for the client to send, with its body in pieces. */
export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly [name: string, value: string][];
  readonly body: readonly Uint8Array<ArrayBuffer>[] | null;
  readonly announced: boolean;
}

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.constantFrom(SMUGGLED, "0\r\n\r\n", `0\r\n\r\n${SMUGGLED}`, "\r\n")
    .map((text) => new TextEncoder().encode(text)),
);

/** Fields that mean something to a server, though not to us. */
const EFFECTIVE = ["expect", "te", "trailer", "content-encoding", "x-a", "_"];

/** Requests that pass the client's own checks. */
export const sendable: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom(
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "PROPFIND",
    "OPTIONS",
  ),
  target: mutated(trickyTarget, [...TRICKY, "http://x/", "*", "HTTP/1.1"])
    .map((target) => `/${target.replace(/[ \t]/g, "")}`),
  fields: fc.array(
    fc.tuple(
      fc.oneof(fieldName, fc.constantFrom(...EFFECTIVE)),
      fc.oneof(fieldValue, fc.constantFrom("chunked", "close", "5", "")),
    ),
    { maxLength: 6 },
  ),
  body: fc.option(
    fc.array(piece, { maxLength: 4 }).map((parts) =>
      parts.map((part) => new Uint8Array(part))
    ),
  ),
  announced: fc.boolean(),
}).filter((sent) => {
  try {
    return requestHead(toRequest(sent, requestOf().origin), {
      upgrade: false,
    }) !== "";
  } catch {
    return false;
  }
});

/** The content of a body, as Latin-1; empty if there is none. */
export function contentOf({ body }: Sent): string {
  return (body ?? []).map(toLatin1).join("");
}

/** The request for `origin`, with a new body. */
export function toRequest(sent: Sent, origin: Origin): UpstreamRequest {
  const { method, target, fields, body, announced } = sent;
  return {
    origin,
    method,
    target,
    headers: [["host", "upstream.test"], ...fields],
    // Copied, since the client may keep the chunks.
    body: body === null
      ? null
      : bodyReader(ReadableStream.from(body.map((part) => part.slice()))),
    contentLength: body === null || !announced ? null : contentOf(sent).length,
  };
}

async function read(message: IncomingMessage): Promise<Received> {
  const { method = "", url = "", rawHeaders } = message;
  const fields: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    fields.push([rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""]);
  }
  let body = "";
  for await (const bytes of message) body += toLatin1(bytes);
  return { method, target: url, fields, body };
}

interface NodeServer extends AsyncDisposable {
  readonly client: UpstreamClient;
  readonly origin: Origin;
  /** The requests received since the last call. */
  take(): Received[];
}

async function startNodeServer(): Promise<NodeServer> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    try {
      received.push(await read(request));
      response.end("ok");
    } catch {
      // The client has aborted, and reports why.
    }
  });
  server.on("checkExpectation", (request, response) => {
    server.emit("request", request, response);
  });
  const { port, ...listening } = await listenOnLoopback(server);
  // Without it, a request that the server misread would be waited for at length.
  const client = new UpstreamClient({
    ...UPSTREAM_CONFIG,
    headerTimeoutMs: 1000,
  });
  return {
    client,
    origin: parseOrigin(`http://127.0.0.1:${port}`),
    take: () => received.splice(0),
    async [Symbol.asyncDispose]() {
      client.close();
      await listening[Symbol.asyncDispose]();
    },
  };
}

/** Properties of requests on the wire. */
export const requestWireProperties: readonly Property[] = [
  asyncProperty(
    "a request arrives at Node's server as one request, with its target, headers and body",
    sendable,
    {
      share: 1 / 4,
      start: startNodeServer,
      async holds(sent, { client, origin, take }) {
        // A smuggled request may arrive after the answer to the one that hid it.
        assert.deepEqual(take(), []);
        const { status } = await client.request(toRequest(sent, origin));
        const [request, ...others] = take();
        assert.deepEqual(others, []);
        // Strict servers refuse bytes beyond ASCII in a target, and so does our own.
        if (status === 400) return assert.match(sent.target, /[\x80-\xff]/);
        const length = contentOf(sent).length;
        assert.deepEqual(request, {
          method: sent.method,
          target: sent.target,
          fields: [
            ["host", "upstream.test"],
            ...sent.fields,
            ...(sent.body === null
              ? []
              : sent.announced
              ? [["content-length", `${length}`]]
              : [["transfer-encoding", "chunked"]]),
          ],
          body: contentOf(sent),
        });
      },
    },
  ),
];
