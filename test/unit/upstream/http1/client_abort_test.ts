import assert from "node:assert/strict";
import type { BodyReader } from "../../../../src/stream/body_reader.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { scriptedConn } from "../../../support/scripted_conn.ts";
import {
  endlessBody,
  readerOf,
  requestOf,
  textOf,
  withClient,
  withCode,
  withUpstream,
} from "../../../support/upstream.ts";

const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";

Deno.test("request() fails at once if its signal is aborted already", async () => {
  await withClient({}, async (client) => {
    await assert.rejects(
      client.request(requestOf({ signal: AbortSignal.abort() })),
      withCode("aborted"),
    );
    assert.equal(client.stats().open, 0);
  });
});

Deno.test("request() closes the connection at once if it is aborted before the response", async () => {
  const abort = new AbortController();
  const closed = Promise.withResolvers<void>();
  await withUpstream(async (conn) => {
    await conn.readHead();
    abort.abort();
    await conn.closed();
    closed.resolve();
  }, async (client, { origin }) => {
    await assert.rejects(
      client.request(requestOf({ origin, signal: abort.signal })),
      withCode("aborted"),
    );
    assert.equal(client.stats().open, 0);
    await closed.promise;
  });
});

for (const end of ["the request is aborted", "the body is cancelled"]) {
  Deno.test(`request() closes the connection at once if ${end} amid the response body`, async () => {
    for (const reading of [true, false]) {
      const abort = new AbortController();
      const closed = Promise.withResolvers<void>();
      await withUpstream(async (conn) => {
        await conn.readHead();
        await conn.write(`${HEAD}some`);
        await conn.closed();
        closed.resolve();
      }, async (client, { origin }) => {
        const { body } = await client.request(
          requestOf({ origin, signal: abort.signal }),
        );
        const reader = readerOf(body);
        assert.equal((await reader.read())?.length, 4);
        const next = reading
          ? assert.rejects(reader.read(), withCode("aborted"))
          : null;
        if (end === "the body is cancelled") reader.cancel();
        else abort.abort();
        assert.equal(client.stats().open, 0);
        await closed.promise;
        await next;
        // Never null: a body that was given up must not look complete.
        await assert.rejects(reader.read(), withCode("aborted"));
        reader.cancel();
      });
    }
  });
}

Deno.test("request() ends its upload when it is aborted, even while the upstream takes nothing", async () => {
  const full: BodyReader = {
    read: () => Promise.resolve(new Uint8Array(65536)),
    cancel() {},
  };
  for (const body of [endlessBody("some").body, full]) {
    const abort = new AbortController();
    const reached = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    await withUpstream(async (conn) => {
      await conn.readHead();
      reached.resolve();
      await closed.promise;
      await conn.closed();
    }, async (client, { origin }) => {
      const response = client.request(
        requestOf({ origin, method: "POST", body, signal: abort.signal }),
      );
      await reached.promise;
      abort.abort();
      await assert.rejects(response, withCode("aborted"));
      assert.equal(client.stats().open, 0);
      closed.resolve();
    });
  }
});

Deno.test("request() ends its upload when it is aborted amid an early response", async () => {
  const abort = new AbortController();
  const { body, cancelled } = endlessBody("some");
  await withUpstream(async (conn) => {
    await conn.readUntil("some\r\n");
    await conn.write(HEAD);
    await conn.closed();
  }, async (client, { origin }) => {
    const response = await client.request(
      requestOf({ origin, method: "POST", body, signal: abort.signal }),
    );
    abort.abort();
    await cancelled;
    await assert.rejects(textOf(response.body), withCode("aborted"));
  });
});

Deno.test("request() ignores its signal once the response is complete", async () => {
  const abort = new AbortController();
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    await conn.readHead();
    await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    await conn.write("k");
    await conn.closed();
  }, async (client, { origin }) => {
    for (let count = 0; count < 2; count++) {
      const { body } = await client.request(
        requestOf({ origin, signal: abort.signal }),
      );
      assert.equal(await textOf(body), "ok");
    }
    abort.abort();
    assert.deepEqual(client.stats(), { open: 1, idle: 1, active: 0 });
  });
});

Deno.test("request() sends nothing if it is aborted, or the client closed, just after connecting", async () => {
  for (const code of ["aborted", "closed"] as const) {
    const abort = new AbortController();
    const conn = scriptedConn({ reads: [], then: "silence" });
    const connected = Promise.resolve<Deno.Conn>(conn);
    await withClient({ dial: () => connected }, async (client) => {
      // Registered before the client's own reaction, but one promise job later, so it runs right after that.
      connected.then(() => {}).then(() =>
        code === "closed" ? client.close() : abort.abort()
      );
      await assert.rejects(
        client.request(requestOf({ signal: abort.signal })),
        withCode(code),
      );
      assert.equal(conn.closed, true);
      assert.equal(conn.written, "");
      assert.equal(client.stats().open, 0);
    });
  }
});

Deno.test("request() fails as aborted if its dial has closed a connection that came too late", async () => {
  const abort = new AbortController();
  const dialed = Promise.withResolvers<Deno.Conn>();
  const conn = Object.assign(scriptedConn({ reads: [] }), {
    close() {
      throw new Deno.errors.BadResource("closed already");
    },
  });
  await withClient({ dial: () => dialed.promise }, async (client) => {
    const requested = client.request(requestOf({ signal: abort.signal }));
    abort.abort();
    dialed.resolve(conn);
    await assert.rejects(requested, withCode("aborted"));
  });
});

Deno.test("request() does not ask for its late signal if the response head comes soon", async () => {
  using clock = fakeClock();
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    await conn.closed();
  }, async (client, { origin }) => {
    const lateSignal = () => assert.fail("asked for");
    const { body } = await client.request(requestOf({ origin, lateSignal }));
    clock.pass(1000);
    readerOf(body).cancel();
  });
});

Deno.test("request() asks for its late signal once the response head has taken 250 ms, and obeys it", async () => {
  using clock = fakeClock();
  const abort = new AbortController();
  const closed = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await withUpstream(async (conn) => {
    await conn.readHead();
    arrived.resolve();
    await conn.closed();
    closed.resolve();
  }, async (client, { origin }) => {
    let asked = 0;
    const failed = assert.rejects(
      client.request(requestOf({
        origin,
        lateSignal() {
          asked++;
          return abort.signal;
        },
      })),
      withCode("aborted"),
    );
    await arrived.promise;
    clock.pass(249);
    assert.equal(asked, 0);
    clock.pass(1);
    assert.equal(asked, 1);
    clock.pass(250);
    assert.equal(asked, 1);
    abort.abort();
    await failed;
    await closed.promise;
  });
});

Deno.test("request() obeys both of its signals on a reused connection too", async () => {
  using clock = fakeClock();
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write("HTTP/1.1 204 No Content\r\n\r\n");
    await conn.closed();
  }, async (client, { origin }) => {
    for (const late of [true, false]) {
      await client.request(requestOf({ origin }));
      assert.equal(client.stats().idle, 1);
      const abort = new AbortController();
      const failed = assert.rejects(
        client.request(requestOf(
          late
            ? { origin, lateSignal: () => abort.signal }
            : { origin, signal: abort.signal },
        )),
        withCode("aborted"),
      );
      clock.pass(250);
      abort.abort();
      await failed;
      assert.equal(client.stats().open, 0);
    }
  });
});
