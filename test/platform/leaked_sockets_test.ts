import assert from "node:assert/strict";
import { createLeakedSockets } from "../../src/platform/leaked_sockets.ts";

Deno.test("LeakedSockets count responses that broke off while their request was being read, and no others", () => {
  const lost = createLeakedSockets(() => assert.fail("enough"));
  lost.note("192.0.2.1", "client_gone", undefined);
  lost.note("192.0.2.1", "client_gone", { isWaiting: false });
  lost.note("192.0.2.1", "complete", { isWaiting: true });
  lost.note("192.0.2.1", "aborted", { isWaiting: true });
  assert.equal(lost.count, 0);
  lost.note("192.0.2.1", "client_gone", { isWaiting: true });
  lost.note("192.0.2.1", "upstream_failed", { isWaiting: true });
  assert.equal(lost.count, 2);
});

Deno.test("LeakedSockets risk twenty for one client, and a thousand in all", () => {
  let told = 0;
  const lost = createLeakedSockets(() => told++);
  for (let count = 0; count < 1000; count++) {
    const address = `192.0.2.${Math.floor(count / 20)}`;
    assert.equal(lost.mayRisk(address), true);
    lost.note(address, "client_gone", { isWaiting: true });
    assert.equal(lost.mayRisk(address), count % 20 !== 19);
    assert.equal(lost.mayRisk("203.0.113.1"), count < 999);
  }
  assert.equal(told, 1);
  lost.note("203.0.113.1", "client_gone", { isWaiting: true });
  assert.equal(told, 1);
});
