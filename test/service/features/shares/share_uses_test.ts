/** How often a share opens, and what ends with it, at all gateways, tested on complete services that share a database. */
import assert from "node:assert/strict";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { startGatewayOf } from "../../../support/gateway.ts";
import { sharedTierTest as test } from "../../../support/shared_tier.ts";
import { testGrantCarrier } from "../../../support/suites/grant_carrier.ts";
import {
  askApi,
  follow,
  makeShare,
  MEMBERS,
  openedBy,
  press,
  startShareGateway,
} from "./share_gateway.ts";

test("a share opens as often as it says, whoever presses at once, and wherever", async (tier) => {
  await using stack = await startStack();
  const settings = { ...MEMBERS, ...tier.environment };
  await using first = await startGatewayOf(stack, settings);
  await using second = await startGatewayOf(stack, settings);
  const share = await makeShare(first, KEYS.user, { uses: 5 });
  const pressed = await Promise.all(
    Array.from(
      { length: 16 },
      (_, i) => press(i % 2 === 0 ? first : second, share),
    ),
  );
  const codes = pressed.map(({ code }) => code).sort();
  assert.deepEqual(
    codes,
    [
      ...Array(5).fill(null),
      ...Array(11).fill("share_used_up"),
    ].sort(),
  );
  const statuses = pressed.map(({ status }) => status);
  assert.deepEqual([...new Set(statuses)].sort(), [200, 410]);
  const told = await askApi(second, KEYS.user, { path: `/${share.id}` });
  assert.equal(told.json()["usesLeft"], 0);
  // What it has opened stays open, and what one gateway has told the way to, another one knows.
  for (const answer of pressed.filter(({ status }) => status === 200)) {
    assert.equal((await follow(second, answer)).status, 303);
    assert.equal((await follow(first, answer)).code, "grant_invalid");
  }
});

testGrantCarrier({
  one: "a share",
  start: startShareGateway,
  make: (gateway, key, expiresInSec) =>
    makeShare(gateway, key, { expiresInSec }),
  open: async (gateway, share) => ({ cookie: await openedBy(gateway, share) }),
  async secretsOf(gateway, share) {
    const { location } = (await press(gateway, share)).json();
    const { searchParams } = new URL(String(location));
    return [share.secret, String(searchParams.get("porthole_token"))];
  },
  record: {
    kind: "shares",
    settings: MEMBERS,
    idOf: ({ id }) => id,
    async watch(share, first, second) {
      const pressed = await press(second, share);
      return async () => {
        for (const gateway of [first, second]) {
          assert.equal((await press(gateway, share)).code, "share_invalid");
        }
        assert.equal((await follow(second, pressed)).code, "grant_invalid");
      };
    },
  },
});
