import assert from "node:assert/strict";
import { createFetch } from "../../../../src/upstream/http1/fetch.ts";
import {
  answerAll,
  withCode,
  withUpstream,
} from "../../../support/upstream.ts";

Deno.test("a fetch by the client sends the URL's target and the headers, and asks for no content coding", async () => {
  await withUpstream(answerAll, async (client, { origin, heads }) => {
    const response = await createFetch(client)(
      new Request(`${origin.key}/a/b%20c?d=e`, { headers: { x: "y" } }),
    );
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "ok");
    const host = origin.key.slice("http://".length);
    assert.deepEqual(heads, [
      `GET /a/b%20c?d=e HTTP/1.1\r\nhost: ${host}\r\n` +
      `accept-encoding: identity\r\nuser-agent: ${navigator.userAgent}\r\n` +
      "x: y\r\n\r\n",
    ]);
  });
});

Deno.test("a fetch by the client returns a redirect and a refusal as they are, and uses its connection again", async () => {
  const location = "http://127.0.0.1:9/elsewhere";
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write(
      `HTTP/1.1 307 Away\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`,
    );
    await conn.readHead();
    await conn.write(
      "HTTP/1.1 403 No\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n" +
        "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n",
    );
    await conn.closed();
  }, async (client, server) => {
    const fetchBy = createFetch(client);
    const url = `${server.origin.key}/`;
    const redirect = await fetchBy(new Request(url, { redirect: "manual" }));
    assert.equal(redirect.status, 307);
    assert.equal(redirect.headers.get("location"), location);
    assert.equal(await redirect.text(), "");
    const refusal = await fetchBy(new Request(url));
    assert.equal(refusal.status, 403);
    assert.deepEqual(refusal.headers.getSetCookie(), ["a=1", "b=2"]);
    await refusal.body?.cancel();
    assert.equal(server.accepted, 1);
  });
});

Deno.test("a fetch by the client sends a body, and reads one that comes in parts", async () => {
  await withUpstream(async (conn) => {
    await conn.readHead();
    assert.equal(await conn.readUntil("0\r\n\r\n"), "2\r\nhi\r\n0\r\n\r\n");
    await conn.write("HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n");
    await conn.write("3\r\nabc\r\n");
    await conn.write("3\r\ndef\r\n0\r\n\r\n");
    await conn.closed();
  }, async (client, { origin }) => {
    const request = new Request(origin.key, { method: "POST", body: "hi" });
    const response = await createFetch(client)(request);
    assert.equal(response.status, 201);
    assert.equal(await response.text(), "abcdef");
  });
});

Deno.test("a fetch by the client ends when its signal aborts, before the response and amid it", async () => {
  await withUpstream(async (conn) => {
    if (conn.index === 1) {
      await conn.readHead();
      await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    }
    await conn.closed();
  }, async (client, { origin }) => {
    for (const isAnswered of [false, true]) {
      const abort = new AbortController();
      const { signal } = abort;
      const pending = createFetch(client)(new Request(origin.key, { signal }));
      if (isAnswered) {
        const { body } = await pending;
        abort.abort();
        await assert.rejects(new Response(body).text(), withCode("aborted"));
      } else {
        abort.abort();
        await assert.rejects(pending, withCode("aborted"));
      }
    }
  });
});

Deno.test("a fetch by the client says of a POST without a body that it has none", async () => {
  await withUpstream(answerAll, async (client, { origin, heads }) => {
    const request = new Request(`${origin.key}/`, { method: "POST" });
    assert.equal((await createFetch(client)(request)).status, 200);
    assert.match(heads[0] ?? "", /\r\ncontent-length: 0\r\n/);
  });
});

Deno.test("a fetch by the client fails, and closes the connection, for a status that no Response may have", async () => {
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write("HTTP/1.1 700 ?\r\nTransfer-Encoding: chunked\r\n\r\n");
    await conn.closed();
  }, async (client, { origin }) => {
    const request = new Request(`${origin.key}/`);
    await assert.rejects(createFetch(client)(request), RangeError);
    assert.equal(client.stats().open, 0);
  });
});
