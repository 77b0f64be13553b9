/** What a first visit asks the API, on the complete service: in which order, and what of it at once. */
import assert from "node:assert/strict";
import { KEYS, type Stack, startStack } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import {
  type Answer,
  DEMO,
  LOCKED,
  startGatewayOf,
} from "../support/gateway.ts";

/**
 * The questions about sandboxes that a visit has the API asked, in rounds of so many: those of a round are answered once
 * all of them are there, and what is asked after the last is a round of its own.
 */
async function roundsOf(
  { api }: Stack,
  sizes: readonly number[],
  visit: () => Promise<Answer>,
): Promise<string[][]> {
  const rounds = [...sizes, 0].map(() => ({
    asked: [] as string[],
    answers: Promise.withResolvers<void>(),
  }));
  let at = 0;
  api.beforeAnswer = async ({ operation, params }) => {
    const isAbout = Object.keys(params).length > 0;
    const round = rounds[at];
    if (!isAbout || operation === "updateLastActivity" || !round) return;
    round.asked.push(operation);
    await round.answers.promise;
  };
  const answer = visit();
  for (const [index, size] of sizes.entries()) {
    const round = rounds[index] ?? assert.fail();
    await assertEventually(
      () => round.asked.length >= size,
      `${size} questions in round ${index}, after ${JSON.stringify(rounds)}`,
    );
    at++;
    round.answers.resolve();
  }
  rounds.at(-1)?.answers.resolve();
  assert.equal((await answer).status, 200);
  return rounds.map(({ asked }) => asked.toSorted());
}

/** Of a first visit to a port of a sandbox, while no runner is known. */
const FIRST = ["getRunnerBySandboxId", "getSandbox", "isSandboxPublic"];

Deno.test("the first visit of all asks at once whether the sandbox is public, where it is and for its record; on a runner that is known, not where", async () => {
  await using stack = await startStack();
  await using gateway = await startGatewayOf(stack);
  const asked = await roundsOf(stack, [3], () => gateway.send(DEMO));
  assert.deepEqual(asked, [FIRST, []]);
  const { sandboxes } = stack.api.state;
  const demo = sandboxes.get("demo") ?? assert.fail();
  sandboxes.set("another", { ...demo, id: "another" });
  const { containers } = stack.runner;
  containers.set("another", containers.get("demo") ?? assert.fail());
  const visit = () => gateway.send(DEMO.replace("demo", "another"));
  const onKnown = ["getSandbox", "isSandboxPublic"];
  assert.deepEqual(await roundsOf(stack, [2], visit), [onKnown, []]);
  assert.deepEqual(await roundsOf(stack, [], visit), [[]]);
});

Deno.test("a session's first visit to a private sandbox asks that at once, and then, as it is not public, of the session only", async () => {
  await using stack = await startStack();
  await using before = await startGatewayOf(stack);
  const path = `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
  const opened = await before.send(LOCKED, { path });
  const [cookie = ""] = opened.headers.get("set-cookie")?.split(";") ?? [];
  await using gateway = await startGatewayOf(stack);
  const visit = () => gateway.send(LOCKED, { headers: { cookie } });
  assert.deepEqual(await roundsOf(stack, [3, 1], visit), [
    FIRST,
    ["isValidAuthToken"],
    [],
  ]);
  assert.deepEqual(await roundsOf(stack, [], visit), [[]]);
});
