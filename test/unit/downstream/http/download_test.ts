import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { download } from "../../../../src/downstream/http/download.ts";
import { LeakedSockets } from "../../../../src/downstream/http/leaked_sockets.ts";
import {
  clientBody,
  clientHeaders,
} from "../../../../src/downstream/http/response.ts";
import type { BodyReader } from "../../../../src/stream/body_reader.ts";
import { fakeUpload } from "../../../support/exchange.ts";
import { readerOf } from "../../../support/upstream.ts";

/** A body, and whether it was cancelled. */
function trackedBody() {
  const state = { isCancelled: false };
  const body: BodyReader = {
    read: () => new Promise(() => {}),
    cancel() {
      state.isCancelled = true;
    },
  };
  return { state, body };
}

Deno.test("clientBody() discards the body of a response that has none by its status, for HEAD as well", () => {
  for (const status of [204, 205, 304]) {
    for (const method of ["GET", "HEAD"]) {
      assert.equal(
        clientBody(method, { status, headers: [], body: null }),
        null,
      );
      const { state, body } = trackedBody();
      assert.equal(clientBody(method, { status, headers: [], body }), null);
      assert(state.isCancelled);
    }
  }
});

Deno.test("clientBody() announces no length for a HEAD that the app announced none for", async () => {
  const headers: [string, string][] = [["Content-Length", "5"]];
  const head = { status: 200, headers, body: null };
  assert.equal(clientBody("HEAD", head), null);
  const body = clientBody("HEAD", { ...head, headers: [] });
  assert.equal(await readerOf(body).read(), null);
  assert.equal(clientBody("GET", { ...head, headers: [] }), null);
});

Deno.test("clientHeaders() takes the length of a 205 away, and no other header or length", () => {
  const headers: [string, string][] = [["Content-Length", "5"], ["ETag", "1"]];
  assert.deepEqual(clientHeaders(205, headers), [
    ["ETag", "1"],
  ]);
  for (const status of [200, 304]) {
    assert.deepEqual(clientHeaders(status, headers), headers);
  }
});

/** A body of `count` chunks, with what its observer is told. */
function startBody(count: number): {
  readonly observed: ReturnType<typeof download>;
  readonly told: unknown[];
  readonly clock: { nowMs: number };
} {
  const clock = { nowMs: 0 };
  const told: unknown[] = [];
  let left = count;
  const body: BodyReader = {
    read: () => Promise.resolve(left-- > 0 ? new Uint8Array(10) : null),
    cancel() {},
  };
  const observed = download(body, {
    now: () => clock.nowMs,
    onEnd: (end) => told.push(end),
  });
  return { observed, told, clock };
}

Deno.test("download() tells how a body ended, and after how many bytes", async () => {
  const whole = startBody(3);
  for await (const _ of whole.observed.stream);
  assert.deepEqual(whole.told, [
    { end: "complete", sentBytes: 30, reason: undefined },
  ]);

  const left = startBody(3);
  const reader = left.observed.stream.getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual(left.told, [
    { end: "client_gone", sentBytes: 10, reason: undefined },
  ]);
});

Deno.test("download() tells why an upstream failed", async () => {
  const failure = new Error("bad chunk");
  const told: unknown[] = [];
  const { stream } = download({
    read: () => Promise.reject(failure),
    cancel() {},
  }, { now: () => 0, onEnd: (end) => void told.push(end) });
  await assert.rejects(stream.getReader().read(), failure);
  assert.deepEqual(told, [
    { end: "upstream_failed", sentBytes: 0, reason: "bad chunk" },
  ]);
});

Deno.test("download() tells since when a client has taken nothing, and nothing while it waits for the app", async () => {
  const { observed, told, clock } = startBody(2);
  const reader = observed.stream.getReader();
  await reader.read();
  clock.nowMs = 500;
  assert.equal(observed.stalledSince(), 0);
  await reader.read();
  clock.nowMs = 900;
  assert.equal(observed.stalledSince(), 500);
  observed.abort("stalled");
  observed.abort("going_away");
  await assert.rejects(reader.read(), /stalled/);
  assert.deepEqual(told, [
    { end: "client_stalled", sentBytes: 20, reason: "stalled" },
  ]);

  const silence = Promise.withResolvers<null>();
  const body = { read: () => silence.promise, cancel() {} };
  const silent = download(body, { now: () => 0, onEnd() {} });
  const waiting = silent.stream.getReader();
  waiting.read().catch(() => {});
  await Promise.resolve();
  assert.equal(silent.stalledSince(), undefined);
  silent.abort("going_away");
});

/** A body that fails once its first chunk was read, beside an upload that is abandoned before the download breaks off. */
async function breakOff(
  { isChunked, by }: {
    readonly isChunked: boolean;
    readonly by: "app" | "gateway";
  },
): Promise<{ read(): Promise<{ readonly done: boolean }> }> {
  const sockets = new LeakedSockets(() => 0, () => {});
  const { upload } = fakeUpload({ isChunked });
  let reads = 0;
  const goesOn = new Promise<null>(() => {});
  const { stream, abort } = download({
    read() {
      if (reads++ === 0) return Promise.resolve(new Uint8Array(1));
      return by === "app" ? Promise.reject(new Error("broken")) : goesOn;
    },
    cancel() {},
  }, {
    now: () => 0,
    onEnd() {},
    socket: sockets.risk("192.0.2.1", upload, { isHttp1: true }),
  });
  const reader = stream.getReader();
  await reader.read();
  if (by === "gateway") abort("evicted");
  const next = reader.read();
  next.catch(() => {});
  await turn();
  upload.abandon();
  return { read: () => next };
}

Deno.test("S15: a download beside an abandoned upload in chunks is completed, and broken off beside any other", async () => {
  for (const by of ["app", "gateway"] as const) {
    const completed = await breakOff({ isChunked: true, by });
    assert.equal((await completed.read()).done, true);
    const broken = await breakOff({ isChunked: false, by });
    await assert.rejects(broken.read());
  }
});

Deno.test("a client that leaves before its download has broken off is no error", async () => {
  const sockets = new LeakedSockets(() => 0, () => {});
  const { upload } = fakeUpload({ isChunked: true });
  const socket = sockets.risk("192.0.2.1", upload, { isHttp1: true });
  const read = () => new Promise<null>(() => {});
  const { stream, abort } = download(
    { read, cancel() {} },
    { now: () => 0, onEnd() {}, socket },
  );
  abort("evicted");
  await stream.cancel();
  assert.equal(sockets.count, 1);
  await turn(); // by then, an error of breaking off would be reported
});

Deno.test("S3: a download that has to go with a chunk does not pass it on", async () => {
  const told: unknown[] = [];
  const observed = download({
    read: () => Promise.resolve(new Uint8Array(10)),
    cancel: () => told.push("cancelled"),
  }, {
    now: () => 0,
    onChunk(chunk) {
      told.push(chunk.length);
      observed.abort("evicted");
    },
    onEnd: (end) => void told.push(end),
  });
  await assert.rejects(observed.stream.getReader().read(), /evicted/);
  const ended = { end: "aborted", sentBytes: 0, reason: "evicted" };
  assert.deepEqual(told, [10, ended, "cancelled"]);
});
