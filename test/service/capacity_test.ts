/** What public sandboxes cost the API, as docs/operate.md says: checked by gateways without a network, on a fake clock. */
import assert from "node:assert/strict";
import type { DurableStore, StoredEntry } from "../../src/cache/store.ts";
import { Background } from "../../src/lib/background.ts";
import { createSealer } from "../../src/lib/seal.ts";
import { UNMETERED } from "../../src/resolver/lookup_cache.ts";
import { SandboxResolver } from "../../src/resolver/own/sandboxes.ts";
import { configOf } from "../support/config.ts";
import { NO_UPSTREAM } from "../support/destination.ts";
import { BARE_RECORD } from "../support/sandbox_facts.ts";

/** The age at which "public" is asked for again, s. */
const RENEWED_AFTER_SEC = 3.5;

/** The line of the document, where `h` is that age, and `a` the gateways that ask. */
const FORMULA = "publics    = (1 - p) a / (h + a w)";

/** Of 10,000 public sandboxes, one in 50 is simulated, with as many requests each. */
const SANDBOXES = 10_000;
const SCALE = 50;

/** Time between two requests for a sandbox, s, on average. */
const PAUSE_SEC = 0.5;

/** Simulated time before questions are counted, and in which they are, s. */
const WARM_UP_SEC = 15;
const COUNTED_SEC = 60;

/** A number in [0, 1), the same ones in each run (a linear congruential generator). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A store that several gateways share, and that the API does not know. */
function sharedStore(now: () => number): DurableStore {
  const entries = new Map<string, StoredEntry>();
  function find(name: string): StoredEntry | "absent" {
    const entry = entries.get(name);
    return entry && now() < entry.staleUntil ? entry : "absent";
  }
  return {
    shared: true,
    get: (key) => Promise.resolve(find(key.join("/"))),
    set: (key, entry) =>
      Promise.resolve(void entries.set(key.join("/"), entry)),
    delete: (key) => Promise.resolve(void entries.delete(key.join("/"))),
    claim(key, entry) {
      const name = key.join("/");
      if (find(name) !== "absent") return Promise.resolve("taken");
      entries.set(name, entry);
      return Promise.resolve("claimed");
    },
    release: () => Promise.resolve(),
    announce: () => Promise.resolve(),
    listen() {},
    close() {},
  };
}

/** The questions a second that so many gateways ask about all sandboxes. */
async function simulate(gateways: number, isShared: boolean): Promise<number> {
  let time = 1_700_000_000_000;
  const now = () => time;
  const store = isShared ? sharedStore(now) : null;
  const background = new Background((task, reason) => {
    throw new Error(task, { cause: reason });
  });
  let asked = 0;
  const api = {
    isSandboxPublic() {
      asked++;
      return Promise.resolve(true);
    },
    runnerOfSandbox: () => Promise.resolve(null),
    recordOf: () => Promise.resolve(BARE_RECORD),
  };
  const options = {
    cache: configOf().cache,
    store,
    now,
    onEvent() {},
    background,
    sealer: createSealer({ secrets: ["secret"], purpose: "runner", now }),
    appOrigin: "auto",
    upstream: NO_UPSTREAM,
    onPrivate: () => assert.fail("none is private"),
  } as const;
  const resolvers = Array.from(
    { length: gateways },
    () => new SandboxResolver(api, options),
  );
  const random = seeded(1);
  const count = SANDBOXES / SCALE;
  async function run(seconds: number): Promise<void> {
    const end = time + 1000 * seconds;
    while (time < end) {
      time -= Math.log(1 - random()) * 1000 * PAUSE_SEC / count;
      const gateway = resolvers[Math.floor(random() * gateways)];
      await gateway?.isPublic(String(Math.floor(random() * count)), UNMETERED);
      await background.settled();
    }
  }
  await run(WARM_UP_SEC);
  asked = 0;
  await run(COUNTED_SEC);
  return asked / COUNTED_SEC * SCALE;
}

/** What the document says of the same. */
function modelled(gateways: number, isShared: boolean): number {
  const a = isShared ? 1 : gateways;
  return SANDBOXES * a / (RENEWED_AFTER_SEC + a * PAUSE_SEC);
}

for (const gateways of [1, 3, 10]) {
  for (const isShared of [true, false]) {
    const what = `${gateways} gateways ${
      isShared ? "with" : "without"
    } a store`;
    Deno.test(`what ${SANDBOXES} public sandboxes cost with ${what} is within 15 % of docs/operate.md`, async () => {
      const measured = await simulate(gateways, isShared);
      const model = modelled(gateways, isShared);
      const ratio = measured / model;
      assert(
        0.85 < ratio && ratio < 1.15,
        `${measured.toFixed()} questions a second, not ${model.toFixed()}`,
      );
    });
  }
}

Deno.test("docs/operate.md has the formula that is checked here", async () => {
  const text = await Deno.readTextFile("docs/operate.md");
  assert(text.includes(FORMULA));
});
