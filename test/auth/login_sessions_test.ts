import assert from "node:assert/strict";
import { createLoginSessions } from "../../src/auth/login_sessions.ts";
import type { Tokens } from "../../src/auth/oidc/provider.ts";
import type { LoginSession } from "../../src/auth/session.ts";
import { GatewayError } from "../../src/errors.ts";
import { createSealer } from "../../src/lib/seal.ts";

const CALLER = { address: "127.0.0.1", mayAsk: () => {} };
const MINUTE_MS = 60_000;

/** Login sessions before an API for which only the tokens in `good` have access. */
function setUp() {
  const clock = { now: 1_000_000_000_000 };
  const now = () => clock.now;
  const good = new Set(["first"]);
  const refreshes: string[] = [];
  let answer: Tokens | null | Error = null;
  const logins = createLoginSessions({
    access: { hasAccess: (_, { bearer }) => good.has(bearer) },
    provider: () => ({
      refresh(token) {
        refreshes.push(token);
        return answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve(answer);
      },
    }),
    store: null,
    sealer: createSealer({ secrets: ["s".repeat(32)], purpose: "t", now }),
    maxEntries: 10,
    now,
  });
  const session: LoginSession = {
    kind: "login",
    id: "id",
    label: "box",
    sandboxId: "box",
    scope: "sandbox",
    expiresAt: clock.now + 60 * MINUTE_MS,
  };
  const tokens: Tokens = {
    accessToken: "first",
    expiresAt: clock.now + 5 * MINUTE_MS,
    refreshToken: "refresh",
  };
  return {
    clock,
    good,
    logins,
    refreshes,
    session,
    tokens,
    answerWith(next: Tokens | null | Error) {
      answer = next;
    },
  };
}

Deno.test("LoginSessions judge a session by what its user may see now", async () => {
  const { good, logins, session, tokens } = setUp();
  await logins.begin(session, tokens);
  assert(await logins.isWorth(session, CALLER));
  good.clear();
  assert(!await logins.isWorth(session, CALLER));
});

Deno.test("LoginSessions take a session that they have never seen for what it says", async () => {
  const { logins, session } = setUp();
  assert(await logins.isWorth(session, CALLER));
});

Deno.test("LoginSessions never open a session again that was ended, up to its very end", async () => {
  const { clock, logins, session, tokens } = setUp();
  await logins.begin(session, tokens);
  await logins.end(session);
  while (clock.now < session.expiresAt) {
    assert(!await logins.isWorth(session, CALLER));
    clock.now += MINUTE_MS;
  }
});

Deno.test("LoginSessions renew an access token before it ends, once for all who ask", async () => {
  const { clock, good, logins, refreshes, session, tokens, answerWith } =
    setUp();
  await logins.begin(session, tokens);
  clock.now += 4 * MINUTE_MS;
  assert(await logins.isWorth(session, CALLER));
  assert.deepEqual(refreshes, []);

  clock.now += MINUTE_MS;
  good.add("second");
  answerWith({
    accessToken: "second",
    expiresAt: clock.now + 5 * MINUTE_MS,
    refreshToken: "refresh-2",
  });
  const judged = await Promise.all(
    Array.from({ length: 20 }, () => logins.isWorth(session, CALLER)),
  );
  assert(judged.every((isWorth) => isWorth));
  assert.deepEqual(refreshes, ["refresh"]);
});

Deno.test("LoginSessions end a session whose refresh token is not good any more", async () => {
  const { clock, logins, session, tokens } = setUp();
  await logins.begin(session, tokens);
  clock.now += 5 * MINUTE_MS;
  assert(!await logins.isWorth(session, CALLER));
  assert(!await logins.isWorth(session, CALLER));
});

Deno.test("LoginSessions take no session away because the provider is down", async () => {
  const { clock, logins, session, tokens, answerWith } = setUp();
  await logins.begin(session, tokens);
  clock.now += 5 * MINUTE_MS;
  answerWith(new GatewayError("login_unavailable", "down"));
  await assert.rejects(logins.isWorth(session, CALLER), {
    code: "login_unavailable",
  });
  answerWith({ accessToken: "first", expiresAt: undefined });
  assert(await logins.isWorth(session, CALLER));
});
