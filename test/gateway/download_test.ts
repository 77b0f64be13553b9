import assert from "node:assert/strict";
import { download } from "../../src/gateway/download.ts";
import type { BodyReader } from "../../src/upstream/http1/body_reader.ts";

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
    onEnd: (...facts) => told.push(facts),
  });
  return { observed, told, clock };
}

Deno.test("download() tells how a body ended, and after how many bytes", async () => {
  const whole = startBody(3);
  for await (const _ of whole.observed.stream);
  assert.deepEqual(whole.told, [["complete", 30, undefined]]);

  const left = startBody(3);
  const reader = left.observed.stream.getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual(left.told, [["client_gone", 10, undefined]]);
});

Deno.test("download() tells why an upstream failed", async () => {
  const failure = new Error("bad chunk");
  const told: unknown[] = [];
  const { stream } = download({
    read: () => Promise.reject(failure),
    cancel() {},
  }, { now: () => 0, onEnd: (...facts) => void told.push(facts) });
  await assert.rejects(stream.getReader().read(), failure);
  assert.deepEqual(told, [["upstream_failed", 0, failure]]);
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
  assert.deepEqual(told, [["client_stalled", 20, undefined]]);

  const silence = Promise.withResolvers<null>();
  const body = { read: () => silence.promise, cancel() {} };
  const silent = download(body, { now: () => 0, onEnd() {} });
  const waiting = silent.stream.getReader();
  waiting.read().catch(() => {});
  await Promise.resolve();
  assert.equal(silent.stalledSince(), undefined);
  silent.abort("going_away");
});
