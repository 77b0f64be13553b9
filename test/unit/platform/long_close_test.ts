import assert from "node:assert/strict";
import { fitsCloseFrame } from "../../../src/platform/long_close.ts";
import { clientFrame, openWebSocket, stillNeeded } from "./canary.ts";

Deno.test("fitsCloseFrame() counts the bytes of a reason", () => {
  assert.equal(fitsCloseFrame(""), true);
  assert.equal(fitsCloseFrame("x".repeat(123)), true);
  assert.equal(fitsCloseFrame("x".repeat(124)), false);
  assert.equal(fitsCloseFrame("é".repeat(61)), true);
  assert.equal(fitsCloseFrame("é".repeat(62)), false);
});

Deno.test("canary: a Close of more than 125 bytes counts as clean", async () => {
  await using pair = await openWebSocket();
  const closed = new Promise<CloseEvent>((resolve) =>
    pair.socket.addEventListener("close", resolve)
  );
  const payload = new Uint8Array(126).fill(0x78);
  payload.set([1000 >> 8, 1000 & 255]);
  await pair.client.write(clientFrame(8, payload));
  const { wasClean, code } = await closed;
  stillNeeded(wasClean && code === 1000, {
    mended: "Close frames of more than 125 bytes",
    remove: "src/platform/long_close.ts",
  });
});
