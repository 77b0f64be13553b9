import assert from "node:assert/strict";
import { FEATURE_CACHE_KINDS } from "../../../gen/facts.ts";
import type { DurableStore } from "../../../src/cache/store.ts";
import { GatewayError } from "../../../src/errors.ts";
import { Background } from "../../../src/lib/background.ts";
import { booleanCodec } from "../../../src/resolver/codecs.ts";
import {
  LookupCache,
  type LookupKind,
  UNMETERED,
} from "../../../src/resolver/lookup_cache.ts";
import { configOf } from "../../support/config.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { fakeStore, settled } from "../cache/fakes.ts";

const REFUSAL = new Error("Over its budget");

const USED_UP = {
  spend(): never {
    throw REFUSAL;
  },
};

Deno.test("LookupCache serves a client without budget from memory until the answer expires, and renews nothing", async () => {
  const { cache } = configOf({ TOKEN_TTL_SEC: "100" });
  let nowMs = 0;
  let asked = 0;
  const answers = new LookupCache("sandbox-access", booleanCodec, {
    cache,
    store: null,
    now: () => nowMs,
    onEvent() {},
    background: new Background(() => {}),
  });
  function ask(): Promise<boolean> {
    asked++;
    return Promise.resolve(true);
  }
  await assert.rejects(
    async () => await answers.lookUp("k", ask, USED_UP),
    REFUSAL,
  );
  assert.equal(await answers.lookUp("k", ask, UNMETERED), true);
  for (const ms of [1, 75_000, 99_999]) {
    nowMs = ms;
    assert.equal(await answers.lookUp("k", ask, USED_UP), true, String(ms));
  }
  assert.equal(asked, 1);
  nowMs = 100_000;
  await assert.rejects(
    async () => await answers.lookUp("k", ask, USED_UP),
    REFUSAL,
  );
});

/** A cache of one kind, all of whose answers are `answer`, and how often it asked. */
function answersOf(
  kind: LookupKind,
  answer: boolean | (() => Promise<boolean>),
  { env = {}, store = null }: {
    env?: Record<string, string>;
    store?: DurableStore | null;
  } = {},
) {
  const { cache } = configOf(env);
  const background = new Background(() => {});
  const state = { nowMs: 0, asked: 0, answer };
  const answers = new LookupCache(kind, booleanCodec, {
    cache,
    store,
    now: () => state.nowMs,
    onEvent() {},
    background,
  });
  async function ask(): Promise<boolean> {
    state.asked++;
    return typeof state.answer === "boolean"
      ? state.answer
      : await state.answer();
  }
  return { answers, state, ask, settled: () => background.settled() };
}

const TTLS = {
  PUBLIC_TTL_SEC: "600",
  RUNNER_TTL_SEC: "700",
  TOKEN_TTL_SEC: "100",
  TOKEN_REFUSED_TTL_SEC: "20",
  SIGNED_TOKEN_TTL_SEC: "50",
  STALE_IF_ERROR_SEC: "1000",
};

/** And where tokens may be used for longer in an outage. */
const WITH_TOKENS = { ...TTLS, TOKEN_STALE_IF_ERROR_SEC: "2000" };

/** For how many seconds `yes` or `no` answers, and for how many more while the API is down. */
type Lifetimes = Readonly<
  Record<LookupKind, readonly (readonly [boolean, number, number])[]>
>;

const LIFETIMES: Lifetimes = {
  "sandbox-public": [[true, 600, 1000], [false, 30, 0]],
  ...Object.assign(
    {},
    ...FEATURE_CACHE_KINDS.map((kind) => ({
      [kind]: [[true, 600, 1000], [false, 30, 0]],
    })),
  ),
  "sandbox-runner-info": [[true, 700, 1000], [false, 20, 0]],
  "sandbox-name": [[true, 700, 1000], [false, 20, 0]],
  "hosted-sandbox": [[true, 600, 1000], [false, 20, 0]],
  "hosted-preview": [[true, 700, 1000], [false, 20, 0]],
  "hosted-domains": [[true, 600, 1000], [false, 20, 0]],
  "sandbox-auth-key-valid": [[true, 100, 0], [false, 20, 0]],
  "sandbox-access": [[true, 100, 0], [false, 20, 0]],
  "sandbox-labels": [[true, 700, 0], [false, 20, 0]],
  "signed-token": [[true, 50, 0], [false, 20, 0]],
  "signing-key": [[true, 15, 0], [false, 20, 0]],
};

async function assertLifetimes(
  lifetimes: Lifetimes,
  env: Record<string, string>,
): Promise<void> {
  for (const kind of Object.keys(lifetimes) as LookupKind[]) {
    for (const [answer, ttlSec, staleSec] of lifetimes[kind]) {
      const { answers, state, ask, settled } = answersOf(kind, answer, { env });
      const what = `${kind}: ${answer}`;
      await answers.lookUp("k", ask, UNMETERED);
      state.answer = () => Promise.reject(new Error("down"));
      const untilMs = 1000 * (ttlSec + staleSec);
      for (const ms of [1000 * ttlSec - 1, untilMs - 1]) {
        state.nowMs = ms;
        assert.equal(await answers.lookUp("k", ask, UNMETERED), answer, what);
        await settled();
      }
      state.nowMs = untilMs;
      await assert.rejects(
        async () => await answers.lookUp("k", ask, UNMETERED),
        /down/,
        what,
      );
    }
  }
}

Deno.test("each kind of answer is cached for its TTL, and only facts about sandboxes for longer in an outage", async () => {
  await assertLifetimes(LIFETIMES, TTLS);
});

Deno.test("accepted tokens and users are used for longer in an outage if the operator says so; links, keys of URLs and refusals never are", async () => {
  const token = [[true, 100, 2000], [false, 20, 0]] as const;
  await assertLifetimes({
    ...LIFETIMES,
    "sandbox-auth-key-valid": token,
    "sandbox-access": token,
    "sandbox-labels": [[true, 700, 2000], [false, 20, 0]],
  }, WITH_TOKENS);
});

Deno.test("no outage extends what ends by itself", async () => {
  for (
    const [endsAt, untilMs] of [
      [500_000, 500_000],
      [50_000, 100_000], // as today: the TTL
      [undefined, 2_100_000],
    ] as const
  ) {
    const { answers, state, ask, settled } = answersOf("sandbox-access", true, {
      env: WITH_TOKENS,
    });
    const lookUp = () =>
      answers.lookUp("k", ask, UNMETERED, undefined, () => endsAt);
    await lookUp();
    state.answer = () => Promise.reject(new Error("down"));
    state.nowMs = untilMs - 1;
    assert.equal(await lookUp(), true);
    await settled();
    state.nowMs = untilMs;
    await assert.rejects(async () => await lookUp(), /down/);
  }
});

Deno.test("a user whom the API throttles is not in an outage", async () => {
  const { answers, state, ask } = answersOf("sandbox-access", true, {
    env: WITH_TOKENS,
  });
  const lookUp = () => answers.lookUp("k", ask, UNMETERED);
  await lookUp();
  state.nowMs = 100_000;
  state.answer = () => Promise.reject(new GatewayError("user_throttled", ""));
  await assert.rejects(async () => await lookUp(), { code: "user_throttled" });
  await assert.rejects(async () => await lookUp(), { code: "user_throttled" });
  state.answer = () => Promise.reject(new GatewayError("api_unreachable", ""));
  assert.equal(await lookUp(), true);
});

/** The kinds of which an old answer will do while the API is slow: they grant nothing. */
const PLACES: readonly LookupKind[] = [
  "sandbox-runner-info",
  "sandbox-name",
  "hosted-preview",
  "hosted-domains",
];

Deno.test("while the API is slow, places are served as they were, and nothing that admits anybody", async () => {
  for (const kind of Object.keys(LIFETIMES) as LookupKind[]) {
    using clock = fakeClock();
    const { answers, state, ask } = answersOf(kind, true, { env: TTLS });
    await answers.lookUp("k", ask, UNMETERED);
    const answered = Promise.withResolvers<boolean>();
    state.answer = () => answered.promise;
    state.nowMs = 1000 * (LIFETIMES[kind][0]?.[1] ?? 0);
    let isServed = false;
    const served = Promise.resolve(answers.lookUp("k", ask, UNMETERED))
      .then(() => isServed = true);
    await settled();
    clock.pass(300);
    await settled();
    assert.equal(isServed, PLACES.includes(kind), kind);
    answered.resolve(true);
    await served;
  }
});

Deno.test("a public sandbox counts for 3 s less than PRIVATE_WITHIN_SEC, and is asked for again from half of that on", async () => {
  using _clock = fakeClock();
  for (const kind of ["sandbox-public", "hosted-sandbox"] as const) {
    for (const [withinSec, lastsMs] of [["", 7_000], ["60", 57_000]] as const) {
      const env = { PRIVATE_WITHIN_SEC: withinSec };
      const { answers, state, ask } = answersOf(kind, true, { env });
      await answers.lookUp("k", ask, UNMETERED);
      state.nowMs = lastsMs / 2 - 1;
      assert.equal(answers.known("k"), true);
      state.answer = () => new Promise(() => {});
      state.nowMs = lastsMs - 1;
      assert.equal(answers.known("k"), undefined);
      assert.equal(await answers.lookUp("k", ask, UNMETERED), true);
      assert.equal(state.asked, 2);
      state.nowMs = lastsMs;
      let isServed = false;
      Promise.resolve(answers.lookUp("k", ask, UNMETERED))
        .then(() => isServed = true);
      await settled();
      assert(!isServed);
    }
  }
});

Deno.test('"not public" is never cached longer than "public"', async () => {
  const { answers, state, ask } = answersOf("sandbox-public", false, {
    env: { PUBLIC_TTL_SEC: "10" },
  });
  await answers.lookUp("k", ask, UNMETERED);
  state.nowMs = 10_000;
  await answers.lookUp("k", ask, UNMETERED);
  assert.equal(state.asked, 2);
});

Deno.test("LookupCache spends nothing for a lookup that is already in flight", async () => {
  const fake = fakeStore();
  const reading = Promise.withResolvers<void>();
  fake.gate = reading.promise;
  const asking = Promise.withResolvers<boolean>();
  const { answers, ask, state, settled } = answersOf(
    "sandbox-access",
    () => asking.promise,
    { store: fake.store },
  );
  let spent = 0;
  let misses = 0;
  const budget = { spend: () => void spent++ };
  const onMiss = () => void misses++;
  const first = answers.lookUp("k", ask, budget, onMiss);
  const second = answers.lookUp("k", ask, budget, onMiss);
  reading.resolve();
  while (state.asked === 0) await Promise.resolve();
  const third = answers.lookUp("k", ask, budget, onMiss);
  await assert.rejects(
    async () => await answers.lookUp("other", ask, USED_UP),
    REFUSAL,
  );
  asking.resolve(true);
  assert.deepEqual(await Promise.all([first, second, third]), [
    true,
    true,
    true,
  ]);
  assert.deepEqual([spent, misses], [1, 1]);
  await settled();
});

Deno.test("prefetch() caches positive answers only", async () => {
  for (const answer of [true, false]) {
    const { answers, ask, state, settled } = answersOf(
      "sandbox-runner-info",
      answer,
    );
    answers.prefetch("k", ask);
    await settled();
    assert.equal(answers.known("k"), answer ? true : undefined);
    assert.equal(answers.known("other"), undefined);
    assert.equal(state.asked, 1);
  }
});
