import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  codedBody,
  codedBytes,
} from "../../../../src/features/compress/coded_body.ts";
import type { BodyReader, Bytes } from "../../../../src/stream/body_reader.ts";

const CODINGS = [["gzip", gunzipSync], ["zstd", zstdDecompressSync]] as const;

const TEXT = "export const answer = 42;\n".repeat(20_000);

/** A body of such parts, which counts how often it is read. */
class Parts implements BodyReader {
  readonly #parts: Bytes[];
  reads = 0;

  constructor(...parts: string[]) {
    this.#parts = parts.map((part) => new TextEncoder().encode(part));
  }

  read(): Promise<Bytes | null> {
    this.reads++;
    return Promise.resolve(this.#parts.shift() ?? null);
  }

  cancel(): void {}
}

async function allOf(body: BodyReader): Promise<Buffer> {
  const parts: Bytes[] = [];
  for (let part; (part = await body.read()) !== null;) {
    assert(part.length > 0);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

for (const [coding, decoded] of CODINGS) {
  const options = { coding, length: Infinity, onPiece() {} };

  Deno.test(`a body in ${coding} is what it was when it is decoded, whole or in parts`, async () => {
    const whole = new TextEncoder().encode(TEXT);
    assert.equal(decoded(codedBytes(whole, coding)).toString(), TEXT);
    for (const parts of [[TEXT], ["a", TEXT, "b"], [TEXT, TEXT], []]) {
      const text = parts.join("");
      for (const length of [Infinity, text.length]) {
        if (length === 0) continue;
        const pieces: number[] = [];
        const body = codedBody(new Parts(...parts), {
          coding,
          length,
          onPiece: (bytes) => pieces.push(bytes),
        });
        const coded = await allOf(body);
        assert.equal(decoded(coded).toString(), text);
        assert.equal(pieces.reduce((sum, it) => sum + it, 0), text.length);
        assert(pieces.every((it) => it <= 64 * 1024));
      }
    }
  });

  Deno.test(`${coding} holds back nothing of what it has read, and reads no more than it is asked for`, async () => {
    const parts = new Parts('{"a":1}\n', '{"b":2}\n');
    const body = codedBody(parts, options);
    assert.equal(parts.reads, 0);
    const first = await body.read() ?? assert.fail();
    assert.equal(parts.reads, 1);
    // All of it is there, before the end is: gunzipSync() can be told so, and zstd has no such test.
    if (coding === "gzip") {
      const shown = gunzipSync(first, { finishFlush: constants.Z_SYNC_FLUSH });
      assert.equal(shown.toString(), '{"a":1}\n');
    } else assert(first.length > 8);
    const rest = await allOf(body);
    assert.equal(
      decoded(Buffer.concat([first, rest])).toString(),
      '{"a":1}\n{"b":2}\n',
    );
  });

  Deno.test(`a body in ${coding} whose source fails, or that is cancelled, fails`, async () => {
    const failing = codedBody({
      read: () => Promise.reject(new Error("broken off")),
      cancel() {},
    }, options);
    await assert.rejects(failing.read(), /broken off/);
    const { promise, reject } = Promise.withResolvers<null>();
    promise.catch(() => {}); // it may be cancelled before anything is read
    const cancelled = codedBody({
      read: () => promise,
      cancel: () => reject(new Error("given up")),
    }, options);
    const reading = cancelled.read();
    cancelled.cancel();
    await assert.rejects(reading, /given up/);
  });
}

Deno.test("a body of a known length has ended with its last bytes", async () => {
  const parts = new Parts("a".repeat(2000));
  const body = codedBody(parts, {
    coding: "gzip",
    length: 2000,
    onPiece() {},
  });
  const all = await body.read() ?? assert.fail();
  assert.equal(gunzipSync(all).length, 2000);
  assert.equal(await body.read(), null);
  assert.equal(parts.reads, 1);
});
