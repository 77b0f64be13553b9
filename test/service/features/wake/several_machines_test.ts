/** Starts at one of several gateway processes. */
import assert from "node:assert/strict";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { LOCKED } from "../../../support/gateway.ts";
import { createBrowser } from "../../../support/login.ts";
import { startMachine } from "../../../support/machine.ts";
import { sharedTierTest as test } from "../../../support/shared_tier.ts";

test("a start at one gateway ends what all of them know of the sandbox: links with the token of before say that they open it no longer", async (tier) => {
  await using stack = await startStack();
  const wake = { WAKE: "press" };
  await using first = await startMachine(stack, tier, wake);
  await using second = await startMachine(stack, tier, wake);
  const link = { path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}` };
  for (const machine of [first, second]) {
    assert.equal((await machine.ask(LOCKED, link)).status, 303);
  }
  stack.api.sandbox("locked").state = "stopped";
  const container = stack.runner.containers.get("locked") ?? assert.fail();
  container.started = false;
  stack.api.lifecycle.jobs.startMs = 0;
  const browser = createBrowser({ port: first.port });
  const { page } = await browser.openAs(
    "alice",
    `http://${LOCKED}:${first.port}`,
  );
  assert.equal(page.headers.get("x-porthole-error"), "sandbox_stopped");
  assert.equal((await browser.submit(page)).page.status, 200);

  const headers = { accept: "text/html" };
  // It is a matter of milliseconds; the verdict on the token would count for two minutes.
  for (const machine of [first, second]) {
    const ask = () => machine.ask(LOCKED, { ...link, headers });
    await assertEventually(
      async () => (await ask()).status !== 303,
      "the link opens it no longer",
    );
    const answer = await ask();
    assert.equal(answer.status, 401);
    assert.match(answer.body, /restarted, which replaces its preview token/);
  }
  const token = stack.api.sandbox("locked").authToken;
  const open = { headers: { "x-daytona-preview-token": token } };
  assert.equal((await second.ask(LOCKED, open)).status, 200);
});
