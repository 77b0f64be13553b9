/** Passcodes of shares: how often they may be tried, tested on complete services. */
import assert from "node:assert/strict";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { skewClock } from "../../../support/skewed_clock.ts";
import {
  startGateway,
  startGatewayOf,
  type TestGateway,
} from "../../../support/gateway.ts";
import { sharedTierTest as test } from "../../../support/shared_tier.ts";
import {
  askApi,
  type MadeShare,
  makeShare,
  MEMBERS,
  press,
  startShareGateway,
} from "./share_gateway.ts";

const PASSCODE = "open sesame";
const WINDOW_MS = 15 * 60_000;

/** What every gateway of these tests is set to: clients say who they are. */
const SETTINGS = {
  ...MEMBERS,
  TRUSTED_PROXIES: "127.0.0.1",
  REFUSALS_PER_MINUTE: "1000",
};

/** The code of what a client's press with a passcode comes to; null if it opens. */
async function tryAs(
  gateway: Pick<TestGateway, "send">,
  share: MadeShare,
  client: string,
  passcode = "no idea",
): Promise<string | null> {
  const headers = { "x-forwarded-for": client };
  return (await press(gateway, share, { passcode, headers })).code;
}

test("a client has ten tries at a passcode in 15 minutes, wherever it makes them, and however many at once", async (tier) => {
  // Its timers are real ones: the stores of other programs need time.
  using clock = skewClock();
  await using stack = await startStack();
  const settings = { ...SETTINGS, ...tier.environment };
  await using first = await startGatewayOf(stack, settings);
  await using second = await startGatewayOf(stack, settings);
  const share = await makeShare(first, KEYS.user, {
    passcode: PASSCODE,
    uses: 2,
  });
  assert.equal((await press(first, share)).code, "passcode_required");
  const trying = Array.from(
    { length: 16 },
    (_, i) => tryAs(i % 2 === 0 ? first : second, share, `2001:db8::${i + 1}`),
  );
  const tried = await Promise.all(trying);
  const wrong = tried.filter((code) => code === "passcode_wrong");
  const late = tried.filter((code) => code === "passcode_tries");
  assert.deepEqual([wrong.length, late.length], [10, 6]);
  for (const gateway of [first, second]) {
    const headers = { "x-forwarded-for": "2001:db8::ffff" };
    const sent = { passcode: PASSCODE, headers };
    const answer = await press(gateway, share, sent);
    assert.deepEqual([answer.status, answer.code], [429, "passcode_tries"]);
    const waitSec = Number(answer.headers.get("retry-after"));
    assert(waitSec > 890 && waitSec <= 900, String(waitSec));
  }
  // Another network, another share: nobody else waits.
  assert.equal(await tryAs(second, share, "2001:db8:1::1", PASSCODE), null);
  clock.jump(WINDOW_MS);
  assert.equal(await tryAs(first, share, "2001:db8::1", PASSCODE), null);
  // No wrong one has used anything up.
  assert.equal(
    await tryAs(first, share, "2001:db8::1", PASSCODE),
    "share_used_up",
  );
});

Deno.test("after fifty wrong tries of many clients, those wait who have never opened the share, and nobody else", async () => {
  using clock = fakeClock();
  clock.pass(1);
  await using gateway = await startShareGateway(startGateway, SETTINGS);
  const share = await makeShare(gateway, KEYS.user, { passcode: PASSCODE });
  const other = await makeShare(gateway, KEYS.user, { passcode: PASSCODE });
  assert.equal(await tryAs(gateway, share, "192.0.2.1", PASSCODE), null);
  for (let i = 0; i < 50; i++) {
    const code = await tryAs(gateway, share, `198.51.100.${i}`);
    assert.equal(code, "passcode_wrong");
  }
  for (const client of ["203.0.113.1", "198.51.100.1"]) {
    for (const passcode of [PASSCODE, "no idea"]) {
      const code = await tryAs(gateway, share, client, passcode);
      assert.equal(code, "passcode_tries", client);
    }
  }
  assert.equal(await tryAs(gateway, share, "192.0.2.1", PASSCODE), null);
  assert.equal(await tryAs(gateway, share, "192.0.2.1"), "passcode_wrong");
  assert.equal(await tryAs(gateway, share, "192.0.2.1", PASSCODE), null);
  assert.equal(await tryAs(gateway, other, "203.0.113.1", PASSCODE), null);
  clock.pass(WINDOW_MS);
  assert.equal(await tryAs(gateway, share, "203.0.113.1", PASSCODE), null);
});

Deno.test("after 500 wrong passcodes in its life, a share is shut for whoever has the right one, too, and its maker sees that", async () => {
  using clock = fakeClock();
  clock.pass(1);
  await using gateway = await startShareGateway(startGateway, SETTINGS);
  const share = await makeShare(gateway, KEYS.user, { passcode: PASSCODE });
  const other = await makeShare(gateway, KEYS.user, { passcode: PASSCODE });
  async function isShut(): Promise<boolean> {
    const asked = { path: `/${share.id}` };
    const { body } = await askApi(gateway, KEYS.user, asked);
    return JSON.parse(body).isShut;
  }
  for (let count = 0; count < 500; count++) {
    if (count % 50 === 0) clock.pass(WINDOW_MS);
    const code = await tryAs(gateway, share, `198.51.100.${count % 50}`);
    assert.equal(code, "passcode_wrong", String(count));
  }
  assert.equal(await isShut(), false);
  const late = await tryAs(gateway, share, "192.0.2.1", PASSCODE);
  assert.equal(late, "share_shut");
  assert.equal(await isShut(), true);
  assert.equal(await tryAs(gateway, other, "192.0.2.1", PASSCODE), null);
});

Deno.test("refusals of shares count against the client's budget, and questions do not", async () => {
  using _ = fakeClock(); // no budget is refilled
  await using gateway = await startShareGateway(startGateway, {
    ...SETTINGS,
    REFUSALS_PER_MINUTE: "6",
  });
  const share = await makeShare(gateway, KEYS.user, { passcode: PASSCODE });
  for (let i = 0; i < 20; i++) {
    assert.equal((await press(gateway, share)).code, "passcode_required");
  }
  const wrong = { ...share, secret: "x".repeat(43) };
  const codes: (string | null)[] = [];
  for (let i = 0; i < 4; i++) {
    codes.push(await tryAs(gateway, wrong, "192.0.2.1", PASSCODE));
    codes.push(await tryAs(gateway, share, "192.0.2.1"));
  }
  assert.deepEqual(codes, [
    "share_invalid",
    "passcode_wrong",
    "share_invalid",
    "passcode_wrong",
    "share_invalid",
    "passcode_wrong",
    "too_many_refusals",
    "too_many_refusals",
  ]);
  assert.equal(await tryAs(gateway, share, "192.0.2.2", PASSCODE), null);
  const read = { path: `/${share.id}` };
  assert.equal((await askApi(gateway, KEYS.user, read)).status, 200);
});
