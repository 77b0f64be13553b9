import assert from "node:assert/strict";
import type { Session, UserSession } from "../../../../src/auth/session.ts";
import { Throttle } from "../../../../src/auth/throttle.ts";
import type { LoginAttempt } from "../../../../src/control/browser_sessions.ts";
import { userLogins } from "../../../../src/features/handover/user_logins.ts";
import { GatewayError } from "../../../../src/errors.ts";
import { ownCookies } from "../../../support/own_cookies.ts";

const COOKIES = ownCookies({ scope: "host" });
const NOW = 1_000_000_000_000;
const HOST = {
  port: 3000,
  label: "box",
  base: "p.test",
  authoritySuffix: "p.test",
};
const VISIT: LoginAttempt = {
  base: "p.test",
  cookies: "",
  returnTo: { url: "https://3000-box.p.test/a", host: HOST },
  challenge: "challenge",
  clientAddress: "192.0.2.1",
  isSentByPage: false,
};

/** Sessions whose ids are their sealed forms, of which `good` opens the sandbox. */
function setUp() {
  const ended: string[] = [];
  const state = { failure: undefined as Error | undefined, lookups: 0 };
  const throttle = new Throttle({
    refusalsPerMinute: 3,
    lookups: 1,
    maxClients: 10,
    now: () => 0,
  });
  const logins = userLogins({
    cookies: COOKIES,
    throttle,
    now: () => NOW,
    sessions: {
      seal: (session) => Promise.resolve(`sealed ${Object(session).id}`),
      open: (sealed): Promise<Session | undefined> =>
        Promise.resolve(
          sealed === "planted" ? undefined : {
            kind: "user",
            id: sealed,
            expiresAt: NOW + Number(sealed.replace(/\D/g, "")),
          },
        ),
    },
    logins: {
      visits(_, { id }, budget) {
        if (id !== "visitor") return Promise.resolve(false);
        budget.spend();
        return Promise.resolve(false);
      },
      opens(_, { id }, __, budget) {
        state.lookups++;
        budget.spend();
        return state.failure === undefined
          ? Promise.resolve(id === "good")
          : Promise.reject(state.failure);
      },
      end({ id }) {
        if (state.failure !== undefined) return Promise.reject(state.failure);
        ended.push(id);
        return Promise.resolve(undefined);
      },
    },
    handover: {
      urlWithCode: ({ url }, challenge, { id }: UserSession) =>
        Promise.resolve(`${url}?${challenge}-${id}`),
    },
  });
  return { logins, state, ended };
}

function cookiesOf(...ids: string[]): string {
  return ids.map((id) => `${COOKIES.userSession(id)}=${id}`).join("; ");
}

Deno.test("a browser goes on with the session whose user has access, and logs in if there is none", async () => {
  const { logins } = setUp();
  const resumed = await logins.resume({
    ...VISIT,
    cookies: cookiesOf("planted", "other", "good"),
  });
  assert.equal(resumed?.location, "https://3000-box.p.test/a?challenge-good");
  for (const cookies of ["", cookiesOf("planted", "other")]) {
    assert.equal(await logins.resume({ ...VISIT, cookies }), undefined);
  }
});

Deno.test("without a challenge, a browser is sent to its preview first, and no code is made", async () => {
  const { logins } = setUp();
  const visit = { ...VISIT, challenge: undefined, cookies: cookiesOf("good") };
  const resumed = await logins.resume(visit);
  assert.equal(resumed?.location, VISIT.returnTo.url);
  const completed = await logins.complete(visit, { id: "new", expiresAt: NOW });
  assert.equal(completed.location, VISIT.returnTo.url);
});

Deno.test("the way to the owner's view has no code, whatever challenge it began with: nobody there would take it out", async () => {
  const { logins } = setUp();
  const url = "https://p.test/inspect/box";
  const host = { ...HOST, port: 2280 };
  const visit: LoginAttempt = {
    ...VISIT,
    returnTo: { url, host, isOnBase: true },
    cookies: cookiesOf("good"),
  };
  assert.equal((await logins.resume(visit))?.location, url);
  const completed = await logins.complete(visit, { id: "new", expiresAt: NOW });
  assert.equal(completed.location, url);
});

Deno.test("what prevents a session from being judged is not taken for a no", async () => {
  const { logins, state } = setUp();
  state.failure = new GatewayError("session_unavailable", "");
  const cookies = cookiesOf("good");
  await assert.rejects(logins.resume({ ...VISIT, cookies }), {
    code: "session_unavailable",
  });
});

Deno.test("a page that sends its visitor to many sandboxes spends the visitor's refusals, not the API", async () => {
  const { logins, state } = setUp();
  const cookies = cookiesOf("other");
  for (let visit = 0; visit < 3; visit++) {
    await logins.resume({ ...VISIT, cookies });
  }
  await assert.rejects(logins.resume({ ...VISIT, cookies }), {
    code: "too_many_refusals",
  });
  assert.equal(state.lookups, 4);
});

Deno.test("whether labels let a session's user look is asked at the visitor's expense, too", async () => {
  const { logins } = setUp();
  const cookies = cookiesOf("visitor");
  async function visitThrice(): Promise<void> {
    for (let nth = 0; nth < 3; nth++) {
      await logins.resume({ ...VISIT, cookies });
    }
  }
  await assert.rejects(visitThrice(), { code: /^too_many_/ });
});

Deno.test("after five handovers to one host within seconds, its cookies are not kept", async () => {
  const { logins } = setUp();
  let cookies = cookiesOf("good");
  async function resume(host = HOST): Promise<void> {
    const visit = { ...VISIT, cookies, returnTo: { ...VISIT.returnTo, host } };
    const [line = ""] = (await logins.resume(visit))?.setCookies ?? [];
    assert.match(line, /^__Host-porthole-handovers=.*; Max-Age=10;/);
    cookies = `${cookiesOf("good")}; ${line.split(";")[0]}`;
  }
  for (let visit = 0; visit < 5; visit++) await resume();
  await assert.rejects(resume(), { code: "session_not_kept" });
  await resume({ ...HOST, port: 3001 });
  cookies = `${cookies}; ${COOKIES.onHost("handovers")}=junk`;
  await resume();
});

Deno.test("a login keeps its session on the base host, and ends those of a browser that has too many", async () => {
  const { logins, ended, state } = setUp();
  const ids = Array.from({ length: 13 }, (_, i) => `id-${20 - i}`);
  const visit = { ...VISIT, cookies: cookiesOf(...ids, "planted") };
  const made = { id: "new", expiresAt: NOW + 60_999 };
  const { location, setCookies } = await logins.complete(visit, made);
  assert.equal(location, "https://3000-box.p.test/a?challenge-new");
  assert.deepEqual(ended, ["id-8", "id-9"]);
  assert.deepEqual(setCookies.slice(1).map((line) => line.split(";")[0]), [
    ...["planted", "id-8", "id-9"].map((id) => `${COOKIES.userSession(id)}=`),
    `${COOKIES.userSession("new")}=sealed new`,
  ]);
  assert.match(
    setCookies.at(-1) ?? "",
    /^__Host-[^;]*; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/,
  );

  // A session that goes on must not lose the cookie by which a logout finds it.
  state.failure = new GatewayError("logout_incomplete", "");
  const kept = await logins.complete(visit, made);
  assert.deepEqual(
    kept.setCookies.filter((line) => line.includes("Max-Age=0"))
      .map((line) => line.split("=")[0]),
    [COOKIES.userSession("planted")],
  );
});
