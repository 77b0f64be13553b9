import assert from "node:assert/strict";
import { parseConfig } from "../../src/config.ts";
import { booleanCodec, openAnswerCache } from "../../src/directory/answers.ts";
import { createBackground } from "../../src/lib/background.ts";

const REFUSAL = new Error("Over its budget");

function refuse(): never {
  throw REFUSAL;
}

Deno.test("who may ask nothing gets the answer that is at hand, as long as it holds, and has nothing renewed", async () => {
  const result = parseConfig({
    DAYTONA_API_URL: "http://127.0.0.1/api",
    PROXY_API_KEY: "key",
    TOKEN_TTL_SEC: "100",
  });
  assert(result.ok);
  let nowMs = 0;
  let asked = 0;
  const answers = openAnswerCache("sandbox-access", booleanCodec, {
    cache: result.config.cache,
    store: null,
    now: () => nowMs,
    onEvent() {},
    background: createBackground(),
    isPositive: (value) => value,
  });
  function ask(): Promise<boolean> {
    asked++;
    return Promise.resolve(true);
  }
  assert.throws(() => answers.lookUp("k", ask, refuse), REFUSAL);
  assert.equal(await answers.lookUp("k", ask, () => {}), true);
  for (const ms of [1, 75_000, 99_999]) {
    nowMs = ms;
    assert.equal(answers.lookUp("k", ask, refuse), true, String(ms));
  }
  assert.equal(asked, 1);
  nowMs = 100_000;
  assert.throws(() => answers.lookUp("k", ask, refuse), REFUSAL);
});
