/** Requests of the upstream client through nginx, as the server behind it receives them. */
import assert from "node:assert/strict";
import { type Origin, parseOrigin } from "../../../src/http/origin.ts";
import { UpstreamClient } from "../../../src/upstream/http1/client.ts";
import { freePort } from "../../support/free_port.ts";
import { toLatin1 } from "../../support/latin1.ts";
import { nginxCommand } from "../../support/nginx.ts";
import { startServerProcess } from "../../support/server_process.ts";
import { UPSTREAM_CONFIG } from "../../support/upstream.ts";
import { serveConnections } from "./connections.ts";
import { asyncProperty, type Property } from "./property.ts";
import { contentOf, sendable, toRequest } from "./requests_wire.ts";

/** Each run makes its own folder in this one. */
const FOLDER = "data/fuzz";

const START_TIMEOUT_MS = 2000;

interface Recorder extends AsyncDisposable {
  readonly port: number;
  /** Returns the bytes that each connection has received since the last call. */
  take(): string[];
}

/** Starts a server that records the bytes of each connection, and answers the first request on it. */
function startRecorder(): Recorder {
  const records: string[] = [];
  const server = serveConnections(async (conn) => {
    const index = records.push("") - 1;
    const buffer = new Uint8Array(16_384);
    let bytes = "";
    while (!isComplete(bytes)) {
      const count = await conn.read(buffer);
      if (count === null) break;
      bytes += toLatin1(buffer.subarray(0, count));
    }
    records[index] = bytes;
    await conn.write(ANSWER);
  });
  return { ...server, take: () => records.splice(0) };
}

const ANSWER = new TextEncoder().encode(
  "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
);

/** True if a request is complete: nginx buffers it, and so always sends its Content-Length. */
function isComplete(bytes: string): boolean {
  const end = bytes.indexOf("\r\n\r\n") + 4;
  if (end < 4) return false;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(bytes.slice(0, end));
  return bytes.length >= end + Number(length?.[1] ?? 0);
}

interface NginxWorld extends AsyncDisposable {
  readonly client: UpstreamClient;
  readonly origin: Origin;
  readonly recorder: Recorder;
}

async function startNginx(): Promise<NginxWorld> {
  await using started = new AsyncDisposableStack();
  const recorder = started.use(startRecorder());
  await Deno.mkdir(FOLDER, { recursive: true });
  const folder = await Deno.realPath(await Deno.makeTempDir({ dir: FOLDER }));
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const port = freePort();
  const command = await nginxCommand(
    folder,
    `
  access_log off;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${recorder.port}; }
  }`,
  );
  started.use(
    await startServerProcess({ command, port, timeoutMs: START_TIMEOUT_MS }),
  );
  // nginx would wait for the rest of a request that it misunderstands.
  const client = new UpstreamClient({
    ...UPSTREAM_CONFIG,
    headerTimeoutMs: 1000,
  });
  started.defer(() => client.close());
  const owned = started.move();
  return {
    client,
    recorder,
    origin: parseOrigin(`http://127.0.0.1:${port}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Refusals for nginx's own reasons: a path that climbs above the root, a method or a field that it finds invalid. */
const REFUSALS = new Set([400, 405, 414]);

/** Properties of requests as nginx understands them. */
export const nginxProperties: readonly Property[] = [
  asyncProperty(
    "nginx forwards a request of the client as one request, with its method, target and body, or refuses it",
    sendable,
    {
      share: 1 / 8,
      start: startNginx,
      async holds(sent, { client, origin, recorder }) {
        // A smuggled request may arrive after the response to the one that carried it.
        assert.deepEqual(recorder.take(), []);
        const { status } = await client.request(toRequest(sent, origin));
        const [bytes, ...others] = recorder.take();
        assert.deepEqual(others, []);
        if (bytes === undefined) {
          return assert.ok(REFUSALS.has(status), `answered with ${status}`);
        }
        const end = bytes.indexOf("\r\n\r\n");
        const [line, ...fields] = bytes.slice(0, end).split("\r\n");
        assert.equal(line, `${sent.method} ${sent.target} HTTP/1.0`);
        assert.equal(bytes.slice(end + 4), contentOf(sent));
        const known = new Set(sent.fields.map((field) => field.join(": ")));
        for (const field of fields) {
          const isNginxs = /^(?:host|connection|content-length): /i.test(field);
          assert.ok(isNginxs || known.has(field), field);
        }
      },
    },
  ),
];
