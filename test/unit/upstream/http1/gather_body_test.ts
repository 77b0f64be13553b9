/** Short bodies that arrive soon after their heads, in one piece and in memory that is used again. */
import assert from "node:assert/strict";
import { UNPACED_READS } from "../../../../src/lib/fair_turn.ts";
import {
  giveBackBuffer,
  takeBuffer,
} from "../../../../src/stream/buffer_pool.ts";
import type { UpstreamRequest } from "../../../../src/upstream/http1/message.ts";
import { busyUntil } from "../../../support/busy_until.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { toLatin1 } from "../../../support/latin1.ts";
import {
  bodyOf,
  readerOf,
  requestOf,
  textOf,
  turn,
  withCode,
  withScripts,
} from "../../../support/upstream.ts";

const PART = 20_000;

/** A request whose response may be gathered. */
function gathered(parts: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return requestOf({ mayGather: () => true, ...parts });
}

/** The head of a response with a body of so many bytes. */
function headOf(length: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
}

Deno.test("a short body that follows its head at once is returned in one piece", async () => {
  const parts = [..."abc"].map((letter) => letter.repeat(PART));
  for (
    const reads of [[headOf(3 * PART), ...parts], [headOf(5), "hel", "lo"]]
  ) {
    await withScripts([{ reads, then: "silence" }], async (client) => {
      const { body } = await client.request(gathered());
      assert.ok(body instanceof Uint8Array);
      assert.equal(toLatin1(body), reads.slice(1).join(""));
      assert.equal(client.stats().idle, 1);
    });
  }
});

Deno.test("neither a short body nor a short upload waits for the turns of others", async () => {
  const others = Promise.withResolvers<void>();
  await using _ = busyUntil(others);
  const parts = ["a".repeat(PART), "b".repeat(PART)];
  const head = { text: headOf(2 * PART), afterWrites: 3 };
  await withScripts(
    [{ reads: [head, ...parts], then: "silence" }],
    async (client) => {
      const { body } = await client.request(gathered({
        method: "POST",
        body: bodyOf("some", "thing"),
        contentLength: 9,
      }));
      assert.equal(await textOf(body), parts.join(""));
    },
  );
});

Deno.test("a short upload in many parts waits for the turns of others", async () => {
  const others = Promise.withResolvers<void>();
  await using _ = busyUntil(others);
  const texts: string[] = Array(40).fill("x");
  await withScripts(
    [{ reads: [{ text: headOf(0), afterWrites: 41 }], then: "silence" }],
    async (client, [conn]) => {
      const answer = client.request(
        requestOf({
          method: "POST",
          body: bodyOf(...texts),
          contentLength: 40,
        }),
      );
      for (let turns = 0; turns < 100; turns++) await turn();
      assert.equal(conn?.writes, 1 + UNPACED_READS);
      others.resolve();
      assert.equal((await answer).status, 200);
    },
  );
});

Deno.test("a byte behind a gathered body closes the connection, and is in no response", async () => {
  const reads = [
    headOf(2 * PART),
    "a".repeat(PART),
    "a".repeat(PART) + "HTTP/1.1",
  ];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    const { body } = await client.request(gathered());
    assert.equal(await textOf(body), "a".repeat(2 * PART));
    assert.equal(conn?.closed, true);
    assert.equal(client.stats().open, 0);
  });
});

Deno.test("what has come of a short body is passed on after 4 ms at most, and stays as it is while more comes", async () => {
  using clock = fakeClock();
  const reads = [
    headOf(3 * PART) + "a".repeat(PART),
    { text: "b".repeat(PART), afterWrites: 2 },
    { text: "c".repeat(PART), afterWrites: 3 },
  ];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    const requested = client.request(gathered());
    await turn();
    clock.pass(4);
    const reader = readerOf((await requested).body);
    const parts = [await reader.read()];
    await conn?.write(new Uint8Array(1));
    await turn();
    parts.push(await reader.read());
    await conn?.write(new Uint8Array(1));
    parts.push(await reader.read());
    assert.deepEqual(
      parts.map((part) => toLatin1(part ?? new Uint8Array())),
      [..."abc"].map((letter) => letter.repeat(PART)),
    );
    assert.equal(await reader.read(), null);
    assert.equal(client.stats().idle, 1);
  });
});

Deno.test("of a few, what has come is passed on after some turns in which nothing came, as no clock says", async () => {
  using _clock = fakeClock();
  const reads = [
    headOf(2 * PART) + "a".repeat(PART),
    { text: "b".repeat(PART), afterWrites: 2 },
  ];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    const { body } = await client.request(gathered());
    const reader = readerOf(body);
    assert.equal((await reader.read())?.length, PART);
    await conn?.write(new Uint8Array(1));
    assert.equal((await reader.read())?.length, PART);
    assert.equal(await reader.read(), null);
  });
});

Deno.test("all that came between giving up and the first read is passed on, and the connection used again", async () => {
  using clock = fakeClock();
  const reads = [
    headOf(2 * PART) + "a".repeat(PART),
    { text: "b".repeat(PART), afterWrites: 2 },
  ];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    const requested = client.request(gathered());
    await turn();
    clock.pass(4);
    const { body } = await requested;
    await conn?.write(new Uint8Array(1));
    await turn();
    assert.equal(
      await textOf(readerOf(body)),
      "a".repeat(PART) + "b".repeat(PART),
    );
    assert.equal(client.stats().idle, 1);
  });
});

Deno.test("a short body of which only half comes breaks off after that half", async () => {
  const reads = [headOf(2 * PART) + "a".repeat(PART)];
  await withScripts([{ reads }], async (client, [conn]) => {
    const reader = readerOf((await client.request(gathered())).body);
    assert.equal((await reader.read())?.length, PART);
    await assert.rejects(reader.read(), withCode("connection_lost"));
    assert.equal(conn?.closed, true);
  });
});

Deno.test("a client that leaves while a short body arrives ends the exchange", async () => {
  const reads = [headOf(2 * PART) + "a".repeat(PART)];
  await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
    const leaving = new AbortController();
    const requested = client.request(gathered({ signal: leaving.signal }));
    await turn();
    leaving.abort();
    const reader = readerOf((await requested).body);
    assert.equal((await reader.read())?.length, PART);
    await assert.rejects(reader.read(), withCode("aborted"));
    assert.equal(conn?.closed, true);
  });
});

Deno.test("a body for which there is no memory, and one of more than 256 KiB, is not gathered", async () => {
  for (const [length, free] of [[PART, 0], [2 ** 18 + 1, Infinity]] as const) {
    const reads = [headOf(length), "a".repeat(length)];
    await withScripts([{ reads, then: "silence" }], async (client, [conn]) => {
      const { body } = await client.request(
        requestOf({ mayGather: (size) => size <= free }),
      );
      const reader = readerOf(body);
      await turn();
      assert.equal(conn?.reads, 1);
      assert.equal(await textOf(reader), "a".repeat(length));
    });
  }
});

Deno.test("a body in one piece shows nothing of what was in its memory before", async () => {
  for (const length of [65, 5000, PART]) {
    const content = "a".repeat(length);
    for (
      const reads of [[headOf(length) + content], [headOf(length), content]]
    ) {
      const used = takeBuffer(length);
      new Uint8Array(used.buffer).fill(0x21);
      giveBackBuffer(used);
      await withScripts([{ reads, then: "silence" }], async (client) => {
        const { body } = await client.request(gathered());
        assert.ok(body instanceof Uint8Array);
        // Many bytes that came with their head stay where they are.
        const hasMoved = length < PART || reads.length > 1;
        assert.equal(body.buffer === used.buffer, hasMoved);
        assert.equal(toLatin1(body), content);
      });
    }
  }
});
