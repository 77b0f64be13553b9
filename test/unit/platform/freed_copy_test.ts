import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { freedCopy } from "../../../src/platform/freed_copy.ts";
import { readLate, serve, stillNeeded } from "./canary.ts";

const KIB = 1024;

/** The last one is more than a stream's window, and a connection's. */
const LENGTHS = [16 * KIB, 64 * KIB, 1024 * KIB];

Deno.test("a body whose copy is freed is received as it was over HTTP/2, however late", async () => {
  for (const length of LENGTHS) {
    await using server = serve((_, { completed }) => {
      const bytes = new Uint8Array(length).fill(0x61);
      const others = () =>
        Array.from({ length: 4 }, () => new Uint8Array(length).fill(0x21));
      const response = new Response(freedCopy(bytes, completed));
      bytes.fill(0x21); // it is used for something else
      completed.then(others, others);
      setImmediate(others);
      return response;
    });
    const received = await readLate(server);
    assert.equal(received.length, length);
    assert.equal(received.replaceAll("a", ""), "");
  }
});

Deno.test("each Response has a copy of its own", async () => {
  const { promise } = Promise.withResolvers<void>();
  const responses = [..."abc"].map((letter) => {
    const bytes = new TextEncoder().encode(letter.repeat(20 * KIB));
    return new Response(freedCopy(bytes, promise));
  });
  const texts = await Promise.all(responses.map((it) => it.text()));
  const expected = [..."abc"].map((letter) => letter.repeat(20 * KIB));
  assert.deepEqual(texts, expected);
});

Deno.test("the copy is freed once the response is delivered, or its client has left", async () => {
  for (const settled of [Promise.resolve(), Promise.reject(new Error())]) {
    const response = new Response(freedCopy(new Uint8Array(64 * KIB), settled));
    await settled.catch(() => {});
    assert.equal((await response.bytes()).length, 0);
  }
});

Deno.test("canary: the bytes that a Response is made of are copied by their own slice()", async () => {
  class Refusing extends Uint8Array<ArrayBuffer> {
    static get [Symbol.species](): never {
      throw new Error("asked");
    }
  }
  const make = () => new Response(new Refusing(new ArrayBuffer(64 * KIB)));
  const isAsked = await Promise.try(make).then(() => false, () => true);
  stillNeeded(isAsked, {
    mended: "copies of what a Response is made of",
    remove: "freed_copy.ts, which has no effect any more",
  });
});
