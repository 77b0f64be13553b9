import assert from "node:assert/strict";
import type { UpstreamRequest } from "../../../../src/upstream/http1/message.ts";
import type { Script } from "../../../support/scripted_conn.ts";
import {
  bodyOf,
  endlessBody,
  requestOf,
  textOf,
  withCode,
  withScripts,
  withUpstream,
} from "../../../support/upstream.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/**
 * Fills the pool with one request, then sends another, which the server reads but does not answer: it closes the first
 * connection instead. Later connections are served. Returns the methods that the server saw from then on.
 */
async function methodsSeen(
  parts: Partial<UpstreamRequest>,
  check: (body: Promise<string | null>) => Promise<void>,
): Promise<string[]> {
  const seen: string[] = [];
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write(OK);
    if (conn.index > 0) return await conn.closed();
    await conn.readHead();
    conn.close();
  }, async (client, { origin, heads }) => {
    await client.request(requestOf({ origin }));
    await check(
      client.request(requestOf({ origin, ...parts })).then(({ body }) =>
        textOf(body)
      ),
    );
    seen.push(
      ...heads.slice(1).map((head) => head.slice(0, head.indexOf(" "))),
    );
  });
  return seen;
}

Deno.test("request() retries an idempotent request without body if a reused connection dies", async () => {
  for (const method of ["GET", "OPTIONS", "TRACE", "PUT", "DELETE"]) {
    const seen = await methodsSeen(
      { method },
      async (body) => assert.equal(await body, "ok"),
    );
    assert.deepEqual(seen, [method, method]);
  }
  const seen = await methodsSeen(
    { method: "HEAD" },
    async (body) => assert.equal(await body, null),
  );
  assert.deepEqual(seen, ["HEAD", "HEAD"]);
});

Deno.test("request() does not repeat what is not idempotent, or has a body", async () => {
  const lost = (body: Promise<unknown>) =>
    assert.rejects(body, withCode("connection_lost"));
  for (
    const parts of [
      { method: "POST" },
      { method: "POST", contentLength: 0 },
      { method: "PATCH" },
      { method: "get" },
      { method: "PROPFIND" },
      { method: "PUT", body: bodyOf("x"), contentLength: 1 },
      { method: "DELETE", body: endlessBody("x").body },
    ]
  ) {
    assert.deepEqual(await methodsSeen(parts, lost), [parts.method]);
  }
});

Deno.test("request() retries any request of which no byte could be written", async () => {
  const scripts: Script[] = [
    { reads: [OK, { text: "", afterWrites: 2 }], failingWrite: 1 },
    { reads: [{ text: OK, afterWrites: 2 }], then: "silence" },
  ];
  for (
    const [contentLength, sent] of [[null, "4\r\nbody\r\n"], [
      4,
      "body",
    ]] as const
  ) {
    await withScripts(scripts, async (client, conns) => {
      await client.request(requestOf());
      const body = bodyOf("body");
      const response = await client.request(
        requestOf({ method: "POST", body, contentLength }),
      );
      assert.equal(await textOf(response.body), "ok");
      const [first, second] = conns.map((conn) => conn.written);
      assert.equal(first?.includes("POST"), false);
      assert.ok(second?.startsWith("POST "));
      assert.ok(second?.includes(`\r\n\r\n${sent}`));
    });
  }
});

Deno.test("request() does not retry once any byte of a response has arrived", async () => {
  for (
    const part of ["H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"]
  ) {
    const scripts: Script[] = [
      { reads: [OK, { text: part, afterWrites: 2 }] },
      { reads: [OK] },
    ];
    await withScripts(scripts, async (client, [, second]) => {
      await client.request(requestOf());
      await assert.rejects(
        client.request(requestOf()),
        withCode("connection_lost"),
      );
      assert.equal(second?.writes, 0);
    });
  }
});

Deno.test("request() retries once at most", async () => {
  await withUpstream(async (conn) => {
    await conn.readHead();
    if (conn.index === 0) {
      await conn.write(OK);
      await conn.readHead();
    }
    conn.close();
  }, async (client, server) => {
    const { origin } = server;
    await client.request(requestOf({ origin }));
    await assert.rejects(
      client.request(requestOf({ origin })),
      withCode("connection_lost"),
    );
    assert.equal(server.accepted, 2);
    assert.equal(server.heads.length, 3);
  });
});

Deno.test("request() does not retry once it is aborted", async () => {
  const abort = new AbortController();
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write(OK);
    await conn.readHead();
    abort.abort();
    await conn.closed();
  }, async (client, server) => {
    const { origin } = server;
    await client.request(requestOf({ origin }));
    await assert.rejects(
      client.request(requestOf({ origin, signal: abort.signal })),
      withCode("aborted"),
    );
    assert.equal(server.accepted, 1);
  });
});
