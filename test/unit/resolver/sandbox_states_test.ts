import assert from "node:assert/strict";
import type { Sandbox } from "../../../src/daytona/api.ts";
import { GatewayError } from "../../../src/errors.ts";
import { Background } from "../../../src/lib/background.ts";
import { SandboxStates } from "../../../src/resolver/sandbox_states.ts";
import { manualClock } from "../cache/fakes.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { sandboxWith } from "../../support/sandbox_facts.ts";
import { turn } from "../../support/upstream.ts";

/** The states of sandboxes at an API that answers with these facts, or not. */
function setUp(answer: Partial<Sandbox> | null | Error | Promise<never>) {
  const clock = manualClock();
  const started: string[] = [];
  let asked = 0;
  const states = new SandboxStates({
    async sandboxById(id) {
      asked++;
      const facts = await answer;
      if (facts instanceof Error) throw facts;
      return facts && { ...sandboxWith(id, {}), ...facts };
    },
  }, {
    maxEntries: 10,
    now: () => clock.now(),
    background: new Background(() => {}),
    onStarted(id) {
      started.push(id);
      states.forget(id);
    },
  });
  return { states, clock, started, asked: () => asked };
}

const FAILED = { state: "error", desiredState: "started" };

Deno.test("SandboxStates ask once for all who wait, and again after two seconds", async () => {
  const { states, clock, asked } = setUp({ ...FAILED, recoverable: true });
  const told = {
    ...FAILED,
    recoverable: true,
    errorReason: null,
    organizationId: null,
    ended: null,
  };
  const both = [states.stateOf("box"), states.stateOf("box")];
  assert.deepEqual(await Promise.all(both), [told, told]);
  await states.stateOf("box");
  assert.equal(asked(), 1);
  await states.stateOf("another");
  assert.equal(asked(), 2);
  clock.time += 2001;
  await states.stateOf("box");
  assert.equal(asked(), 3);
});

Deno.test("SandboxStates read labels and state by one question", async () => {
  const labels = { "porthole.app-origin": "local" };
  const { states, asked } = setUp({ ...FAILED, labels });
  const [read, told] = await Promise.all([
    states.recordOf("box"),
    states.stateOf("box"),
  ]);
  assert.deepEqual([read?.owner.labels, told?.state], [labels, "error"]);
  assert.deepEqual(await states.recordOf("box"), read);
  assert.equal(asked(), 1);
});

Deno.test("SandboxStates tell a record that the API does not show from one that says nothing", async () => {
  assert.equal(await setUp(null).states.recordOf("box"), null);
  const { owner } = await setUp({}).states.recordOf("box") ?? assert.fail();
  assert.deepEqual(owner, { labels: {}, organizationId: null });
});

Deno.test("SandboxStates say why the record is not told, and ask again, but not for the state", async () => {
  const failure = new GatewayError("api_throttled", "wait");
  const { states, asked } = setUp(failure);
  for (let i = 1; i <= 2; i++) {
    await assert.rejects(states.recordOf("box"), failure);
    assert.equal(await states.stateOf("box"), undefined);
    assert.equal(asked(), i);
  }
});

Deno.test("SandboxStates ask again about a sandbox that was forgotten, also while they ask", async () => {
  const { states, asked } = setUp(FAILED);
  await states.stateOf("box");
  states.forget("box");
  const before = states.stateOf("box");
  states.forget("box");
  await Promise.all([before, states.stateOf("box")]);
  assert.equal(asked(), 3);
});

Deno.test("SandboxStates tell that the API shows no such sandbox from its not telling, and remember either", async () => {
  for (
    const [answer, expected] of [
      [null, null],
      [new GatewayError("api_throttled", "wait"), undefined],
      [new GatewayError("api_unreachable", "down"), undefined],
      [{ state: null }, undefined],
      [{ id: "of-another" }, undefined],
    ] as const
  ) {
    const { states, asked } = setUp(answer);
    for (let i = 0; i < 2; i++) {
      assert.equal(await states.stateOf("box"), expected);
    }
    assert.equal(asked(), 1);
  }
});

Deno.test("SandboxStates pass on nothing that is no word in place of a state, and no endless reason", async () => {
  assert.equal(
    await setUp({ state: "a\r\nset-cookie: b" }).states.stateOf("box"),
    undefined,
  );
  const { states } = setUp({
    ...FAILED,
    desiredState: "<b>",
    errorReason: "x".repeat(100_000),
  });
  const told = await states.stateOf("box");
  assert.equal(told?.desiredState, null);
  assert.equal(told.errorReason?.length, 500);
});

Deno.test("SandboxStates do not wait longer than two seconds", async () => {
  using elapsed = fakeClock();
  const { states } = setUp(new Promise<never>(() => {}));
  const told = states.stateOf("box");
  await turn();
  elapsed.pass(2000);
  assert.equal(await told, undefined);
});

Deno.test("SandboxStates say once that a sandbox has started which they saw at rest, and keep that answer", async () => {
  const facts = { state: "started" };
  const { states, clock, started, asked } = setUp(facts);
  for (const state of ["started", "stopped", "starting", "started"]) {
    facts.state = state;
    clock.time += 2001;
    await states.stateOf("box");
    assert.deepEqual(started, asked() === 4 ? ["box"] : []);
  }
  await states.stateOf("box");
  assert.equal(asked(), 4);
});

Deno.test("SandboxStates do not keep an answer that was on its way when the state was forgotten", async () => {
  const answer = Promise.withResolvers<never>();
  const { states, asked } = setUp(answer.promise);
  const before = states.stateOf("box");
  states.forget("box");
  answer.reject(new GatewayError("api_unreachable", "down"));
  assert.equal(await before, undefined);
  assert.equal(await states.stateOf("box"), undefined);
  assert.equal(asked(), 2);
});
