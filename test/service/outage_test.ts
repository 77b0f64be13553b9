/** An API that is away for ten minutes, and what opens meanwhile, on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { DEMO, LOCKED, startGateway } from "../support/gateway.ts";
import { skewClock, type SkewedClock } from "../support/skewed_clock.ts";
import { shortPauses } from "../faults/world.ts";

/** The credentials that open a private preview, by their headers. */
const CREDENTIALS = {
  token: { "x-daytona-preview-token": KEYS.lockedToken },
  key: { authorization: `Bearer ${KEYS.user}` },
};

/** A gateway whose visitors have opened a private preview by each credential, and by a session of 300 s. */
async function startVisited(staleSec: number) {
  const gateway = await startGateway({
    TOKEN_STALE_IF_ERROR_SEC: String(staleSec),
    SESSION_TTL_SEC: "300",
  });
  const path = `/echo?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
  const login = await gateway.send(LOCKED, { path });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  async function look(headers: Record<string, string>, host = LOCKED) {
    return (await gateway.send(host, { path: "/echo", headers })).status;
  }
  const visitors = { ...CREDENTIALS, session: { cookie } };
  for (const headers of Object.values(visitors)) {
    assert.equal(await look(headers), 200);
  }
  assert.equal(await look({}, DEMO), 200);
  return { ...gateway, visitors, look };
}

/** Lets the API be away until `seconds` after the visits. */
function passUntil(clock: SkewedClock): (seconds: number) => void {
  let passed = 0;
  return (seconds) => {
    clock.jump(1000 * (seconds - passed));
    passed = seconds;
  };
}

Deno.test("while the API is away, private previews end with their tokens' TTL", async () => {
  using clock = skewClock();
  using _ = shortPauses();
  await using gateway = await startVisited(0);
  const { look, visitors, stack } = gateway;
  stack.api.outage = 503;
  const pass = passUntil(clock);
  for (const [seconds, expected] of [[100, 200], [125, 503], [270, 503]]) {
    pass(Number(seconds));
    for (const headers of Object.values(visitors)) {
      assert.equal(await look(headers), expected, `after ${seconds} s`);
    }
    assert.equal(await look({}, DEMO), 200);
  }
});

Deno.test("while the API is away, accepted credentials open private previews for as long as the operator says, and no others do", async () => {
  using clock = skewClock();
  using _ = shortPauses();
  await using gateway = await startVisited(480); // 600 s with the TTL
  const { look, visitors, stack: { api } } = gateway;
  const { session, ...others } = visitors;
  assert.equal(await look({ "x-daytona-preview-token": "wrong" }), 401);
  api.outage = 503;
  const pass = passUntil(clock);
  for (const seconds of [125, 250]) {
    pass(seconds);
    for (const headers of Object.values(visitors)) {
      assert.equal(await look(headers), 200, `after ${seconds} s`);
    }
    assert.equal(await look({ "x-daytona-preview-token": "wrong" }), 503);
    assert.equal(await look({}), 503);
  }
  pass(540);
  assert.equal(await look(session), 503); // which has ended
  for (const headers of Object.values(others)) {
    assert.equal(await look(headers), 200);
  }
  pass(650);
  for (const headers of Object.values(visitors)) {
    assert.equal(await look(headers), 503);
  }
  api.outage = undefined;
  for (const headers of Object.values(others)) {
    assert.equal(await look(headers), 200);
  }
});

Deno.test("what was revoked during an outage is refused once the API is back", async () => {
  using clock = skewClock();
  using _ = shortPauses();
  await using gateway = await startVisited(3600);
  const { look, visitors: { token, key }, stack: { api } } = gateway;
  api.outage = 503;
  passUntil(clock)(300);
  api.sandbox("locked").authToken = "new";
  api.state.users.get(KEYS.user)?.delete("locked");
  for (const headers of [token, key]) assert.equal(await look(headers), 200);
  api.outage = undefined;
  clock.jump(10_000); // the longest pause between two questions to an API that is away
  for (const headers of [token, key]) {
    const isRefused = async () => await look(headers) === 401;
    await assertEventually(isRefused, "the API has refused it");
  }
});
