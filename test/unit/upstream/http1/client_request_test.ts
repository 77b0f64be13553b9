import assert from "node:assert/strict";
import {
  type BodyReader,
  bodyReader,
} from "../../../../src/stream/body_reader.ts";
import type { UpstreamRequest } from "../../../../src/upstream/http1/message.ts";
import {
  bodyOf,
  endlessBody,
  fedBody,
  readerOf,
  requestOf,
  textOf,
  turn,
  withCode,
  withScripts,
  withUpstream,
} from "../../../support/upstream.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

Deno.test("request() sends a head in one write, byte for byte", async () => {
  const target = "/a/../%2e%2e/?q=%zz;\xff\"'";
  await withScripts(
    [{ reads: [OK], then: "silence" }],
    async (client, [conn]) => {
      await client.request(
        requestOf({ target, headers: [["hOsT", "a:1"], ["X-~", "\xe9\t"]] }),
      );
      assert.equal(
        conn?.written,
        `GET ${target} HTTP/1.1\r\nhOsT: a:1\r\nX-~: \xe9\t\r\n\r\n`,
      );
      assert.equal(conn?.writes, 1);
    },
  );
});

Deno.test("request() sends all of a head even if each write takes only a part of it", async () => {
  const value = "y".repeat(3000);
  const script = {
    reads: [{ text: OK, afterWrites: 5 }],
    then: "silence",
    writeSize: 700,
  } as const;
  await withScripts([script], async (client, [conn]) => {
    await client.request(requestOf({ headers: [["host", "a"], ["x", value]] }));
    assert.equal(
      conn?.written,
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${value}\r\n\r\n`,
    );
    assert.equal(client.stats().idle, 1);
  });
});

Deno.test("request() sends a body of declared length as it is", async () => {
  await withUpstream(async (conn) => {
    const head = await conn.readHead();
    assert.equal(
      head,
      "POST / HTTP/1.1\r\nhost: upstream.test\r\ncontent-length: 11\r\n\r\n",
    );
    assert.equal(await conn.readUntil("world"), "hello world");
    await conn.write(OK);
    await conn.closed();
  }, async (client, { origin }) => {
    const body = bodyOf("hello", "", " world");
    const { status } = await client.request(
      requestOf({ origin, method: "POST", body, contentLength: 11 }),
    );
    assert.equal(status, 200);
    assert.equal(client.stats().idle, 1);
  });
});

Deno.test("request() sends a body of unknown length in chunks, of which only the last is empty", async () => {
  await withUpstream(async (conn) => {
    const head = await conn.readHead();
    assert.equal(
      head,
      "PUT / HTTP/1.1\r\nhost: upstream.test\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    assert.equal(
      await conn.readUntil("\r\n0\r\n\r\n"),
      `5\r\nhello\r\n14\r\n${"x".repeat(20)}\r\n0\r\n\r\n`,
    );
    await conn.write(OK);
    await conn.closed();
  }, async (client, { origin }) => {
    const body = bodyOf("hello", "", "x".repeat(20));
    await client.request(requestOf({ origin, method: "PUT", body }));
    assert.equal(client.stats().idle, 1);
  });
});

Deno.test("request() frames an empty body by its declared length, or as one empty chunk", async () => {
  await withUpstream(async (conn) => {
    assert.match(await conn.readHead(), /content-length: 0\r\n\r\n$/);
    await conn.write(OK);
    assert.match(await conn.readHead(), /content-length: 0\r\n\r\n$/);
    await conn.write(OK);
    await conn.readHead();
    assert.equal(await conn.readUntil("\r\n\r\n"), "0\r\n\r\n");
    await conn.write(OK);
    await conn.closed();
  }, async (client, server) => {
    const { origin } = server;
    await client.request(
      requestOf({ origin, method: "POST", contentLength: 0 }),
    );
    await client.request(
      requestOf({ origin, method: "POST", body: bodyOf(), contentLength: 0 }),
    );
    await client.request(requestOf({ origin, method: "POST", body: bodyOf() }));
    assert.equal(server.accepted, 1);
  });
});

Deno.test("request() fails if the body is longer or shorter than declared", async () => {
  for (const contentLength of [4, 6]) {
    const received = Promise.withResolvers<string>();
    await withUpstream(async (conn) => {
      await conn.readHead();
      await conn.readUntil("never").catch(() => {});
      received.resolve("closed");
    }, async (client, { origin }) => {
      const body = bodyOf("he", "llo");
      await assert.rejects(
        client.request(
          requestOf({ origin, method: "POST", body, contentLength }),
        ),
        withCode("source_failed"),
      );
      assert.equal(await received.promise, "closed");
      assert.equal(client.stats().open, 0);
    });
  }
});

Deno.test("request() fails and closes the connection if reading the body fails", async () => {
  const cause = new Error("client hung up");
  for (const contentLength of [null, 10]) {
    const gone = Promise.withResolvers<void>();
    await withUpstream(async (conn) => {
      await conn.readUntil("hello");
      await conn.closed();
      gone.resolve();
    }, async (client, { origin }) => {
      const body = bodyReader(ReadableStream.from((async function* () {
        yield new TextEncoder().encode("hello");
        await turn();
        throw cause;
      })()));
      await assert.rejects(
        client.request(
          requestOf({ origin, method: "POST", body, contentLength }),
        ),
        (error) => {
          return withCode("source_failed")(error) &&
            (error as Error).cause === cause;
        },
      );
      await gone.promise;
    });
  }
});

Deno.test("request() returns a response that comes before the upload ends, and cancels the upload", async () => {
  const { body, cancelled } = endlessBody("some");
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write(
      "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig",
    );
    await conn.closed();
  }, async (client, { origin }) => {
    const response = await client.request(
      requestOf({ origin, method: "POST", body, contentLength: 1000 }),
    );
    assert.equal(response.status, 413);
    assert.equal(await textOf(response.body), "big");
    await cancelled;
    assert.equal(client.stats().open, 0);
  });
});

Deno.test("request() returns the response even if the upstream stops taking the upload", async () => {
  const answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
  const { body, cancelled } = endlessBody("some");
  await withScripts(
    [{ reads: [{ text: answer, afterWrites: 2 }], failingWrite: 1 }],
    async (client, [conn]) => {
      const response = await client.request(
        requestOf({ method: "POST", body }),
      );
      assert.equal(response.status, 403);
      assert.equal(await textOf(response.body), "no");
      await cancelled;
      assert.equal(conn?.closed, true);
    },
  );
});

Deno.test("request() uses no connection again whose head was taken in part", async () => {
  const answer = "HTTP/1.1 431 Too Large\r\nContent-Length: 2\r\n\r\nno";
  const reads = [{ text: answer, afterWrites: 2 }];
  await withScripts(
    [{ reads, then: "silence", writeSize: 10, failingWrite: 1 }],
    async (client, [conn]) => {
      const response = await client.request(requestOf());
      assert.equal(await textOf(response.body), "no");
      assert.equal(conn?.closed, true);
    },
  );
});

Deno.test("request() fails if the upstream stops taking the upload and sends no response", async () => {
  const { body, cancelled } = endlessBody("some");
  await withScripts(
    [{ reads: [{ text: "", afterWrites: 2 }], failingWrite: 1 }],
    async (client) => {
      await assert.rejects(
        client.request(requestOf({ method: "POST", body })),
        withCode("connection_lost"),
      );
      await cancelled;
    },
  );
});

Deno.test("request() streams both bodies at once: each side waits for the other's next words", async () => {
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const word of ["one", "two", "six"]) {
      assert.equal(await conn.readUntil(`${word}\r\n`), `3\r\n${word}\r\n`);
      await conn.write(`3\r\n${word}\r\n`);
    }
    assert.equal(await conn.readUntil("\r\n\r\n"), "0\r\n\r\n");
    await conn.write("0\r\n\r\n");
    await conn.closed();
  }, async (client, { origin }) => {
    const { body: upload, writer } = fedBody();
    const { body } = await client.request(
      requestOf({ origin, method: "POST", body: upload }),
    );
    const reader = readerOf(body);
    for (const word of ["one", "two", "six"]) {
      await writer.write(new TextEncoder().encode(word));
      assert.deepEqual(await reader.read(), new TextEncoder().encode(word));
    }
    await writer.close();
    assert.equal(await reader.read(), null);
    assert.equal(client.stats().idle, 1);
  });
});

Deno.test("request() reuses the connection once the declared length was sent, whatever else the body yields", async () => {
  const { body, cancelled } = endlessBody("some");
  await withUpstream(async (conn) => {
    await conn.readUntil("\r\n\r\nsome");
    await conn.write(OK);
    await conn.closed();
  }, async (client, { origin }) => {
    await client.request(
      requestOf({ origin, method: "POST", body, contentLength: 4 }),
    );
    await cancelled;
    assert.equal(client.stats().idle, 1);
  });
});

Deno.test("request() never reuses a connection whose request head is still being written", async () => {
  const script = { reads: [OK], then: "silence", writeSize: 1 } as const;
  await withScripts([script], async (client, [conn]) => {
    const { status } = await client.request(requestOf());
    assert.equal(status, 200);
    assert.equal(conn?.closed, true);
  });
});

Deno.test("request() fails the response body if reading the request body fails meanwhile", async () => {
  const { body: upload, writer } = fedBody();
  await withUpstream(async (conn) => {
    await conn.readHead();
    await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    await conn.closed();
  }, async (client, { origin }) => {
    const { body } = await client.request(
      requestOf({ origin, method: "POST", body: upload }),
    );
    const text = textOf(body);
    await writer.abort(new Error("client hung up"));
    await assert.rejects(text, withCode("source_failed"));
  });
});

Deno.test("a request that cannot be sent as it is is refused with TypeError before anything connects", async () => {
  await withUpstream((conn) => conn.closed(), async (client, server) => {
    const { origin } = server;
    const unsendable: Partial<UpstreamRequest>[] = [
      { target: "/a b" },
      { headers: [["host", "a"], ["x", "a\r\nb: c"]] },
      { headers: [["host", "a"], ["content-length", "5"]] },
    ];
    for (const parts of unsendable) {
      const request = requestOf({ origin, ...parts });
      await assert.rejects(client.request(request), TypeError);
    }
    await assert.rejects(client.upgrade(requestOf({ origin })), TypeError);
    assert.equal(server.accepted, 0);
  });
});

Deno.test("request() stops reading its body while the upstream does not take it", async () => {
  const { promise: full, resolve } = Promise.withResolvers<void>();
  let pulled = 0;
  const body: BodyReader = {
    read() {
      pulled += 65536;
      return Promise.resolve(new Uint8Array(65536));
    },
    cancel() {},
  };
  await withUpstream(async (conn) => {
    await conn.readHead();
    await full;
    await conn.write(OK);
    await conn.closed();
  }, async (client, { origin }) => {
    const response = client.request(
      requestOf({ origin, method: "POST", body }),
    );
    // Socket buffers take a few megabytes; after that the upload stalls.
    for (let before = -1; before !== pulled;) {
      before = pulled;
      for (let turns = 0; turns < 50; turns++) await turn();
    }
    assert.ok(pulled > 65536 && pulled < 64 * 2 ** 20, `${pulled}`);
    resolve();
    assert.equal((await response).status, 200);
  });
});
