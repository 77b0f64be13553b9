import assert from "node:assert/strict";
import { UploadProgress } from "../../src/gateway/upload_progress.ts";
import { createLeakedSockets } from "../../src/platform/leaked_sockets.ts";

/** An upload whose next part never comes, being read or not. */
function stalledUpload(isRead: boolean): UploadProgress {
  const upload = new UploadProgress({
    read: () => new Promise(() => {}),
    cancel() {},
  }, null);
  if (isRead) upload.read();
  return upload;
}

Deno.test("LeakedSockets count responses that broke off while their request was being read, and no others", () => {
  const lost = createLeakedSockets(() => assert.fail("enough"));
  lost.note("192.0.2.1", "client_gone", undefined);
  lost.note("192.0.2.1", "client_gone", stalledUpload(false));
  lost.note("192.0.2.1", "complete", stalledUpload(true));
  lost.note("192.0.2.1", "aborted", stalledUpload(true));
  assert.equal(lost.count, 0);
  lost.note("192.0.2.1", "client_gone", stalledUpload(true));
  lost.note("192.0.2.1", "upstream_failed", stalledUpload(true));
  assert.equal(lost.count, 2);
});

Deno.test("LeakedSockets risk twenty for one client, and a thousand in all", () => {
  let told = 0;
  const lost = createLeakedSockets(() => told++);
  for (let count = 0; count < 1000; count++) {
    const address = `192.0.2.${Math.floor(count / 20)}`;
    assert.equal(lost.mayRisk(address), true);
    lost.note(address, "client_gone", stalledUpload(true));
    assert.equal(lost.mayRisk(address), count % 20 !== 19);
    assert.equal(lost.mayRisk("203.0.113.1"), count < 999);
  }
  assert.equal(told, 1);
  lost.note("203.0.113.1", "client_gone", stalledUpload(true));
  assert.equal(told, 1);
});

Deno.test("UploadProgress knows whether it waits for more, and whether there may be more", async () => {
  for (const [contentLength, isOpen] of [[null, true], [1, false]] as const) {
    const parts = [new Uint8Array(1), null];
    const upload = new UploadProgress({
      read: () => Promise.resolve(parts.shift() ?? null),
      cancel() {},
    }, contentLength);
    const states: boolean[][] = [];
    const note = () => states.push([upload.isOpen, upload.isWaiting]);
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

Deno.test("UploadProgress has ended when its body fails", async () => {
  const upload = new UploadProgress({
    read: () => Promise.reject(new Error("broken")),
    cancel() {},
  }, null);
  await assert.rejects(upload.read(), /broken/);
  assert.deepEqual([upload.isOpen, upload.isWaiting], [false, false]);
});
