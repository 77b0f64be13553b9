import assert from "node:assert/strict";
import { Upload } from "../../../../src/downstream/http/upload.ts";
import type { BodyReader } from "../../../../src/stream/body_reader.ts";
import { READS_PER_TURN } from "../../../../src/upstream/http1/upload_sender.ts";
import { busyUntil } from "../../../support/busy_until.ts";
import {
  bodyOf,
  endlessBody,
  fedBody,
  requestOf,
  textOf,
  turn,
  withCode,
  withScripts,
} from "../../../support/upstream.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A client's body, which may be read before the head is sent. */
function uploadOf(body: BodyReader, contentLength: number | null): Upload {
  const request = new Request("http://upstream.test/");
  return new Upload({ body, contentLength, request }, () => {});
}

/** The POST of such a body. */
function postOf(body: BodyReader, contentLength: number | null) {
  const upload = uploadOf(body, contentLength);
  return requestOf({ method: "POST", body: upload, contentLength });
}

const HEAD = "POST / HTTP/1.1\r\nhost: upstream.test\r\n";
const WITH_LENGTH = `${HEAD}content-length: 4\r\n\r\n`;
const IN_CHUNKS = `${HEAD}transfer-encoding: chunked\r\n\r\n`;

Deno.test("request() sends its head and the first part of a body that is there in one write", async () => {
  for (
    const [contentLength, written, writes] of [
      [4, `${WITH_LENGTH}body`, 1],
      [null, `${IN_CHUNKS}4\r\nbody\r\n0\r\n\r\n`, 2],
    ] as const
  ) {
    const reads = [{ text: OK, afterWrites: writes }];
    await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
      const { body } = await client.request(
        postOf(bodyOf("body"), contentLength),
      );
      assert.equal(await textOf(body), "ok");
      assert.equal(conn?.written, written);
      assert.equal(conn?.writes, writes);
      assert.equal(client.stats().idle, 1);
    });
  }
});

Deno.test("request() sends in one write what follows in small parts, and the end behind it", async () => {
  const parts = ["a", "b".repeat(30_000), "c".repeat(30_000), "d", "e"];
  const text = parts.slice(1).join("");
  for (
    const [contentLength, end, writes] of [
      [60_003, text, 2],
      [null, `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`, 2],
    ] as const
  ) {
    const reads = [{ text: OK, afterWrites: writes }];
    await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
      const counted: number[] = [];
      await client.request({
        ...postOf(bodyOf(...parts), contentLength),
        onUpload: (bytes) => counted.push(bytes),
      });
      assert.ok(conn?.written.endsWith(end));
      assert.equal(conn?.writes, writes);
      assert.deepEqual(counted, [1, 60_002]);
    });
  }
});

Deno.test("request() sends no more than 64 KiB in one write, and nothing later than a turn after it came", async () => {
  const [a, b] = ["a".repeat(40_000), "b".repeat(40_000)];
  const { body: slow, writer } = fedBody();
  const encoder = new TextEncoder();
  const reads = [{ text: OK, afterWrites: 4 }];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    const response = client.request(postOf(slow, 80_002));
    for (
      const [text, writes] of [["x", 1], [a, 2], [b, 3], ["y", 4]] as const
    ) {
      await writer.write(encoder.encode(text));
      for (let turns = 0; turns < 5; turns++) await turn();
      assert.ok(conn?.written.endsWith(text), text.slice(0, 1));
      assert.equal(conn?.writes, writes);
    }
    await response;
  });
  const script = {
    reads: [{ text: OK, afterWrites: 3 }],
    then: "silence",
  } as const;
  await withScripts([script], async (client, [conn]) => {
    await client.request(postOf(bodyOf("x", a, b), 80_001));
    assert.ok(conn?.written.endsWith(`x${a}${b}`));
    assert.equal(conn?.writes, 3);
  });
});

Deno.test("S10: small parts in much memory are sent before they take 64 KiB of it", async () => {
  let part = 0;
  const body: BodyReader = {
    read() {
      const isOver = ++part > 40;
      const bytes = new Uint8Array(new ArrayBuffer(8 * 1024), 0, 1).fill(120);
      return Promise.resolve(isOver ? null : bytes);
    },
    cancel() {},
  };
  const eight = `8\r\n${"x".repeat(8)}\r\n`;
  const reads = [{ text: OK, afterWrites: 6 }];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    await client.request(postOf(body, null));
    assert.equal(
      conn?.written,
      `${IN_CHUNKS}1\r\nx\r\n${eight.repeat(4)}7\r\nxxxxxxx\r\n0\r\n\r\n`,
    );
    assert.equal(conn?.writes, 6);
  });
});

Deno.test("request() sends a head with bytes beyond ASCII before the first part byte for byte", async () => {
  const reads = [{ text: OK, afterWrites: 1 }];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    await client.request({
      ...postOf(bodyOf("\u00e9\u00e9"), 4),
      headers: [["host", "a"], ["x", "\xe9\xff"]],
    });
    assert.equal(
      conn?.written,
      "POST / HTTP/1.1\r\nhost: a\r\nx: \xe9\xff\r\ncontent-length: 4\r\n\r\n" +
        "\xc3\xa9\xc3\xa9",
    );
  });
});

Deno.test("request() sends the rest of what is taken in part, and an empty body in one piece", async () => {
  const script = {
    reads: [{ text: OK, afterWrites: 8 }],
    then: "silence",
    writeSize: 10,
  } as const;
  await withScripts([script], async (client, [conn]) => {
    await client.request(postOf(bodyOf("bo", "dy"), 4));
    assert.equal(conn?.written, `${WITH_LENGTH}body`);
    assert.equal(client.stats().idle, 1);
  });
  await withScripts(
    [{ reads: [OK], then: "silence" }],
    async (client, [conn]) => {
      await client.request(postOf(bodyOf(), null));
      assert.equal(conn?.written, `${IN_CHUNKS}0\r\n\r\n`);
      assert.equal(conn?.writes, 1);
    },
  );
});

Deno.test("the head of a request goes at once if its body is slow", async () => {
  const { body: slow, writer } = fedBody();
  const reads = [{ text: OK, afterWrites: 2 }];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    const response = client.request(postOf(slow, 4));
    for (let turns = 0; turns < 5; turns++) await turn();
    assert.equal(conn?.written, WITH_LENGTH);
    await writer.write(new TextEncoder().encode("body"));
    assert.equal(await textOf((await response).body), "ok");
    assert.equal(conn.written, `${WITH_LENGTH}body`);
  });
});

Deno.test("the head of a request goes first if its body must not be asked for before that", async () => {
  const body = new Upload({
    body: bodyOf("body"),
    contentLength: 4,
    request: new Request("http://upstream.test/"),
    isAwaited: true,
  }, () => {});
  const reads = [{ text: OK, afterWrites: 2 }];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    await client.request(
      requestOf({ method: "POST", body, contentLength: 4 }),
    );
    assert.equal(conn?.written, `${WITH_LENGTH}body`);
    assert.equal(conn?.writes, 2);
  });
});

Deno.test("request() sends all of a body again of which nothing could be written", async () => {
  for (const contentLength of [null, 4]) {
    await withScripts([
      { reads: [OK, { text: "", afterWrites: 2 }], failingWrite: 1 },
      { reads: [{ text: OK, afterWrites: 2 }], then: "silence" },
    ], async (client, [first, second]) => {
      await client.request(requestOf());
      const before = first?.written;
      const { body } = await client.request(
        postOf(bodyOf("bo", "dy"), contentLength),
      );
      assert.equal(await textOf(body), "ok");
      assert.equal(first?.written, before);
      assert.equal(
        second?.written,
        contentLength === null
          ? `${IN_CHUNKS}2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n`
          : `${WITH_LENGTH}body`,
      );
    });
  }
});

Deno.test("a body of which nothing could be sent is complete for another attempt if no other connection opens", async () => {
  await withScripts(
    [{ reads: [OK, { text: "", afterWrites: 2 }], failingWrite: 1 }],
    async (client) => {
      await client.request(requestOf());
      const request = postOf(bodyOf("bo", "dy"), 4);
      await assert.rejects(client.request(request), withCode("connect_failed"));
      assert.equal(await textOf(request.body), "body");
    },
  );
});

Deno.test("request() sends nothing if its body fails, or is longer or shorter than declared, before its head is sent", async () => {
  const failing: BodyReader = {
    read: () => Promise.reject(new Error("client hung up")),
    cancel() {},
  };
  for (
    const [body, contentLength] of [
      [failing, 4],
      [failing, null],
      [bodyOf("longer"), 4],
      [bodyOf(), 4],
    ] as const
  ) {
    await withScripts([{ reads: [OK] }], async (client, [conn]) => {
      await assert.rejects(
        client.request(postOf(body, contentLength)),
        withCode("source_failed"),
      );
      assert.equal(conn?.writes, 0);
      assert.equal(conn?.closed, true);
    });
  }
});

Deno.test("request() sends nothing if it is aborted while its body is awaited", async () => {
  const abort = new AbortController();
  const body: BodyReader = {
    read() {
      abort.abort();
      return new Promise(() => {});
    },
    cancel() {},
  };
  await withScripts([{ reads: [OK] }], async (client, [conn]) => {
    await assert.rejects(
      client.request({ ...postOf(body, 4), signal: abort.signal }),
      withCode("aborted"),
    );
    await turn();
    assert.equal(conn?.writes, 0);
  });
});

Deno.test("request() returns a response that comes before its first write ends, and cancels the body", async () => {
  const answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig";
  const { body, cancelled } = endlessBody("some");
  await withScripts(
    [{ reads: [answer], stuckWrite: 0 }],
    async (client, [conn]) => {
      const response = await client.request(postOf(body, 1000));
      assert.equal(response.status, 413);
      assert.equal(await textOf(response.body), "big");
      await cancelled;
      assert.equal(conn?.closed, true);
    },
  );
});

Deno.test("a long upload waits for the turns of others before one in several reads, but in small chunks before each", async () => {
  const unpaced = READS_PER_TURN - 1;
  const cases = [
    { partBytes: 64 * 1024, contentLength: 20 * 64 * 1024, expected: unpaced },
    { partBytes: 64 * 1024, contentLength: null, expected: unpaced },
    { partBytes: 1024, contentLength: null, expected: 0 },
  ];
  for (const { partBytes, contentLength, expected } of cases) {
    const others = Promise.withResolvers<void>();
    await using _ = busyUntil(others);
    const parts: string[] = Array(20).fill("x".repeat(partBytes));
    const reads = [{ text: OK, afterWrites: 1 + expected + 1 }];
    await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
      const answer = client.request(postOf(bodyOf(...parts), contentLength));
      for (let turns = 0; turns < 100; turns++) await turn();
      assert.equal(conn?.writes, 1 + expected); // the first part goes with the head
      others.resolve();
      assert.equal((await answer).status, 200);
    });
  }
});
