/** Compression by the gateway, tested on the complete service. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type IncomingMessage, request, type RequestListener } from "node:http";
import { createGunzip, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { TestGateway } from "../../../support/gateway.ts";
import { testByNameToo } from "../../../support/named_worlds.ts";

const SCRIPT = "export const answer = 42;\n".repeat(1000);

/** Has an app behind a gateway that compresses, in each world. */
function test(
  name: string,
  app: RequestListener,
  body: (gateway: TestGateway, host: string) => Promise<void>,
): void {
  testByNameToo(name, async (startGateway) => {
    await using gateway = await startGateway({ COMPRESS: "static" });
    await body(gateway, await gateway.serve(app));
  });
}

/** Sends the script, in chunks for `/chunked`. */
const script: RequestListener = ({ url }, response) => {
  response.writeHead(200, {
    "content-type": "text/javascript",
    etag: '"a"',
    vary: "Origin",
    "accept-ranges": "bytes",
    "content-md5": "x",
    ...url !== "/chunked" && { "content-length": SCRIPT.length },
  }).end(SCRIPT);
};

test(
  "a script comes compressed in the coding that its client prefers, and its headers say so",
  script,
  async (gateway, host) => {
    for (
      const [accepted, coding, decoded] of [
        ["gzip, deflate, br, zstd", "zstd", zstdDecompressSync],
        ["gzip, br", "gzip", gunzipSync],
      ] as const
    ) {
      for (const path of ["/", "/chunked"]) {
        const answer = await gateway.send(host, {
          path,
          headers: { "accept-encoding": accepted },
        });
        assert.equal(answer.headers.get("content-encoding"), coding);
        assert.equal(answer.headers.get("vary"), "Origin, Accept-Encoding");
        assert.equal(answer.headers.get("etag"), 'W/"a~coded"');
        assert.equal(answer.headers.get("accept-ranges"), null);
        assert.equal(answer.headers.get("content-md5"), null);
        assert.equal(decoded(answer.bytes).toString(), SCRIPT);
        assert(answer.bytes.length < SCRIPT.length / 10);
      }
    }
  },
);

test(
  "who takes no coding, asks for a part, or asks from a page of another origin gets what the app sent",
  script,
  async (gateway, host) => {
    for (
      const headers of [
        { "accept-encoding": "identity" },
        { "accept-encoding": "gzip;q=0" },
        { "accept-encoding": "gzip", range: "bytes=0-" },
        { "accept-encoding": "gzip", "sec-fetch-site": "cross-site" },
        { "accept-encoding": "gzip", "sec-fetch-site": "same-site" },
        {},
      ]
    ) {
      const answer = await gateway.send(host, { headers });
      assert.equal(answer.headers.get("content-encoding"), null);
      assert.equal(answer.headers.get("content-length"), `${SCRIPT.length}`);
      assert.equal(answer.headers.get("etag"), '"a"');
      assert.equal(answer.body, SCRIPT);
    }
    const own = await gateway.send(host, {
      headers: { "accept-encoding": "gzip", "sec-fetch-site": "same-origin" },
    });
    assert.equal(own.headers.get("content-encoding"), "gzip");
  },
);

test(
  "pages, streams of events, what sets a cookie, and answers to a POST pass as they are",
  ({ url }, response) => {
    response.writeHead(200, {
      "content-type": url?.slice(1),
      ...url === "/text/css" && { "set-cookie": "a=b" },
    }).end(SCRIPT);
  },
  async (gateway, host) => {
    for (
      const [method, type] of [
        ["GET", "text/html"],
        ["GET", "text/event-stream"],
        ["GET", "text/css"],
        ["POST", "application/json"],
      ] as const
    ) {
      const answer = await gateway.send(host, {
        method,
        path: `/${type}`,
        headers: { "accept-encoding": "gzip" },
      });
      assert.equal(answer.headers.get("content-encoding"), null, type);
      assert.doesNotMatch(answer.headers.get("vary") ?? "", /Accept-Enc/, type);
      assert.equal(answer.body, SCRIPT, type);
    }
  },
);

test(
  "HEAD tells what GET would, without a length",
  script,
  async (gateway, host) => {
    const { headers, bytes } = await gateway.send(host, {
      method: "HEAD",
      headers: { "accept-encoding": "gzip" },
    });
    assert.equal(headers.get("content-encoding"), "gzip");
    assert.equal(headers.get("etag"), 'W/"a~coded"');
    assert.equal(headers.get("vary"), "Origin, Accept-Encoding");
    assert.equal(headers.get("content-length"), null);
    assert.equal(bytes.length, 0);
  },
);

/** Compares tags letter by letter, as many apps do; a PUT is for who knows the latest. */
const comparing: RequestListener = (message, response) => {
  const { method, url, headers } = message;
  const etag = url === "/weak" ? 'W/"b"' : '"a"';
  const asked = headers["if-none-match"];
  if (method === "PUT") {
    response.writeHead(headers["if-match"] === etag ? 204 : 412).end();
  } else if (asked === etag) response.writeHead(304, { etag }).end();
  else {
    response.writeHead(200, { etag, "content-type": "application/json" })
      .end(SCRIPT);
  }
};

test(
  "what was compressed is validated and changed by its tag, also at an app that compares letter by letter",
  comparing,
  async (gateway, host) => {
    for (const path of ["/strong", "/weak"]) {
      const accepting = { "accept-encoding": "gzip" };
      const first = await gateway.send(host, { path, headers: accepting });
      assert.equal(first.headers.get("content-encoding"), "gzip");
      const etag = first.headers.get("etag") ?? assert.fail();
      const again = await gateway.send(host, {
        path,
        headers: { ...accepting, "if-none-match": etag },
      });
      assert.equal(again.status, 304);
      assert.equal(again.headers.get("etag"), etag);
    }
    for (const tag of ['"a"', 'W/"a~coded"']) {
      const again = await gateway.send(host, {
        headers: { "accept-encoding": "gzip", "if-none-match": tag },
      });
      assert.equal(again.status, 304);
      assert.equal(again.headers.get("etag"), tag);
      const put = await gateway.send(host, {
        method: "PUT",
        headers: { "if-match": tag },
      });
      assert.equal(put.status, 204);
    }
    const stale = { "if-match": 'W/"old~coded"' };
    const put = await gateway.send(host, { method: "PUT", headers: stale });
    assert.equal(put.status, 412);
  },
);

/** The rest of a slow answer, which is sent once its beginning has arrived. */
let sendRest = () => {};

test(
  "a line of slow JSON arrives, compressed, before the next one is sent",
  (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('["first",\n');
    sendRest = () => void response.end('"second"]');
  },
  async ({ port }, host) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      headers: { host, "accept-encoding": "gzip" },
    });
    asked.end();
    const [response] = await once(asked, "response") as [IncomingMessage];
    assert.equal(response.headers["content-encoding"], "gzip");
    const text = response.pipe(createGunzip());
    const [first] = await once(text, "data");
    assert.equal(String(first), '["first",\n');
    sendRest();
    const rest: Buffer[] = [];
    for await (const part of text) rest.push(part);
    assert.equal(Buffer.concat(rest).toString(), '"second"]');
  },
);
