import assert from "node:assert/strict";
import { fakeClock } from "../../../support/fake_clock.ts";
import { withRawServer } from "../../../support/raw_server.ts";
import type { Script } from "../../../support/scripted_conn.ts";
import {
  answerAll,
  bodyOf,
  requestOf,
  textOf,
  turn,
  withCode,
  withScripts,
  withUpstream,
} from "../../../support/upstream.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Deno.test("request() reuses an idle connection", async () => {
  await withUpstream(answerAll, async (client, server) => {
    const { origin } = server;
    for (let count = 0; count < 3; count++) {
      await client.request(requestOf({ origin }));
    }
    assert.equal(server.accepted, 1);
    assert.deepEqual(client.stats(), { open: 1, idle: 1, active: 0 });
  });
});

Deno.test("totals() counts opened connections and requests on reused ones", async () => {
  await withUpstream(answerAll, async (client, { origin }) => {
    assert.deepEqual(client.totals(), { opened: 0, reused: 0 });
    await client.request(requestOf({ origin }));
    await client.request(requestOf({ origin }));
    await client.request(requestOf({ origin }));
    assert.deepEqual(client.totals(), { opened: 1, reused: 2 });
    await client.upgrade(
      requestOf({ origin, headers: [["host", "a"], ["upgrade", "x"]] }),
    );
    assert.deepEqual(client.totals(), { opened: 2, reused: 2 });
    client.close();
    assert.deepEqual(client.totals(), { opened: 2, reused: 2 });
  });
  await withScripts([], async (client) => {
    await assert.rejects(client.request(requestOf()));
    assert.deepEqual(client.totals(), { opened: 0, reused: 0 });
  });
});

Deno.test("request() closes a connection that the response does not let persist", async () => {
  for (
    const response of [
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
    ]
  ) {
    await withScripts(
      [{ reads: [response], then: "silence" }],
      async (client, [conn]) => {
        await client.request(requestOf());
        assert.equal(conn?.closed, true);
        assert.equal(client.stats().open, 0);
      },
    );
  }
  const keepAlive =
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok";
  await withScripts(
    [{ reads: [keepAlive], then: "silence" }],
    async (client) => {
      await client.request(requestOf());
      assert.equal(client.stats().idle, 1);
    },
  );
});

Deno.test("request() never reuses a connection that received bytes after its response", async () => {
  const smuggled = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  for (
    const script of [
      { reads: [OK + smuggled], then: "silence" },
      { reads: [OK, smuggled], then: "silence" },
      { reads: [OK, "\r\n"], then: "silence" },
      { reads: [OK], then: "end" },
    ] satisfies Script[]
  ) {
    await withScripts(
      [script, { reads: [OK], then: "silence" }],
      async (client, [conn]) => {
        await client.request(requestOf());
        // Bytes that arrive while the connection is idle are noticed at once.
        await turn();
        assert.equal(conn?.closed, true);
        assert.equal(client.stats().open, 0);
        assert.equal(
          await textOf((await client.request(requestOf())).body),
          "ok",
        );
      },
    );
  }
});

Deno.test("UpstreamClient drops a connection that the upstream closes while it is idle", async () => {
  const closing = Promise.withResolvers<void>();
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write(OK);
    if (conn.index > 0) return await conn.closed();
    await closing.promise;
    conn.close();
  }, async (client, server) => {
    const { origin } = server;
    await client.request(requestOf({ origin }));
    closing.resolve();
    while (client.stats().open > 0) await turn();
    const body = bodyOf("x");
    await client.request(
      requestOf({ origin, method: "POST", body, contentLength: 1 }),
    );
    assert.equal(server.accepted, 2);
    assert.equal(server.heads.length, 2);
  });
});

Deno.test("UpstreamClient drops idle connections after their time, at the next request or within 250 ms", async () => {
  using clock = fakeClock();
  await withUpstream(answerAll, async (client, server) => {
    const { origin } = server;
    await client.request(requestOf({ origin }));
    clock.pass(29_999);
    await client.request(requestOf({ origin }));
    assert.equal(server.accepted, 1);

    clock.pass(30_000);
    await client.request(requestOf({ origin }));
    assert.equal(server.accepted, 2);
    assert.deepEqual(client.stats(), { open: 1, idle: 1, active: 0 });

    clock.pass(29_999);
    assert.deepEqual(client.stats(), { open: 1, idle: 1, active: 0 });
    clock.pass(250);
    assert.deepEqual(client.stats(), { open: 0, idle: 0, active: 0 });
  });
});

Deno.test("UpstreamClient reuses a connection only for its own origin", async () => {
  await withRawServer(answerAll, async (other) => {
    await withUpstream(answerAll, async (client, server) => {
      await client.request(requestOf({ origin: server.origin }));
      await client.request(requestOf({ origin: other.origin }));
      assert.equal(server.accepted, 1);
      assert.equal(other.accepted, 1);
      assert.equal(client.stats().idle, 2);
    });
  });
});

Deno.test("close() closes idle and active connections, and later requests fail", async () => {
  const closed: number[] = [];
  await withUpstream(async (conn) => {
    await conn.readHead();
    if (conn.index === 0) await conn.write(OK);
    else await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome");
    await conn.closed();
    closed.push(conn.index);
  }, async (client, { origin }) => {
    const idle = await client.request(requestOf({ origin }));
    assert.equal(await textOf(idle.body), "ok");
    // Two at once, so that one needs a new connection.
    const [, active] = await Promise.allSettled([
      client.request(requestOf({ origin, signal: AbortSignal.abort() })),
      client.upgrade(
        requestOf({ origin, headers: [["host", "a"], ["upgrade", "x"]] }),
      ),
    ]);
    assert.ok(
      active.status === "fulfilled" && active.value.kind === "response",
    );
    assert.deepEqual(client.stats(), { open: 2, idle: 1, active: 1 });

    client.close();
    assert.deepEqual(client.stats(), { open: 0, idle: 0, active: 0 });
    await assert.rejects(
      textOf(active.value.response.body),
      withCode("closed"),
    );
    await assert.rejects(
      client.request(requestOf({ origin })),
      withCode("closed"),
    );
    while (closed.length < 2) await turn();
  });
});
