/** Access that ends while a stream lasts, in front of a Daytona that somebody else runs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { fakeClock } from "../support/fake_clock.ts";
import { BASE, LOCKED } from "../support/gateway.ts";
import {
  startHostedGateway,
  startHostedLoginGateway,
} from "../support/hosted_gateway.ts";

/** Time between two rechecks, ms. */
const RECHECK_MS = 25_000;

async function openTunnel(
  port: number,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly closed: Promise<unknown[]> }> {
  const url = `ws://127.0.0.1:${port}/ws`;
  const socket = new WebSocket(url, [], { headers });
  await once(socket, "open");
  return { closed: once(socket, "close") };
}

Deno.test("a tunnel by a signed link ends once the link is revoked, by the word of Daytona's proxy", async () => {
  using clock = fakeClock();
  await using gateway = await startHostedGateway();
  const link = gateway.stack.api.state.signedTokens.get(KEYS.signedToken);
  assert(link !== undefined);
  const { closed } = await openTunnel(gateway.port, {
    host: `3000-${KEYS.signedToken}.${BASE}`,
  });
  link.revoked = true;
  clock.pass(RECHECK_MS);
  assert.equal((await closed)[0], 1008);
});

Deno.test("a tunnel by a preview token ends once the sandbox has another", async () => {
  using clock = fakeClock();
  await using gateway = await startHostedGateway({ RUNNER_TTL_SEC: "1" });
  const { closed } = await openTunnel(gateway.port, {
    host: LOCKED,
    "x-daytona-preview-token": KEYS.lockedToken,
  });
  gateway.stack.api.sandbox("locked").authToken = "another";
  clock.pass(RECHECK_MS);
  assert.equal((await closed)[0], 1008);
});

Deno.test("a tunnel by a login ends once its user has left the group", async () => {
  using clock = fakeClock();
  await using gateway = await startHostedLoginGateway("group:staff", {
    TOKEN_TTL_SEC: "1",
  });
  const browser = gateway.browser();
  const { page } = await browser.openAs("alice", gateway.at("3000-locked"));
  assert.equal(page.status, 200);
  const { closed } = await openTunnel(gateway.port, {
    host: `${LOCKED}:${gateway.port}`,
    cookie: browser.cookieAt(page.url),
  });
  gateway.stack.loginProvider.claims.set("alice", { email_verified: true });
  clock.pass(RECHECK_MS);
  assert.equal((await closed)[0], 1008);
});
