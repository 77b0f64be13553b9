import assert from "node:assert/strict";
import {
  answerId,
  Answers,
} from "../../../../src/features/identity/answers.ts";
import { configOf } from "../../../support/config.ts";
import { MemoryValues } from "../../../support/memory_values.ts";

const LOGIN = { id: "login", expiresAt: 60_000 };
const ID = answerId(LOGIN, "box");

/** Two gateways that share a store. */
function setUp() {
  const clock = { now: 1_000 };
  const store = new MemoryValues();
  const now = () => clock.now;
  const config = configOf({});
  const [one, other] = [1, 2].map(() =>
    new Answers({ recordValues: store.gateway(), config, now })
  );
  assert(one && other);
  return { one, other, clock, store };
}

Deno.test("an answer counts at all gateways at once, and costs a question to the store in five seconds", async () => {
  const { one, other, clock, store } = setUp();
  assert.equal(await other.get(ID), undefined);
  await other.set(ID, ["email"], LOGIN);
  assert.deepEqual(await other.get(ID), ["email"]);
  store.asked.length = 0;
  for (let nth = 0; nth < 100; nth++) {
    assert.deepEqual(await one.get(ID), ["email"]);
  }
  assert.equal(store.asked.length, 1);
  clock.now += 5_001;
  await one.get(ID);
  assert.equal(store.asked.length, 2);
});

Deno.test("that there is no answer yet costs a question to the store in a second", async () => {
  const { one, other, clock, store } = setUp();
  for (let nth = 0; nth < 100; nth++) {
    assert.equal(await one.get(ID), undefined);
  }
  assert.equal(store.asked.length, 1);
  await other.set(ID, [], LOGIN);
  clock.now += 1_001;
  assert.deepEqual(await one.get(ID), []);
});

Deno.test("another answer takes the place of the one before: there at once, and elsewhere within five seconds", async () => {
  const { one, other, clock } = setUp();
  await one.set(ID, ["email", "name"], LOGIN);
  assert.deepEqual(await other.get(ID), ["email", "name"]);
  await one.set(ID, [], LOGIN);
  assert.deepEqual(await one.get(ID), []);
  clock.now += 5_001;
  assert.deepEqual(await other.get(ID), []);
});

Deno.test("an answer is one login's, for one sandbox, and the store tells neither", async () => {
  const { one, store } = setUp();
  await one.set(ID, ["email"], LOGIN);
  const others = [
    answerId({ ...LOGIN, id: "another" }, "box"),
    answerId(LOGIN, "another"),
    answerId({ ...LOGIN, id: "loginb" }, "ox"),
  ];
  for (const id of others) assert.equal(await one.get(id), undefined);
  const [key = ""] = store.kept.keys();
  assert.match(key, /^identity-answers,[\w-]{43}$/);
});

Deno.test("an answer is kept until its login ends", async () => {
  const { one, clock, store } = setUp();
  clock.now = 20_000;
  await one.set(ID, ["email"], LOGIN);
  assert.equal(store.keptMs, 40_000);
  clock.now = 70_000;
  await one.set(ID, ["email"], LOGIN);
  assert.equal(store.keptMs, 1);
});

Deno.test("while the store is away, nothing may go out, and no answer is taken", async () => {
  const { one, other, store } = setUp();
  await one.set(ID, ["email"], LOGIN);
  store.isAway = true;
  assert.deepEqual(await other.get(ID), []);
  const code = "records_unavailable";
  await assert.rejects(other.set(ID, ["email"], LOGIN), { code });
  store.isAway = false;
  assert.deepEqual(await other.get(ID), ["email"]);
});

Deno.test("two answers at once are both kept, one after the other", async () => {
  const { one, other, store } = setUp();
  const written = [
    one.set(ID, ["email"], LOGIN),
    other.set(ID, [], LOGIN),
  ];
  await Promise.all(written);
  assert.equal(store.kept.size, 1);
  assert(store.asked.filter((one) => one.startsWith("write")).length >= 3);
});

Deno.test("what was read before another answer was given does not take its place", async () => {
  const { one, clock, store } = setUp();
  await one.set(ID, ["email"], LOGIN);
  clock.now += 5_001;
  const release = store.holdNextRead(`identity-answers,${ID}`);
  const reading = one.get(ID);
  await one.set(ID, [], LOGIN);
  release();
  assert.deepEqual(await reading, []);
  assert.deepEqual(await one.get(ID), []);
});

Deno.test("while an answer cannot be read nothing may go out, and another one takes its place", async () => {
  const { one, store } = setUp();
  const key = `identity-answers,${ID}`;
  store.kept.set(key, { text: '{"a":1}', version: "theirs" });
  assert.deepEqual(await one.get(ID), []);
  await one.set(ID, ["email"], LOGIN);
  assert.equal(store.kept.get(key)?.text, '["email"]');
});
