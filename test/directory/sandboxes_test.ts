import assert from "node:assert/strict";
import type { DurableStore } from "../../src/cache/store.ts";
import { parseConfig } from "../../src/config.ts";
import type { Runner } from "../../src/daytona/client.ts";
import { createSandboxDirectory } from "../../src/directory/sandboxes.ts";
import { createBackground } from "../../src/lib/background.ts";
import { createSealer } from "../../src/lib/seal.ts";

const RUNNER: Runner = {
  proxyUrl: "http://runner",
  apiUrl: null,
  apiKey: "key",
};

/** A directory with clocks under the test's control: the wall's, and one that is never set. */
function setUp(store: DurableStore | null = null) {
  const clock = { now: Date.now(), elapsed: 1 };
  const result = parseConfig({
    DAYTONA_API_URL: "http://127.0.0.1/api",
    PROXY_API_KEY: "key",
  });
  assert(result.ok);
  const asked: string[] = [];
  const background = createBackground();
  const now = () => clock.now;
  const directory = createSandboxDirectory({
    isSandboxPublic: () => Promise.resolve(true),
    runnerOfSandbox(sandboxId) {
      asked.push(sandboxId);
      return Promise.resolve(RUNNER);
    },
  }, {
    cache: result.config.cache,
    store,
    background,
    now,
    perf: { now: () => clock.elapsed },
    onEvent() {},
    sealer: createSealer({ secrets: ["s".repeat(32)], purpose: "t", now }),
  });
  return { asked, background, clock, directory };
}

Deno.test("renewRunner() asks once in five seconds for each sandbox, though the clock is set back", async () => {
  const { asked, background, clock, directory } = setUp();
  for (let request = 0; request < 3; request++) {
    assert.equal(await directory.renewRunner("one"), RUNNER);
  }
  await directory.renewRunner("two");
  assert.deepEqual(asked, ["one", "two"]);
  clock.now -= 3_600_000;
  clock.elapsed += 5000;
  await directory.renewRunner("one");
  assert.deepEqual(asked, ["one", "two"]);
  clock.elapsed += 1;
  await directory.renewRunner("one");
  assert.deepEqual(asked, ["one", "two", "one"]);
  await background.settled();
});

Deno.test("renewRunner() does not wait for the durable tier", async () => {
  const written = Promise.withResolvers<void>();
  const { background, directory } = setUp({
    shared: true,
    get: () => Promise.resolve("absent"),
    set: () => written.promise,
    delete: () => written.promise,
    close() {},
  });
  assert.equal(await directory.renewRunner("one"), RUNNER);
  written.resolve();
  await background.settled();
});
