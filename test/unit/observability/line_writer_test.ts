import assert from "node:assert/strict";
import { StreamLineWriter } from "../../../src/observability/line_writer.ts";

/** An output whose writes do not complete until `release()`. */
function slowOutput() {
  const batches: string[] = [];
  let release = Promise.withResolvers<void>();
  const stream = new WritableStream<Uint8Array>({
    async write(bytes) {
      batches.push(new TextDecoder().decode(bytes));
      await release.promise;
    },
  });
  return {
    batches,
    stream,
    release() {
      release.resolve();
      release = Promise.withResolvers();
      release.resolve();
    },
  };
}

Deno.test("lines are written together and in order", async () => {
  const output = slowOutput();
  const writer = new StreamLineWriter(output.stream);
  writer.write("one\n");
  writer.write("two\n");
  output.release();
  await writer.flush();
  assert.deepEqual(output.batches, ["one\ntwo\n"]);
});

Deno.test("lines that arrive during a write form the next batch", async () => {
  const output = slowOutput();
  const writer = new StreamLineWriter(output.stream);
  writer.write("one\n");
  const flushed = writer.flush();
  writer.write("two\n");
  writer.write("three\n");
  output.release();
  await flushed;
  await writer.flush();
  assert.deepEqual(output.batches, ["one\n", "two\nthree\n"]);
});

Deno.test("lines are dropped if the reader is too slow, so that memory stays bounded", async () => {
  const output = slowOutput();
  const writer = new StreamLineWriter(output.stream);
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 10_000; i++) writer.write(line);
  assert(writer.dropped > 5000 && writer.dropped < 6500);
  output.release();
  await writer.flush();
  writer.write("after\n");
  await writer.flush();
  assert.equal(output.batches.at(-1), "after\n");
});

Deno.test("a failing output is ignored", async () => {
  let tries = 0;
  const writer = new StreamLineWriter(
    new WritableStream({
      write() {
        tries++;
        return Promise.reject(new Error("gone"));
      },
    }),
  );
  for (const line of ["one\n", "two\n"]) {
    writer.write(line);
    await assert.doesNotReject(writer.flush());
  }
  assert.equal(tries, 1); // the stream takes nothing after a failure
});

Deno.test("lines of any length and characters are written whole and in order", async () => {
  const output = slowOutput();
  output.release();
  const writer = new StreamLineWriter(output.stream);
  const lines = Array.from(
    { length: 300 },
    (_, number) =>
      number % 100 === 50
        ? `${number} ${"long ".repeat(60_000)}\n`
        : `${number} ${"€𝄞é".repeat(97)}\n`,
  );
  for (const line of lines) writer.write(line);
  await writer.flush();
  assert.equal(output.batches.join(""), lines.join(""));
  assert(output.batches.every((batch) => batch.endsWith("\n")));
});
