import assert from "node:assert/strict";
import { jwtVerify } from "jose";
import { createIssuerKeys } from "../../../../src/features/trusted_issuers/issuer_keys.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { createIssuer, type TestIssuer } from "../../../support/issuer.ts";

const URL = "https://issuer.example.com/jwks";
const MINUTE_MS = 60_000;

/** The keys of an issuer that may be replaced by another one, or taken down. */
function keysOf(issuer: TestIssuer, now = () => Date.now()) {
  const state = {
    issuer,
    answer: undefined as (() => Response) | undefined,
    asked: 0,
    failures: [] as string[],
  };
  const select = createIssuerKeys(
    URL,
    {
      now,
      fetchKeys({ url, redirect }) {
        assert.equal(url, URL);
        assert.equal(redirect, "error");
        state.asked++;
        const { answer, issuer: { jwks } } = state;
        return Promise.resolve().then(answer ?? (() => Response.json(jwks)));
      },
      onFailure: (_, reason) => state.failures.push(reason),
    },
  );
  return {
    state,
    /** True if a JWT of an issuer is verified. */
    async accepts({ sign }: TestIssuer): Promise<boolean> {
      const jwt = await sign({});
      try {
        await jwtVerify(jwt, select);
        return true;
      } catch (error) {
        if (Object(error).code === "issuer_unavailable") throw error;
        return false;
      }
    },
  };
}

Deno.test("keys are fetched once for many JWTs, and anew after ten minutes", async () => {
  using clock = fakeClock();
  const issuer = await createIssuer();
  const { state, accepts } = keysOf(issuer);
  const all = await Promise.all(
    Array.from({ length: 20 }, () => accepts(issuer)),
  );
  assert(all.every((each) => each));
  clock.pass(10 * MINUTE_MS - 1);
  assert(await accepts(issuer));
  assert.equal(state.asked, 1);
  clock.pass(1);
  assert(await accepts(issuer));
  assert.equal(state.asked, 2);
});

Deno.test("keys are fetched anew for one that is not known, at most once a minute, however many are invented", async () => {
  using clock = fakeClock();
  const old = await createIssuer({ kid: "old" });
  const next = await createIssuer({ kid: "next" });
  const { state, accepts } = keysOf(old);
  assert(await accepts(old));
  clock.pass(MINUTE_MS);
  for (let i = 0; i < 1000; i++) {
    const { sign } = old;
    const forger = { ...old, sign: () => sign({}, { kid: `invented-${i}` }) };
    assert(!await accepts(forger));
  }
  assert.equal(state.asked, 2);

  state.issuer = next;
  clock.pass(MINUTE_MS - 1);
  assert(!await accepts(next));
  clock.pass(1);
  assert(await accepts(next));
  assert(!await accepts(old));
  assert.equal(state.asked, 3);
});

Deno.test("while an issuer is down its last keys count, for about an hour, and it is asked every few seconds at most", async () => {
  using clock = fakeClock();
  const issuer = await createIssuer();
  const { state, accepts } = keysOf(issuer);
  state.answer = () => {
    throw new TypeError("connection refused");
  };
  for (let i = 0; i < 100; i++) {
    await assert.rejects(accepts(issuer), { code: "issuer_unavailable" });
  }
  assert.equal(state.asked, 1);
  assert.deepEqual(state.failures, ["connection refused"]);

  const { answer } = state;
  state.answer = undefined;
  clock.pass(5000);
  assert(await accepts(issuer));
  state.answer = answer;
  for (let minutes = 0; minutes < 59; minutes++) {
    clock.pass(MINUTE_MS);
    assert(await accepts(issuer), `after ${minutes} minutes`);
  }
  clock.pass(11 * MINUTE_MS);
  await assert.rejects(accepts(issuer), { code: "issuer_unavailable" });
  state.answer = undefined;
  clock.pass(5000);
  assert(await accepts(issuer));
});

Deno.test("an issuer that has failed is asked again by the clock that is passed in", async () => {
  const clock = { now: 0 };
  const issuer = await createIssuer();
  const { state, accepts } = keysOf(issuer, () => clock.now);
  state.answer = () => new Response(null, { status: 503 });
  for (const [now, asked] of [[0, 1], [4999, 1], [5000, 2]] as const) {
    clock.now = now;
    await assert.rejects(accepts(issuer), { code: "issuer_unavailable" });
    assert.equal(state.asked, asked);
  }
});

Deno.test("a key set without end is not read to its end", async () => {
  const issuer = await createIssuer();
  const { state, accepts } = keysOf(issuer);
  let isCanceled = false;
  state.answer = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: () => void (isCanceled = true),
      }),
    );
  await assert.rejects(accepts(issuer), { code: "issuer_unavailable" });
  assert(isCanceled);
  assert.match(state.failures.join(), /longer than/);
});

Deno.test("what is no key set says nothing of keys", async () => {
  using clock = fakeClock();
  const issuer = await createIssuer();
  const { state, accepts } = keysOf(issuer);
  for (
    const answer of [
      () => new Response("<html>"),
      () => Response.json(issuer.jwks, { status: 404 }),
      () => Response.json({}),
      () => Response.json(null),
      () => Response.json({ keys: "all" }),
    ]
  ) {
    state.answer = answer;
    await assert.rejects(accepts(issuer), { code: "issuer_unavailable" });
    clock.pass(5000);
  }
  assert.equal(state.failures.length, 5);
});
