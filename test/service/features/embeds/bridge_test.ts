/** The bridge of embeds: what becomes of an app's pages, and of nothing else, tested on the complete service. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import {
  type IncomingMessage,
  request,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { gzipSync } from "node:zlib";
import {
  BRIDGE,
  bridgeElement,
} from "../../../../src/features/embeds/bridge/bridge_shape.ts";
import type { TestGateway } from "../../../support/gateway.ts";
import { WORLDS } from "../../../support/worlds.ts";
import {
  BUILDER,
  frameOf,
  makeEmbed,
  startEmbedGateway,
} from "./embed_gateway.ts";

/** The app's page, and that with the script. */
const PAGE =
  "<!doctype html><html><head><title>App</title></head><body>It</body></html>";
const ELEMENT = bridgeElement({ ancestors: [BUILDER], bridge: ["errors"] });
const BRIDGED = PAGE.replace("<head>", `<head>${ELEMENT}`);

/** What a browser sends for a link in the frame. */
const NAVIGATION = {
  "accept-encoding": "gzip",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "iframe",
};

const POLICY = "default-src 'self'";

/** Answers with the page, compressed if that is allowed, as what its path says. */
function app({ url, headers }: IncomingMessage, response: ServerResponse) {
  const isCoded = headers["accept-encoding"] === "gzip";
  const body = isCoded ? gzipSync(PAGE) : Buffer.from(PAGE);
  response.writeHead(200, {
    "content-type": url === "/text" ? "text/plain" : "text/html",
    "content-length": body.length,
    "content-security-policy": POLICY,
    etag: '"a"',
    ...isCoded && { "content-encoding": "gzip" },
  }).end(body);
}

interface Framed {
  readonly gateway: TestGateway;
  readonly host: string;
  /** The headers of a page in the frame. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Has an app in a frame of the builder's, in each world. */
function test(
  name: string,
  { listener = app, bridge }: {
    readonly listener?: RequestListener;
    readonly bridge?: readonly string[];
  },
  body: (framed: Framed) => Promise<void>,
): void {
  for (const { suffix, startGateway, memberKey } of WORLDS) {
    Deno.test(name + suffix, async () => {
      const environment = { EMBED_BRIDGE: "true" };
      await using gateway = await startEmbedGateway(startGateway, environment);
      const host = await gateway.serve(listener, "locked");
      const { url } = await makeEmbed(gateway, memberKey, {
        port: 8000,
        ...bridge && { bridge },
      });
      await body({ gateway, host, headers: await frameOf(gateway, url) });
    });
  }
}

test(
  "a page that the frame loads has the script, which its policy allows; a fetch gets what the app sends",
  { bridge: ["errors"] },
  async ({ gateway, host, headers }) => {
    const page = await gateway.send(host, {
      headers: { ...headers, ...NAVIGATION, "if-none-match": '"a"' },
    });
    assert.equal(page.body, BRIDGED);
    assert.equal(page.headers.get("content-encoding"), null);
    assert.equal(page.headers.get("etag"), 'W/"a"');
    assert.ok(
      page.headers.get("content-security-policy")
        ?.startsWith(`${POLICY} ${BRIDGE.source}`),
    );
    const fetched = await gateway.send(host, {
      headers: {
        ...headers,
        ...NAVIGATION,
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
      },
    });
    assert.deepEqual(fetched.bytes, new Uint8Array(gzipSync(PAGE)));
    assert.equal(fetched.headers.get("etag"), '"a"');
    const text = await gateway.send(host, {
      path: "/text",
      headers: { ...headers, ...NAVIGATION },
    });
    assert.equal(text.body, PAGE);
    assert.equal(text.headers.get("content-length"), String(PAGE.length));
  },
);

test(
  "without a bridge, a page that the frame loads is byte for byte the app's",
  {},
  async ({ gateway, host, headers }) => {
    const page = await gateway.send(host, {
      headers: { ...headers, ...NAVIGATION },
    });
    assert.deepEqual(page.bytes, new Uint8Array(gzipSync(PAGE)));
    assert.equal(page.headers.get("content-encoding"), "gzip");
    assert.equal(page.headers.get("etag"), '"a"');
  },
);

/** The rest of a page of 5 MiB, which is sent once its beginning has arrived. */
const REST = Buffer.alloc(5 * 1024 * 1024, "x");
const arrivals: (() => void)[] = [];

test(
  "a page of 5 MiB streams through the bridge: its beginning is there before its end exists",
  {
    bridge: ["errors"],
    listener: (_, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.write("<!doctype html><html><he");
      arrivals.push(() => void response.write("ad><title>"));
      arrivals.push(() => void response.end(REST));
    },
  },
  async ({ gateway: { port }, host, headers }) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      headers: { ...headers, ...NAVIGATION, host },
    });
    asked.end();
    const [response] = await once(asked, "response") as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) {
      chunks.push(chunk);
      arrivals.shift()?.();
    }
    const text = Buffer.concat(chunks).toString("latin1");
    const beginning = `<!doctype html><html><head>${ELEMENT}<title>`;
    assert.ok(text.startsWith(beginning));
    assert.equal(text.length, beginning.length + REST.length);
    assert.ok(chunks.length > 3);
  },
);
