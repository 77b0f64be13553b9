import assert from "node:assert/strict";
import { HostedRenewals } from "../../../../src/resolver/hosted/hosted_renewals.ts";
import { settled } from "../../cache/fakes.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

/** Renewals, and an API that answers once it is told to. */
function setUp() {
  const asked: string[] = [];
  const api = { token: "first", goOn: Promise.resolve() };
  const renewals = new HostedRenewals({
    async sandbox(id) {
      asked.push(`sandbox ${id}`);
      await api.goOn;
    },
    async token(id) {
      const { token, goOn } = api;
      asked.push(`token ${id}`);
      await goOn;
      return token;
    },
  }, 100);
  return { renewals, api, asked };
}

/** Whether a promise is settled. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  promise.then(() => isDone = true, () => isDone = true);
  await settled();
  return isDone;
}

Deno.test("a destination that fails is asked about once in five seconds for each token, however many requests fail", async () => {
  using clock = fakeClock();
  const { renewals, api, asked } = setUp();
  const fail = (refused?: string) =>
    renewals.ofDestination("box", 3000, refused);
  api.token = "second";
  await Promise.all(Array.from({ length: 100 }, () => fail("first")));
  assert.deepEqual(asked, ["token box", "sandbox box"]);
  await fail("first");
  assert.equal(asked.length, 2);
  api.token = "third";
  await fail("second");
  assert.equal(asked.length, 4, "another token has failed");
  await fail();
  assert.equal(asked.length, 6, "for another reason");
  await fail();
  renewals.forget("box");
  await fail();
  assert.equal(asked.length, 8, "it has changed");
  clock.pass(5001);
  await fail("second");
  assert.equal(asked.length, 10);
});

Deno.test("of a refused token that the API still tells, it is asked once more, after it may no longer remember one from before a start", async () => {
  using clock = fakeClock();
  clock.pass(1);
  const { renewals, api, asked } = setUp();
  const requests = Promise.all(
    [1, 2, 3].map(() => renewals.ofDestination("box", 3000, "first")),
  );
  assert.equal(await isDone(requests), false);
  api.token = "second";
  clock.pass(1000);
  assert.equal(await isDone(requests), false);
  clock.pass(1000);
  await requests;
  assert.deepEqual(asked, ["token box", "sandbox box", "token box"]);
});

Deno.test("a visitor with another token has the API asked, at once if it was not lately, and otherwise five seconds after that", async () => {
  using clock = fakeClock();
  const { renewals, asked } = setUp();
  assert.equal(await renewals.forVisitor("box", 3000), true);
  clock.pass(1000);
  const late = Promise.all(
    [1, 2, 3].map(() => renewals.forVisitor("box", 3000)),
  );
  assert.equal(await renewals.forVisitor("other", 3000), true);
  clock.pass(3999);
  assert.equal(await isDone(late), false);
  clock.pass(1);
  assert.deepEqual(await late, [true, true, true]);
  assert.deepEqual(asked, ["token box", "token other", "token box"]);
  clock.pass(5000);
  assert.equal(await renewals.forVisitor("box", 3000), true);
  assert.equal(asked.length, 4);
});

Deno.test("who comes while the API is being asked gets that answer, and learns that it is from before", async () => {
  using _ = fakeClock();
  const { renewals, api, asked } = setUp();
  const { promise, resolve } = Promise.withResolvers<void>();
  api.goOn = promise;
  const first = renewals.forVisitor("box", 3000);
  const second = renewals.forVisitor("box", 3000);
  resolve();
  assert.deepEqual(await Promise.all([first, second]), [true, false]);
  assert.deepEqual(asked, ["token box"]);
});

Deno.test("a failure of the API is everybody's who waits for that answer, and the next is asked for as late as after any other", async () => {
  using clock = fakeClock();
  const { renewals, api, asked } = setUp();
  const { promise, reject } = Promise.withResolvers<void>();
  api.goOn = promise;
  const requests = [1, 2].map(() => renewals.forVisitor("box", 3000));
  reject(new Error("down"));
  for (const request of requests) await assert.rejects(request, /down/);
  api.goOn = Promise.resolve();
  const late = renewals.forVisitor("box", 3000);
  assert.equal(await isDone(late), false);
  clock.pass(5000);
  assert.equal(await late, true);
  assert.equal(asked.length, 2);
});
