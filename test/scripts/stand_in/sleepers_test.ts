/** The stand-in's sandboxes that do not run, and what the gateway's key can do about it. */
import assert from "node:assert/strict";
import {
  HOSTED_KEYS,
  startHostedStack,
} from "../../../scripts/stand_in/hosted_stack.ts";
import { SLEEPERS } from "../../../scripts/stand_in/sleepers.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { askHosted } from "./hosted_client.ts";

Deno.test("the stand-in's sleepers wake within 8 s, or say at the API why they do not", async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  await using stack = await startHostedStack({ clock, sleepers: true });
  const { api } = stack;

  /** The status at the proxy, with the token that the sandbox has now. */
  async function visit(id: string): Promise<number> {
    const headers = [`X-Daytona-Preview-Token: ${api.sandbox(id).authToken}`];
    return (await askHosted(stack, `3000-${id}`, { headers })).status;
  }

  async function start(id: string): Promise<string> {
    const begun = Promise.withResolvers<void>();
    api.lifecycle.watchers.add((sandbox) => {
      if (sandbox.id === id) begun.resolve();
    });
    const answer = fetch(`${api.url}/sandbox/${id}/start`, {
      method: "POST",
      headers: { authorization: `Bearer ${HOSTED_KEYS.organization}` },
    });
    // A start that is refused, or answered at once, changes no state.
    await Promise.race([begun.promise, answer]);
    clock.pass(8000);
    const { state, message } = await (await answer).json();
    return message ?? state;
  }

  const ended: Record<string, string> = {};
  for (const id of Object.keys(SLEEPERS)) {
    assert.equal(await visit(id), 400, id);
    ended[id] = `${await start(id)}, ${await visit(id)}`;
  }
  assert.deepEqual(ended, {
    asleep: "started, 200",
    archived: "archived, 200",
    failing:
      "Sandbox failed to start: failed to start container: no space left on device, 400",
    recoverable: "Sandbox is in an errored state, 400",
    broken: "Sandbox is in an errored state, 400",
    paused: "Resuming is not supported for this sandbox, 400",
  });
});
