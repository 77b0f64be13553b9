import assert from "node:assert/strict";
import { ChunkedBody } from "../../../../src/downstream/http/chunked_body.ts";
import { ReadSizes } from "../../../../src/downstream/http/read_sizes.ts";
import { Upload } from "../../../../src/downstream/http/upload.ts";
import type { Watched } from "../../../../src/downstream/memory/guard.ts";

Deno.test("Upload knows whether it waits for more, and whether there may be more", async () => {
  for (const [contentLength, isOpen] of [[null, true], [1, false]] as const) {
    const parts = [new Uint8Array(1), null];
    const upload = new Upload({
      body: {
        read: () => Promise.resolve(parts.shift() ?? null),
        cancel() {},
      },
      contentLength,
      request: new Request("http://box.test/"),
    }, () => {});
    const states: boolean[][] = [];
    const note = () =>
      states.push([upload.isOpen, upload.idle() !== undefined]);
    note();
    const first = upload.read();
    note();
    assert.equal((await first)?.length, 1);
    note();
    const last = upload.read();
    note();
    assert.equal(await last, null);
    note();
    assert.deepEqual(states, [
      [true, false],
      [true, true],
      [isOpen, false],
      [isOpen, isOpen],
      [false, false],
    ]);
  }
});

Deno.test("Upload has ended when its body fails", async () => {
  const upload = new Upload({
    body: {
      read: () => Promise.reject(new Error("broken")),
      cancel() {},
    },
    contentLength: null,
    request: new Request("http://box.test/"),
  }, () => {});
  await assert.rejects(upload.read(), /broken/);
  assert.deepEqual([upload.isOpen, upload.idle() !== undefined], [
    false,
    false,
  ]);
});

Deno.test("S15: of an Upload that is cancelled or has failed nothing more is read", async () => {
  for (const isCancelled of [true, false]) await readsNoMore(isCancelled);
});

async function readsNoMore(isCancelled: boolean): Promise<void> {
  let reads = 0;
  const upload = new Upload({
    body: {
      read() {
        reads++;
        return Promise.resolve(new Uint8Array(1));
      },
      cancel() {},
    },
    contentLength: null,
    request: new Request("http://box.test/"),
  }, () => {});
  assert.equal((await upload.read())?.length, 1);
  if (isCancelled) upload.cancel();
  else upload.fail("evicted");
  await assert.rejects(upload.read(), { code: "aborted" });
  assert.equal(reads, 1);
}

Deno.test("Upload.peek() returns what the next read returns, read and counted once", async () => {
  const parts = ["a", "b"].map((text) => new TextEncoder().encode(text));
  const counted: number[] = [];
  const upload = new Upload({
    body: { read: () => Promise.resolve(parts.shift() ?? null), cancel() {} },
    contentLength: 2,
    request: new Request("http://box.test/"),
    onRead: (bytes) => counted.push(bytes),
  }, () => {});
  const peeked = await upload.peek();
  assert.equal(await upload.peek(), peeked);
  assert.deepEqual(counted, [1]);
  assert.equal(await upload.read(), peeked);
  assert.deepEqual(await upload.read(), new TextEncoder().encode("b"));
  assert.equal(await upload.read(), null);
  assert.deepEqual(counted, [1, 1]);
});

Deno.test("Upload.peek() waits as a read does, and what it read of an Upload that is cancelled is not returned", async () => {
  const source = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  let cancelled = 0;
  const upload = new Upload({
    contentLength: 10,
    body: { read: () => source.promise, cancel: () => cancelled++ },
    request: new Request("http://box.test/"),
  }, () => {});
  const peeked = upload.peek();
  assert.notEqual(upload.idle(), undefined);
  source.resolve(new Uint8Array(1));
  assert.equal((await peeked)?.length, 1);
  assert.equal(upload.idle(), undefined);
  upload.cancel();
  assert.equal(cancelled, 1);
  await assert.rejects(upload.read(), { code: "aborted" });
});

Deno.test("Upload that is cancelled fails the read that waits, and tells its source after it", async () => {
  const source = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  let cancelled = 0;
  const upload = new Upload({
    contentLength: 10,
    body: { read: () => source.promise, cancel: () => cancelled++ },
    request: new Request("http://h/"),
  }, () => {});
  const read = upload.read();
  upload.cancel();
  await assert.rejects(read, { code: "aborted" });
  assert.notEqual(upload.idle(), undefined);
  assert.equal(cancelled, 0);
  source.resolve(new Uint8Array(1));
  await upload.idle();
  assert.equal(upload.idle(), undefined);
  assert.equal(cancelled, 1);

  upload.cancel();
  assert.equal(cancelled, 2);
});

Deno.test("S10: Upload.drop() gives up a read that goes on, and no other", async () => {
  for (const goesOn of [true, false]) {
    const calls: string[] = [];
    const reading = Promise.withResolvers<null>();
    const upload = new Upload({
      body: {
        read: () => reading.promise,
        cancel: () => void calls.push("cancel"),
      },
      contentLength: null,
      request: new Request("http://box.test/"),
    }, () => {});
    upload.signal.addEventListener("abort", () => calls.push("abort"));
    const read = upload.read();
    const dropped = upload.drop();
    if (!goesOn) reading.resolve(null);
    await dropped;
    assert.deepEqual(calls, goesOn ? ["abort", "cancel"] : ["abort"]);
    assert.equal(upload.failedBecause, "evicted");
    reading.resolve(null);
    await read;
  }
});

Deno.test("Upload is watched once, read or not, until it is closed", async () => {
  const watched: Watched[] = [];
  let unwatched = 0;
  const calls: string[] = [];
  const upload = new Upload({
    body: {
      read: () => Promise.resolve(new Uint8Array(1)),
      cancel() {},
    },
    contentLength: null,
    request: new Request("http://box.test/"),
  }, () => calls.push("told"));
  const memoryGuard = {
    watch(one: Watched) {
      watched.push(one);
      return () => void unwatched++;
    },
  };
  upload.watchBy(memoryGuard, "client");
  upload.watchBy(memoryGuard, "another");
  const [one] = watched;
  assert(one !== undefined);
  assert.equal(watched.length, 1);
  assert.equal(one.client, "client");
  await upload.read();
  assert.equal(one.heardAt, 0);

  upload.signal.addEventListener("abort", () => calls.push("ended"));
  one.drop();
  assert.deepEqual(calls, ["told", "ended"]);
  assert.equal(unwatched, 0);
  upload.close();
  assert.equal(unwatched, 1);
});

Deno.test("Upload is watched beyond its exchange as long as a read waits, and one that is dropped holds nobody up", async () => {
  let isWatched = true;
  const reading = Promise.withResolvers<null>();
  const upload = new Upload({
    body: { read: () => reading.promise, cancel() {} },
    contentLength: null,
    request: new Request("http://box.test/"),
  }, () => {});
  upload.watchBy({ watch: () => () => void (isWatched = false) }, "client");
  const read = upload.read();
  let goesOn = false;
  upload.idle()?.then(() => goesOn = true);
  upload.close();
  assert.ok(isWatched);
  await upload.drop();
  await Promise.resolve();
  assert.ok(goesOn);
  assert.ok(!isWatched);
  reading.resolve(null);
  await read;
});

Deno.test("Upload in chunks that was answered unread is read no more, and left to its client", async () => {
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    cancel: () => void (isCancelled = true),
  });
  const upload = new Upload({
    body: new ChunkedBody(stream, {
      delivered: () => Promise.resolve(),
      connection: "client",
      readSizes: new ReadSizes(),
    }),
    contentLength: null,
    request: new Request("http://box.test/"),
  }, () => {});
  upload.giveUp();
  await assert.rejects(upload.read(), { code: "aborted" });
  assert.ok(!isCancelled);
});
