import assert from "node:assert/strict";
import { createLostSockets } from "../../src/http/lost_sockets.ts";
import { WatchedUpload } from "../../src/http/watched_upload.ts";

/** An upload whose next part never comes, being read or not. */
function stalledUpload(isRead: boolean): WatchedUpload {
  const upload = new WatchedUpload({
    read: () => new Promise(() => {}),
    cancel() {},
  });
  if (isRead) upload.read();
  return upload;
}

Deno.test("LostSockets count responses that broke off while their request was being read, and no others", () => {
  const lost = createLostSockets(() => assert.fail("enough"));
  lost.note("client_gone", undefined);
  lost.note("client_gone", stalledUpload(false));
  lost.note("complete", stalledUpload(true));
  assert.equal(lost.count, 0);
  lost.note("client_gone", stalledUpload(true));
  lost.note("aborted", stalledUpload(true));
  assert.equal(lost.count, 2);
  assert.equal(lost.isEnough, false);
});

Deno.test("LostSockets have enough at a hundred, and say so once", () => {
  let told = 0;
  const lost = createLostSockets(() => told++);
  for (let count = 1; count <= 120; count++) {
    lost.note("client_gone", stalledUpload(true));
    assert.equal(lost.isEnough, count >= 100);
  }
  assert.equal(told, 1);
});

Deno.test("WatchedUpload knows whether it is being read, and whether it has ended", async () => {
  const parts = [new Uint8Array(1), null];
  const upload = new WatchedUpload({
    read: () => Promise.resolve(parts.shift() ?? null),
    cancel() {},
  });
  const states: boolean[][] = [];
  const note = () => states.push([upload.isOpen, upload.isReading]);
  note();
  const first = upload.read();
  note();
  assert.equal((await first)?.length, 1);
  note();
  assert.equal(await upload.read(), null);
  note();
  assert.deepEqual(states, [
    [true, false],
    [true, true],
    [true, false],
    [false, false],
  ]);
});

Deno.test("WatchedUpload has ended when its body fails", async () => {
  const upload = new WatchedUpload({
    read: () => Promise.reject(new Error("broken")),
    cancel() {},
  });
  await assert.rejects(upload.read(), /broken/);
  assert.deepEqual([upload.isOpen, upload.isReading], [false, false]);
});
