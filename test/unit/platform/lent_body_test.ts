import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { lentBody } from "../../../src/platform/lent_body.ts";
import { assertEventually } from "../../support/assert_eventually.ts";
import {
  type CanaryServer,
  readLate,
  serve,
  staysPending,
  stillNeeded,
  UNREAD_MS,
} from "./canary.ts";

const KIB = 1024;

/** The last one is more than the kernel takes of a connection that nobody reads: 3.8 MiB where this was written. */
const LENGTHS = [64 * KIB, 256 * KIB, 5000 * KIB];

/** Requests of all kinds: the server writes its responses to them in different ways. */
const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: b\r\n\r\n",
  "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2),
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
];

/** A server that lends bodies of that length, and then takes as much memory for something else. */
function lender(length: number): CanaryServer & { last(): Uint8Array } {
  let last: Uint8Array<ArrayBuffer> = new Uint8Array();
  const server = serve((_, { completed }) => {
    const bytes = last = new Uint8Array(length).fill(0x61);
    const others = () =>
      Array.from({ length: 4 }, () => new Uint8Array(length).fill(0x21));
    // Once it is freed, and once it is sent.
    completed.then(others, others);
    setImmediate(others);
    return new Response(lentBody(bytes), {
      headers: { "content-length": `${length}` },
    });
  });
  return { ...server, last: () => last };
}

Deno.test("what was lent is received as it was, however late and whatever else takes memory, over HTTP/1.1", async () => {
  for (const length of LENGTHS) {
    await using server = lender(length);
    for (const request of REQUESTS) {
      using stream = await server.connect();
      await stream.write(request);
      await stream.readUntil("\r\n\r\n");
      await staysPending(new Promise(() => {}), UNREAD_MS);
      const received = await stream.read(length);
      assert.equal(received.replaceAll("a", ""), "", request);
    }
  }
});

Deno.test("what was lent is received as it was over HTTP/2", async () => {
  for (const length of LENGTHS) {
    await using server = lender(length);
    const received = await readLate(server);
    assert.equal(received.length, length);
    assert.equal(received.replaceAll("a", ""), "");
  }
});

Deno.test("the memory of what was lent is given up once the server has it, also if its client leaves", async () => {
  const length = 5000 * KIB;
  await using server = lender(length);
  const [request = ""] = REQUESTS;
  for (const isRead of [true, false]) {
    using stream = await server.connect();
    await stream.write(request);
    await stream.readUntil("\r\n\r\n");
    if (isRead) await stream.read(length);
    else stream.close();
    await assertEventually(
      () => server.last().length === 0,
      `the memory is given up, isRead: ${isRead}`,
    );
  }
});

Deno.test("canary: a Response has a copy of the bytes that it is made of", async () => {
  const bytes = new Uint8Array(64 * KIB).fill(0x61);
  const response = new Response(bytes);
  bytes.fill(0x21);
  stillNeeded(!(await response.text()).includes("!"), {
    mended: "copies of what a Response is made of",
    remove: "lent_body.ts, and giveBackBuffer() right after such a copy",
  });
});
