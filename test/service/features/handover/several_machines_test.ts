/** Logins that are handed over among several gateway processes. */
import assert from "node:assert/strict";
import { startStack } from "../../../../scripts/stand_in/stack.ts";
import { LOCKED } from "../../../support/gateway.ts";
import { createBrowser } from "../../../support/login.ts";
import { startMachine } from "../../../support/machine.ts";
import { sharedTierTest as test } from "../../../support/shared_tier.ts";

test("the code of a login that one gateway has exchanged is worth nothing at another (SESSION_SCOPE=host)", async (tier) => {
  const scope = { SESSION_SCOPE: "host" };
  await using stack = await startStack();
  await using first = await startMachine(stack, tier, scope);
  await using second = await startMachine(stack, tier, scope);
  const browser = createBrowser({ port: first.port });
  const url = `http://${LOCKED}:${first.port}/echo`;
  const { hops } = await browser.openAs("alice", url);
  const arrival = hops.find(({ url }) => url.includes("LOGIN_CODE"));
  const { host, pathname, search } = new URL(arrival?.url ?? "");
  const cookie = browser.cookieAt(url);

  const headers = { accept: "text/html", cookie };
  const replayed = await second.ask(host, {
    path: pathname + search,
    headers,
  });
  assert.equal(replayed.status, 303);
  assert.deepEqual(replayed.headers.getSetCookie(), []);
  // The session that it was exchanged for counts there.
  const { status } = await second.ask(host, { path: "/echo", headers });
  assert.equal(status, 200);
});
