/** Responses as our parsers and Node's HTTP client read them: both have to find the same. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { request } from "node:http";
import { type Origin, parseOrigin } from "../../../src/http/origin.ts";
import { bodyDecoder } from "../../../src/upstream/http1/receive_body.ts";
import {
  findHeadEnd,
  parseResponseHead,
} from "../../../src/upstream/http1/response_head.ts";
import { UpstreamError } from "../../../src/upstream/upstream_error.ts";
import { fromLatin1, toLatin1 } from "../../support/latin1.ts";
import { nearlyChunked } from "./bodies.ts";
import { serveConnections } from "./connections.ts";
import { responseHead } from "./heads.ts";
import { asyncProperty, type Property, unless } from "./property.ts";

/** A complete response as a client reads it. */
interface Reading {
  readonly status: number;
  /** Decoded as Latin-1. */
  readonly body: string;
}

interface Message extends Reading {
  /** Its length on the wire, bytes. */
  readonly length: number;
  /** True if only the end of the connection ends it. */
  readonly endsAtClose: boolean;
}

const LIMITS = { maxHeadBytes: 65_536, maxHeaderCount: 200 };

const METHODS = ["GET", "HEAD", "POST"] as const;

/** A response on the wire: valid, malformed, or followed by more bytes. */
const responseBytes: fc.Arbitrary<string> = fc.tuple(
  fc.oneof(
    responseHead,
    fc.constantFrom(
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n",
      "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
    ),
  ),
  fc.oneof(
    nearlyChunked,
    fc.constantFrom("", "content", "HTTP/1.1 200 OK\r\n\r\n"),
  ),
).map((parts) => parts.join(""));

interface RawAnswers extends AsyncDisposable {
  readonly origin: Origin;
  /** The bytes that every new connection is answered with before it is closed. */
  answer: Uint8Array<ArrayBuffer>;
}

/** A server that answers every request head with the same bytes and closes the connection. */
function startRawAnswers(): RawAnswers {
  const server = serveConnections(async (conn) => {
    const buffer = new Uint8Array(4096);
    for (let head = ""; !head.includes("\r\n\r\n");) {
      const count = await conn.read(buffer);
      if (count === null) return;
      head += toLatin1(buffer.subarray(0, count));
    }
    for (let rest = world.answer; rest.length > 0;) {
      rest = rest.subarray(await conn.write(rest));
    }
  });
  const world = {
    ...server,
    origin: parseOrigin(`http://127.0.0.1:${server.port}`),
    answer: new Uint8Array(0),
  };
  return world;
}

/** The response that our parsers find; undefined if it is incomplete. They throw if they reject it. */
function ourMessage(
  bytes: Uint8Array<ArrayBuffer>,
  method: string,
): Message | undefined {
  const end = findHeadEnd(bytes, 0);
  if (end < 0) return undefined;
  const head = parseResponseHead(bytes.subarray(0, end), LIMITS);
  const { status } = head;
  if (status < 200) return undefined;
  const decoder = bodyDecoder(head, method);
  if (decoder === null) {
    return { status, body: "", length: end, endsAtClose: false };
  }
  const { content, consumed } = decoder.decode(bytes.slice(end));
  const { endsAtClose } = decoder;
  return decoder.done || endsAtClose
    ? {
      status,
      body: toLatin1(content),
      length: end + consumed,
      endsAtClose,
    }
    : undefined;
}

/** The response to a request by Node's client; undefined if that fails or the response is incomplete. */
export function nodeReading(
  { hostname, port }: Origin,
  method: string,
): Promise<Reading | undefined> {
  const { promise, resolve } = Promise.withResolvers<Reading | undefined>();
  const sent = request({ hostname, port, method, agent: false }, (response) => {
    const status = response.statusCode ?? 0;
    let body = "";
    response.on("data", (bytes: Uint8Array) => body += toLatin1(bytes));
    response.on("error", () => resolve(undefined));
    response.on("close", () => {
      resolve(response.complete ? { status, body } : undefined);
    });
  });
  sent.on("error", () => resolve(undefined));
  sent.end();
  return promise;
}

/** Properties of responses on the wire. */
export const responseWireProperties: readonly Property[] = [
  asyncProperty(
    "a response that we accept ends at the same byte for Node's client, with the same content",
    fc.record({ method: fc.constantFrom(...METHODS), text: responseBytes }),
    {
      share: 1 / 4,
      start: startRawAnswers,
      async holds({ method, text }, world) {
        const bytes = fromLatin1(text);
        const ours = unless(UpstreamError, () => ourMessage(bytes, method));
        // A response that we reject reaches nobody, so there is nothing to disagree about.
        if (ours === undefined) return;
        const { status, body, length, endsAtClose } = ours;
        world.answer = bytes.subarray(0, length);
        const nodes = await nodeReading(world.origin, method);
        // Node rejects chunk extensions that do not follow the grammar; we skip all of them, up to the end of the line.
        const hasExtension = text.slice(0, length).includes(";");
        if (nodes === undefined && hasExtension) return;
        assert.deepEqual(nodes, { status, body });
        if (endsAtClose) return;
        world.answer = bytes.subarray(0, length - 1);
        assert.equal(await nodeReading(world.origin, method), undefined);
      },
    },
  ),
];
