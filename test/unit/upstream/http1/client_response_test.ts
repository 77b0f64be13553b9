import assert from "node:assert/strict";
import { fromLatin1 } from "../../../support/latin1.ts";
import type { Script } from "../../../support/scripted_conn.ts";
import {
  readerOf,
  requestOf,
  textOf,
  turn,
  withCode,
  withScripts,
} from "../../../support/upstream.ts";

interface Outcome {
  status: number;
  body: string | null;
  idle: number;
}

/** The outcome of a request if the upstream's bytes arrive in these reads. */
async function outcomeOf(
  reads: Script["reads"],
  method = "GET",
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  await withScripts([{ reads, then: "silence" }], async (client) => {
    const { status, body } = await client.request(requestOf({ method }));
    outcomes.push({
      status,
      body: await textOf(body),
      idle: client.stats().idle,
    });
  });
  const [outcome] = outcomes;
  assert.ok(outcome);
  return outcome;
}

const RESPONSES = {
  "content-length":
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX: y\r\n\r\nhello world",
  chunked:
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n",
  interim:
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
};

for (const [kind, response] of Object.entries(RESPONSES)) {
  Deno.test(`request() returns the same response (${kind}) however it is split`, async () => {
    const expected = {
      status: 200,
      body: "hello world",
      idle: 1,
    };
    for (let cut = 1; cut < response.length; cut++) {
      const outcome = await outcomeOf([
        response.slice(0, cut),
        response.slice(cut),
      ]);
      assert.deepEqual(outcome, expected, `cut at ${cut}`);
    }
    assert.deepEqual(
      await outcomeOf([...response]),
      expected,
      "byte by byte",
    );
  });

  Deno.test(`request() never takes a truncated response (${kind}) for a complete one`, async () => {
    for (let length = 0; length < response.length; length++) {
      await withScripts(
        [{ reads: [response.slice(0, length)] }],
        async (client, [conn]) => {
          await assert.rejects(
            async () => {
              await textOf((await client.request(requestOf())).body);
            },
            withCode("connection_lost"),
            `after ${length}`,
          );
          assert.equal(conn?.closed, true);
          assert.deepEqual(client.stats(), { open: 0, idle: 0, active: 0 });
        },
      );
    }
  });
}

Deno.test("request() returns a body that arrived with its head as bytes, and any other as a reader", async () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const scripts: Script[] = [
    `${head}hello`,
    `${chunked}5\r\nhello\r\n0\r\n\r\n`,
  ]
    .map((read) => ({ reads: [read], then: "silence" }));
  for (const script of scripts) {
    await withScripts([script], async (client) => {
      const { body } = await client.request(requestOf());
      assert.ok(body instanceof Uint8Array);
      assert.equal(client.stats().idle, 1);
    });
  }
  await withScripts(
    [{
      reads: [`${chunked}4\r\nhell\r\n`, "1\r\no\r\n0\r\n\r\n"],
      then: "silence",
    }],
    async (client) => {
      const { body } = await client.request(requestOf());
      const reader = readerOf(body);
      assert.deepEqual(client.stats(), { open: 1, idle: 0, active: 1 });
      assert.equal(await textOf(reader), "hello");
      assert.deepEqual(client.stats(), { open: 1, idle: 1, active: 0 });
    },
  );
});

Deno.test("request() returns bytes that the next response does not overwrite", async () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  await withScripts([{
    reads: [`${head}first`, `${head}other`],
    then: "silence",
  }], async (client) => {
    const first = await client.request(requestOf());
    await client.request(requestOf());
    assert.equal(await textOf(first.body), "first");
  });
});

Deno.test("the parts of a large body are not overwritten by later parts", async () => {
  const parts = [..."abcdefgh"].map((letter) => letter.repeat(100_000));
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${
    parts.join("").length
  }\r\n\r\n`;
  const script: Script = { reads: [head, ...parts], then: "silence" };
  await withScripts([script], async (client) => {
    const { body } = await client.request(requestOf());
    const received: Uint8Array<ArrayBuffer>[] = [];
    const reader = readerOf(body);
    for (let bytes; (bytes = await reader.read()) !== null;) {
      received.push(bytes);
    }
    assert(received.some((bytes) => bytes.length > 64 * 1024));
    assert(await new Blob(received).text() === parts.join(""));
    assert.equal(client.stats().idle, 1);
  });
});

Deno.test("request() returns all headers as received, including hop-by-hop ones", async () => {
  const read =
    "HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nX-Odd:  caf\xe9 \r\nconnection: close\r\n" +
    "set-cookie: b\r\nContent-Length: 0\r\n\r\n";
  await withScripts([{ reads: [read] }], async (client) => {
    const { headers } = await client.request(requestOf());
    assert.deepEqual(headers, [
      ["Set-Cookie", "a"],
      ["X-Odd", "caf\xe9"],
      ["connection", "close"],
      ["set-cookie", "b"],
      ["Content-Length", "0"],
    ]);
  });
});

Deno.test("a response to HEAD, a 204 and a 304 have no body, whatever their headers declare", async () => {
  for (
    const framing of [
      "Content-Length: 5\r\n",
      "Transfer-Encoding: chunked\r\n",
      "",
    ]
  ) {
    const head = await outcomeOf([`HTTP/1.1 200 OK\r\n${framing}\r\n`], "HEAD");
    assert.deepEqual(head, { status: 200, body: null, idle: 1 });
    assert.equal(
      (await outcomeOf([`HTTP/1.1 204 No Content\r\n${framing}\r\n`])).body,
      null,
    );
    const notModified = await outcomeOf([
      `HTTP/1.1 304 Not Modified\r\n${framing}\r\n`,
    ]);
    assert.deepEqual(notModified, {
      status: 304,
      body: null,
      idle: 1,
    });
  }
});

Deno.test("request() reads until the connection closes if nothing else delimits the body", async () => {
  for (
    const line of [
      "HTTP/1.1 200 OK",
      "HTTP/1.0 200 OK",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive",
    ]
  ) {
    await withScripts(
      [{ reads: [`${line}\r\n\r\nhello`, " world"] }],
      async (client, [conn]) => {
        const { body } = await client.request(requestOf());
        assert.equal(await textOf(body), "hello world");
        assert.equal(conn?.closed, true);
        assert.equal(conn?.reads, 3);
      },
    );
  }
});

Deno.test("request() fails the body at an invalid chunk", async () => {
  const reads = [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "x\r\n",
  ];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    const { body } = await client.request(requestOf());
    const reader = readerOf(body);
    assert.equal((await reader.read())?.length, 5);
    await assert.rejects(reader.read(), withCode("protocol_error"));
    assert.equal(conn?.closed, true);
  });
});

Deno.test("request() rejects an invalid or oversized response and closes the connection", async () => {
  const large = "x".repeat(64 * 1024);
  for (
    const read of [
      "garbage\r\n\r\n",
      "\r\nHTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\n\n",
      "HTTP/1.1 200 OK\r\na : b\r\n\r\n",
      "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n".repeat(65) + "HTTP/1.1 200 OK\r\n\r\n",
      `HTTP/1.1 200 OK\r\na: ${large}\r\n\r\n`,
      `HTTP/1.1 200 OK\r\na: ${large}`,
    ]
  ) {
    await withScripts(
      [{ reads: [read], then: "silence" }],
      async (client, [conn]) => {
        await assert.rejects(
          client.request(requestOf()),
          withCode("protocol_error"),
          read.slice(0, 60),
        );
        assert.equal(conn?.closed, true);
        assert.equal(client.stats().open, 0);
      },
    );
  }
});

Deno.test("request() accepts a head of 64 KiB, more than the read buffer holds, and no larger one", async () => {
  const empty = "HTTP/1.1 200 OK\r\na: \r\nContent-Length: 0\r\n\r\n";
  const value = "x".repeat(64 * 1024 - empty.length);
  await withScripts(
    [{ reads: [empty.replace("a: ", `a: ${value}`)], then: "silence" }],
    async (client) => {
      const { headers } = await client.request(requestOf());
      assert.deepEqual(headers[0], ["a", value]);
    },
  );
  await withScripts(
    [{ reads: [empty.replace("a: ", `a: ${value}x`)] }],
    async (client) => {
      await assert.rejects(
        client.request(requestOf()),
        withCode("protocol_error"),
      );
    },
  );
});

Deno.test("request() reads from the connection only when its body is read", async () => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const part = "a\r\n0123456789\r\n";
  await withScripts(
    [{ reads: [head, part, part, `${part}0\r\n\r\n`], then: "silence" }],
    async (client, [conn]) => {
      const { body } = await client.request(requestOf());
      const reader = readerOf(body);
      for (let parts = 0; parts < 3; parts++) {
        await turn();
        assert.equal(conn?.reads, 1 + parts);
        assert.equal((await reader.read())?.length, 10);
      }
      assert.equal(await reader.read(), null);
    },
  );
});

Deno.test("request() passes on each part of a body as it arrives", async () => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  await withScripts(
    [{
      reads: [head, "4\r\none\n\r\n", "4\r\ntwo\n\r\n4\r\nsix\n\r\n"],
      then: "silence",
    }],
    async (client) => {
      const { body } = await client.request(requestOf());
      const reader = readerOf(body);
      assert.deepEqual(await reader.read(), fromLatin1("one\n"));
      assert.deepEqual(await reader.read(), fromLatin1("two\nsix\n"));
      reader.cancel();
    },
  );
});

/** The number of reads from the network that a chunked body of 512 KiB takes, in chunks of this many bytes. */
async function readsOf(chunkBytes: number): Promise<number> {
  const chunk = `${chunkBytes.toString(16)}\r\n${"a".repeat(chunkBytes)}\r\n`;
  const chunks = chunk.repeat(Math.ceil(2 ** 19 / chunk.length));
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  let reads = 0;
  await withScripts(
    [{ reads: [`${head}${chunks}0\r\n\r\n`], then: "silence" }],
    async (client, [conn]) => {
      await textOf((await client.request(requestOf())).body);
      reads = conn?.reads ?? 0;
    },
  );
  return reads;
}

Deno.test("S10: of a body of tiny chunks at most 16 KiB is read at once, of one of large chunks more", async () => {
  assert.ok(await readsOf(1) >= 32);
  assert.ok(await readsOf(1000) < 10);
});
