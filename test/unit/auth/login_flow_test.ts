import assert from "node:assert/strict";
import { FEATURE_GUEST_PAGES } from "../../../gen/facts.ts";
import { setImmediate as turn } from "node:timers/promises";
import { Login } from "../../../src/auth/login_flow.ts";
import type { Tokens } from "../../../src/auth/oidc/provider.ts";
import { RedeemedStates } from "../../../src/auth/oidc/redeemed_states.ts";
import {
  type Transaction,
  TransactionSealer,
} from "../../../src/auth/oidc/transaction.ts";
import type { LoginRef } from "../../../src/auth/session.ts";
import { Throttle } from "../../../src/auth/throttle.ts";
import { createSealer } from "../../../src/lib/seal.ts";
import type { RefusedAccess } from "../../../src/observability/access_events.ts";
import { hostParser } from "../../support/names.ts";

const REDIRECT_URI = "https://preview.test/callback";
const RETURN_TO = "https://3000-box.preview.test/path?q";
const HOUR_MS = 3_600_000;
const SESSION_TTL_MS = 8 * HOUR_MS;

/** A login whose provider redeems every callback for `tokens`. */
function setUp(tokens: Tokens) {
  const clock = { now: 1_000_000_000_000 };
  const now = () => clock.now;
  const state = {
    baseDomains: ["preview.test"],
    hasAccess: true as boolean | null,
    /** The port that whoever has logged in may look at. */
    visitedPort: undefined as number | undefined,
    /** The questions that the API was asked. */
    asked: [] as unknown[],
    begun: [] as [LoginRef, Tokens][],
    /** When a session that has begun is stored. */
    storing: Promise.resolve(),
    redeemed: 0,
    refused: [] as RefusedAccess[],
  };
  const login = new Login({
    provider: {
      authorizationUrl: ({ state }, reauthenticate) =>
        Promise.resolve(`https://id.test/?${state}&${reauthenticate}`),
      redeem() {
        state.redeemed++;
        return Promise.resolve(tokens);
      },
      state: "on",
      issuer: "https://id.test",
      ssoIssuer: undefined,
    },
    transactions: new TransactionSealer(
      createSealer({ secrets: ["s".repeat(32)], purpose: "login", now }),
      now,
    ),
    redeemed: new RedeemedStates({ store: null, maxEntries: 10, now }),
    throttle: new Throttle({
      refusalsPerMinute: 1,
      lookups: 1,
      maxClients: 10,
      now,
    }),
    logins: {
      newId: () => "id",
      begin(...begun) {
        state.begun.push(begun);
        return state.storing;
      },
    },
    access: {
      hasAccess(...asked) {
        state.asked.push(asked.slice(0, 2));
        return Promise.resolve(state.hasAccess);
      },
    },
    visitors: {
      admits: ({ label, port }) =>
        Promise.resolve(label === "box" && port === state.visitedPort),
    },
    parseHost: (authority) => hostParser(state.baseDomains)(authority),
    accessEvents: { refused: (visit) => void state.refused.push(visit) },
    sessionTtlMs: SESSION_TTL_MS,
    now,
  });
  /** Starts a login and comes back from the provider, which `change` may change. */
  async function logIn(
    change: Partial<Pick<Transaction, "redirectUri" | "state">> = {},
    returnTo = RETURN_TO,
  ) {
    const started = await login.start({
      returnTo,
      challenge: "challenge",
      redirectUri: REDIRECT_URI,
      reauthenticate: false,
      sso: false,
    });
    return await login.finish({
      parameters: new URLSearchParams({
        state: change.state ?? started.state,
        code: "code",
      }),
      transactions: [started.sealed],
      redirectUri: change.redirectUri ?? REDIRECT_URI,
      caller: { clientAddress: "203.0.113.9", isSentByPage: false },
      requestId: "request",
    });
  }
  return { clock, state, login, logIn };
}

/** A page of a feature that asks who somebody is, if that feature is there. */
const GUEST_PAGE = "https://preview.test/s/AAECAwQFBgcICQoLDA0ODw";
const HAS_GUEST_PAGE = Object.hasOwn(FEATURE_GUEST_PAGES, "s");

const TOKENS: Tokens = { accessToken: "access", expiresAt: undefined };

Deno.test("a login results in a session for its sandbox and the URL to return to", async () => {
  const { clock, state, logIn } = setUp(TOKENS);
  const begun: LoginRef = {
    id: "id",
    expiresAt: clock.now + SESSION_TTL_MS,
  };
  const { returnTo, challenge, login } = await logIn();
  assert.equal(returnTo.url, RETURN_TO);
  assert.equal(returnTo.host.label, "box");
  assert.equal(challenge, "challenge");
  assert.deepEqual(login, begun);
  assert.deepEqual(state.begun, [[begun, TOKENS]]);
  assert.deepEqual(state.asked, [
    ["box", {
      bearer: "access",
      clientAddress: "203.0.113.9",
      tokens: TOKENS,
    }],
  ]);
});

Deno.test(
  "a login for a page that asks who somebody is asks nobody what they may open",
  { ignore: !HAS_GUEST_PAGE },
  async () => {
    const { state, logIn } = setUp({ ...TOKENS, subject: "mallory" });
    state.hasAccess = false;
    const { returnTo, login, subject } = await logIn({}, GUEST_PAGE);
    assert.deepEqual([returnTo.url, returnTo.isForAnybody], [GUEST_PAGE, true]);
    assert.deepEqual([login.id, subject], ["id", "mallory"]);
    assert.equal(state.begun.length, 1);
    assert.deepEqual(state.asked, []);
  },
);

Deno.test(
  "a login for anybody is charged to its client, and one for a preview is not",
  { ignore: !HAS_GUEST_PAGE },
  async () => {
    const { state, logIn } = setUp(TOKENS);
    for (let i = 0; i < 3; i++) await logIn();
    await logIn({}, GUEST_PAGE);
    await assert.rejects(logIn({}, GUEST_PAGE), { code: "too_many_refusals" });
    assert.equal(state.begun.length, 4);
  },
);

Deno.test("a session without a refresh token ends with its access token, and none lasts longer than configured", async () => {
  for (
    const [tokenMs, refreshToken, lastsMs] of [
      [HOUR_MS, undefined, HOUR_MS],
      [24 * HOUR_MS, undefined, SESSION_TTL_MS],
      [undefined, undefined, SESSION_TTL_MS],
      [HOUR_MS, "refresh", SESSION_TTL_MS],
      [24 * HOUR_MS, "refresh", SESSION_TTL_MS],
    ] as const
  ) {
    const { clock, logIn } = setUp({
      accessToken: "access",
      expiresAt: tokenMs && 1_000_000_000_000 + tokenMs,
      ...refreshToken && { refreshToken },
    });
    const { login } = await logIn();
    assert.equal(login.expiresAt, clock.now + lastsMs);
  }
});

Deno.test("a login is complete only when its session is stored", async () => {
  const { state, logIn } = setUp(TOKENS);
  const stored = Promise.withResolvers<void>();
  state.storing = stored.promise;
  let isBack = false;
  const login = logIn().then(() => isBack = true);
  while (state.begun.length === 0) await turn();
  await turn();
  assert(!isBack);
  stored.resolve();
  await login;
});

Deno.test("a callback without a matching transaction redeems no code", async () => {
  const { state, logIn } = setUp(TOKENS);
  for (
    const change of [
      { state: "another" },
      { state: "" },
      { redirectUri: "https://other.test/callback" },
    ]
  ) await assert.rejects(logIn(change), { code: "login_expired" });
  assert.equal(state.redeemed, 0);
});

Deno.test("a login fails if its domain is no longer served", async () => {
  const { state, logIn } = setUp(TOKENS);
  state.baseDomains = ["elsewhere.test"];
  await assert.rejects(logIn(), { code: "bad_return_url" });
  assert.equal(state.redeemed, 0);
});

Deno.test("a user without access gets a session where the port takes their login, and nowhere else", async () => {
  for (const port of [3000, 8000]) {
    const { state, logIn } = setUp(TOKENS);
    state.hasAccess = false;
    state.visitedPort = port;
    if (port === 3000) await logIn();
    else await assert.rejects(logIn(), { code: "no_access" });
    assert.equal(state.begun.length, port === 3000 ? 1 : 0);
  }
});

Deno.test("a user without access, or whose sandbox was deleted, gets no session", async () => {
  for (
    const [hasAccess, code] of [
      [false, "no_access"],
      [null, "sandbox_deleted"],
    ] as const
  ) {
    const { state, logIn } = setUp(TOKENS);
    state.hasAccess = hasAccess;
    await assert.rejects(logIn(), { code });
    assert.deepEqual(state.begun, []);
  }
});

Deno.test("who has logged in and may not open the sandbox is told to the log, who could not log in is not", async () => {
  const { state, logIn } = setUp({ ...TOKENS, subject: "mallory" });
  state.hasAccess = false;
  await assert.rejects(logIn(), { code: "no_access" });
  assert.deepEqual(state.refused, [{
    requestId: "request",
    sandboxId: "box",
    port: 3000,
    sub: "mallory",
    code: "no_access",
    client: "203.0.113.9",
  }]);
  await assert.rejects(logIn({ state: "another" }), { code: "login_expired" });
  assert.equal(state.refused.length, 1);
});
