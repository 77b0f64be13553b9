import assert from "node:assert/strict";
import { bodyReader } from "../../../../src/stream/body_reader.ts";
import { type Dial, dial } from "../../../../src/upstream/http1/connect.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import type { Script } from "../../../support/scripted_conn.ts";
import {
  fedBody,
  readerOf,
  requestOf,
  textOf,
  turn,
  withClient,
  withCode,
  withScripts,
  withUpstream,
} from "../../../support/upstream.ts";

/** A response whose body comes after its head, on a connection that stays open. */
const OK_AFTER_ITS_HEAD: Script = {
  reads: ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok"],
  then: "silence",
};

Deno.test("request() leaves its body untouched if the upstream refuses the connection", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await withClient({}, async (client) => {
    const origin = { tls: false, hostname: "127.0.0.1", port, key: "k" };
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>();
    await assert.rejects(
      client.request(
        requestOf({ origin, method: "POST", body: bodyReader(body) }),
      ),
      withCode("connect_failed"),
    );
    assert.equal(body.locked, false);
    assert.equal(client.stats().open, 0);
  });
});

/** A dial that never settles, and records its signals. */
function stuckDial(): { dial: Dial; signals: AbortSignal[] } {
  const signals: AbortSignal[] = [];
  return {
    signals,
    dial(_origin, signal) {
      signals.push(signal);
      return new Promise(() => {});
    },
  };
}

Deno.test("request() fails where connecting takes longer than allowed", async () => {
  using clock = fakeClock();
  const stuck = stuckDial();
  await withClient(
    { dial: stuck.dial, connectTimeoutMs: 5000 },
    async (client) => {
      const isAborted = () => stuck.signals.map((signal) => signal.aborted);
      const first = client.request(requestOf());
      clock.pass(250);
      const second = client.request(requestOf());
      clock.pass(4749);
      assert.deepEqual(isAborted(), [false, false]);
      clock.pass(1);
      await assert.rejects(first, withCode("connect_timeout"));
      assert.deepEqual(isAborted(), [true, false]);
      clock.pass(250);
      await assert.rejects(second, withCode("connect_timeout"));
    },
  );
});

Deno.test("request() stops connecting when it is aborted, or when the client is closed", async () => {
  const stuck = stuckDial();
  await withClient({ dial: stuck.dial }, async (client) => {
    const abort = new AbortController();
    const aborted = client.request(requestOf({ signal: abort.signal }));
    const closed = client.request(requestOf());
    abort.abort();
    await assert.rejects(aborted, withCode("aborted"));
    client.close();
    await assert.rejects(closed, withCode("closed"));
    assert.deepEqual(stuck.signals.map((signal) => signal.aborted), [
      true,
      true,
    ]);
  });
});

Deno.test("request() closes a connection that is established after it has failed", async () => {
  const late = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  await withUpstream(async (conn) => {
    await conn.closed();
    closed.resolve();
  }, async (client, { origin }) => {
    const abort = new AbortController();
    const response = client.request(
      requestOf({ origin, signal: abort.signal }),
    );
    abort.abort();
    await assert.rejects(response, withCode("aborted"));
    late.resolve();
    await closed.promise;
  }, {
    async dial(origin) {
      await late.promise;
      return await dial(origin, new AbortController().signal);
    },
  });
});

Deno.test("request() fails where the final response head is late, interim ones notwithstanding", async () => {
  using clock = fakeClock();
  const scripts = [{
    reads: ["HTTP/1.1 102 Processing\r\n\r\n"],
    then: "silence",
  }] as const;
  await withScripts(scripts, async (client, [conn]) => {
    const response = client.request(requestOf());
    await turn();
    clock.pass(999);
    assert.equal(conn?.closed, false);
    clock.pass(1);
    await assert.rejects(response, withCode("header_timeout"));
    assert.equal(conn?.closed, true);
  }, { headerTimeoutMs: 1000 });
});

Deno.test("request() waits forever for a response body, and for a head if there is no time limit", async () => {
  using clock = fakeClock();
  await withScripts([OK_AFTER_ITS_HEAD], async (client) => {
    const { body } = await client.request(requestOf());
    clock.pass(1_000_000);
    assert.equal(await textOf(body), "ok");
  }, { headerTimeoutMs: 1000 });

  await withScripts(
    [{ reads: [], then: "silence" }],
    async (client, [conn]) => {
      const response = client.request(requestOf());
      await turn();
      clock.pass(1_000_000);
      assert.equal(conn?.closed, false);
      client.close();
      await assert.rejects(response, withCode("closed"));
    },
    { headerTimeoutMs: 0 },
  );
});

Deno.test("the time limit of a response head begins when the upload ends", async () => {
  using clock = fakeClock();
  const { body: upload, writer } = fedBody();
  await withScripts(
    [{ reads: [], then: "silence" }],
    async (client, [conn]) => {
      const response = client.request(
        requestOf({ method: "POST", body: upload }),
      );
      await writer.write(new TextEncoder().encode("some"));
      clock.pass(5000);
      assert.equal(conn?.closed, false);

      await writer.close();
      await turn();
      assert.match(conn?.written ?? "", /\r\n0\r\n\r\n$/);
      clock.pass(999);
      assert.equal(conn?.closed, false);
      clock.pass(1);
      await assert.rejects(response, withCode("header_timeout"));
    },
    { headerTimeoutMs: 1000 },
  );
});

Deno.test("request() fails if its upload stalls; each part of the body restarts the clock", async () => {
  using clock = fakeClock();
  const { body: upload, writer } = fedBody();
  await withScripts(
    [{ reads: [], then: "silence" }],
    async (client, [conn]) => {
      const response = client.request(
        requestOf({ method: "POST", body: upload }),
      );
      await turn();
      for (let part = 0; part < 3; part++) {
        clock.pass(750);
        assert.equal(conn?.closed, false);
        await writer.write(new TextEncoder().encode("more"));
        await turn();
      }
      clock.pass(999);
      assert.equal(conn?.closed, false);
      clock.pass(1);
      await assert.rejects(response, withCode("upload_stalled"));
    },
    { bodyIdleTimeoutMs: 1000 },
  );
});

Deno.test("an upstream that takes no more of an upload ends the exchange, although its response has begun", async () => {
  using clock = fakeClock();
  for (const afterWrites of [1, 2]) {
    const { body: upload, writer } = fedBody();
    const text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no";
    const reads = [{ text, afterWrites }];
    await withScripts(
      [{ reads, then: "silence", stuckWrite: 1 }],
      async (client, [conn]) => {
        const response = client.request(
          requestOf({ method: "POST", body: upload }),
        );
        await writer.write(new TextEncoder().encode("some"));
        const reader = readerOf((await response).body);
        assert.equal((await reader.read())?.length, 1);
        await turn();
        clock.pass(999);
        assert.equal(conn?.closed, false);
        clock.pass(1);
        await assert.rejects(reader.read(), withCode("header_timeout"));
        assert.equal(conn?.closed, true);
      },
      { headerTimeoutMs: 100, bodyIdleTimeoutMs: 1000 },
    );
  }
});

Deno.test("no other time limit applies to an upload or a response once the response has begun", async () => {
  using clock = fakeClock();
  const { body: upload, writer } = fedBody();
  await withScripts([OK_AFTER_ITS_HEAD], async (client, [conn]) => {
    const { body } = await client.request(
      requestOf({ method: "POST", body: upload }),
    );
    await writer.write(new TextEncoder().encode("some"));
    clock.pass(1_000_000);
    assert.equal(conn?.closed, false);
    await writer.close();
    await turn();
    assert.match(conn?.written ?? "", /\r\n0\r\n\r\n$/);
    clock.pass(1_000_000);
    assert.equal(conn?.closed, false);
    assert.equal(await textOf(body), "ok");
  }, { headerTimeoutMs: 1000, bodyIdleTimeoutMs: 1000 });
});
