/** In front of a Daytona that somebody else runs: the way to its proxy, and what its traps do not lead to. */
import assert from "node:assert/strict";
import { dialHosted } from "../../scripts/stand_in/hosted_dial.ts";
import { startHostedStack } from "../../scripts/stand_in/hosted_stack.ts";
import { valuesOf } from "../../src/lib/headers.ts";
import { DEMO, startGatewayOf } from "../support/gateway.ts";

Deno.test("a public preview comes through somebody else's Daytona, by TLS with the name of its own host", async () => {
  await using stack = await startHostedStack();
  await using gateway = await startGatewayOf(stack, {}, { dial: dialHosted });
  const answer = await gateway.send(DEMO, { path: "/echo?a=%20&b" });
  assert.equal(answer.status, 200, answer.body);
  const [seen] = stack.hosted.seen;
  const host = `3000-demo.hosted.localhost:${stack.hosted.port}`;
  assert.equal(seen?.host, host);
  assert.equal(seen.serverName, "3000-demo.hosted.localhost");
  assert.equal(seen.target, "/echo?a=%20&b");
  assert.deepEqual(valuesOf(seen.lines, "x-daytona-preview-token"), []);
});
