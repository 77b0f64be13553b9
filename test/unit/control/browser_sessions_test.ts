import assert from "node:assert/strict";
import type { Session } from "../../../src/auth/session.ts";
import {
  anyLogins,
  type LoginAttempt,
  sandboxLogins,
  type SandboxLoginsOptions,
} from "../../../src/control/browser_sessions.ts";
import { GatewayError } from "../../../src/errors.ts";
import { ownCookies } from "../../support/own_cookies.ts";

const COOKIES = ownCookies();
const NOW = 1_000_000_000_000;
const NAME = "shop.example.com";
const HOST = {
  port: 3000,
  label: "box",
  base: "p.test",
  authoritySuffix: "p.test",
};
const NAMED = { ...HOST, name: NAME, names: new Map([[NAME, 3000]]) };
/** A browser that a name has sent. */
const VISIT: LoginAttempt = {
  base: "p.test",
  cookies: "",
  returnTo: { url: `https://${NAME}/a`, host: NAMED },
  challenge: "challenge",
  clientAddress: "192.0.2.1",
  isSentByPage: false,
};
/** One that a preview host has sent. */
const OTHER: LoginAttempt = {
  ...VISIT,
  returnTo: { url: "https://3000-box.p.test/a", host: HOST },
};
const MADE = { id: "new", expiresAt: NOW + 60_999 };
const LOGIN = COOKIES.loginSession("box");
const HANDOVER: NonNullable<SandboxLoginsOptions["handover"]> = {
  urlWithCode: ({ url }, challenge, { id }) =>
    Promise.resolve(`${url}?${challenge}-${id}`),
};

/** Sessions whose ids are their sealed forms, of which those that begin with `good` open their sandbox. */
function setUp({ handsOver = true } = {}) {
  const ended: string[] = [];
  const state = { failure: undefined as Error | undefined };
  const logins = sandboxLogins({
    cookies: COOKIES,
    now: () => NOW,
    sessions: {
      seal: (session) => Promise.resolve(`sealed ${Object(session).id}`),
      open: (sealed): Promise<Session | undefined> =>
        Promise.resolve(
          sealed === "planted" ? undefined : {
            kind: "login",
            id: sealed,
            sandboxId: sealed.endsWith("elsewhere") ? "other" : "box",
            expiresAt: NOW + Number(sealed.replace(/\D/g, "")),
          },
        ),
    },
    logins: {
      grantsAccess: ({ id }) => Promise.resolve(id.startsWith("good")),
      visits: () => Promise.resolve(false),
      end({ id }) {
        if (state.failure !== undefined) return Promise.reject(state.failure);
        ended.push(id);
        return Promise.resolve(undefined);
      },
    },
    ...handsOver && { handover: HANDOVER },
  });
  return { logins, ended, state };
}

Deno.test("a name is handed the session that the browser has for its sandbox, whenever that began", async () => {
  const { logins } = setUp();
  const cookies = `${LOGIN}=planted; ${LOGIN}=refused; ${LOGIN}=good`;
  const resumed = await logins.resume({ ...VISIT, cookies });
  assert.equal(resumed?.location, `https://${NAME}/a?challenge-good`);
  for (
    const visit of [
      VISIT,
      { ...VISIT, cookies: `${LOGIN}=refused; ${LOGIN}=planted` },
      { ...VISIT, cookies: `${LOGIN}=good elsewhere` },
      { ...VISIT, cookies: `${COOKIES.loginSession("other")}=good` },
      // Nobody could use the code.
      { ...VISIT, cookies, challenge: undefined },
      // Where the session counts, whoever is sent here has no good one.
      { ...OTHER, cookies },
    ]
  ) assert.equal(await logins.resume(visit), undefined);
});

Deno.test("a login at a name is kept for the sandbox's other hosts, and handed over", async () => {
  const { logins } = setUp();
  const { location, setCookies } = await logins.complete(VISIT, MADE);
  assert.equal(location, `https://${NAME}/a?challenge-new`);
  assert.deepEqual(setCookies.map((line) => line.split(";")[0]), [
    `${COOKIES.loggedIn("box")}=1`,
    `${LOGIN}=sealed new`,
  ]);
  assert.match(setCookies[1] ?? "", /; Domain=p\.test; Path=\/; Max-Age=60;/);
  for (
    const [visit, sessions] of [
      [{ ...VISIT, challenge: undefined }, logins],
      [OTHER, logins],
      [VISIT, setUp({ handsOver: false }).logins],
    ] as const
  ) {
    const { location } = await sessions.complete(visit, MADE);
    assert.equal(location, visit.returnTo.url);
  }
});

Deno.test("after five returns to a sandbox's names within seconds, their cookies are not kept", async () => {
  const { logins } = setUp();
  let count = "";
  function resume(visit = VISIT) {
    const cookies = `${LOGIN}=good; ${count}`;
    return logins.resume({ ...visit, cookies });
  }
  for (let visit = 0; visit < 5; visit++) {
    const [line = ""] = (await resume())?.setCookies ?? [];
    assert.match(line, /^__Host-porthole-logged-in-.*; Max-Age=10;/);
    count = line.split(";")[0] ?? "";
  }
  await assert.rejects(resume(), { code: "session_not_kept" });
});

Deno.test("a login ends those whose cookies go, as a logout ends what it is shown: where there are too many, and its own before at a sandbox with names", async () => {
  const { logins, ended } = setUp();
  const pairs = Array.from({ length: 13 }, (_, i) => {
    return `${COOKIES.loginSession(`n${i}`)}=n${i + 1}`;
  });
  const cookies = [...pairs, `${LOGIN}=before`, `${LOGIN}=planted`].join("; ");
  await logins.complete({ ...VISIT, cookies }, MADE);
  assert.deepEqual(ended, ["n1", "n2", "before"]);
  ended.length = 0;
  await logins.complete({ ...OTHER, cookies: `${LOGIN}=before` }, MADE);
  assert.deepEqual(ended, []);
});

Deno.test("a login that another one takes the place of need not end, but one that goes on keeps its cookie", async () => {
  const { logins, state } = setUp();
  state.failure = new GatewayError("logout_incomplete", "");
  const pairs = Array.from({ length: 12 }, (_, i) => {
    return `${COOKIES.loginSession(`n${i}`)}=n${i + 1}`;
  });
  const cookies = [...pairs, `${LOGIN}=before`].join("; ");
  const { location, setCookies } = await logins.complete(
    { ...VISIT, cookies },
    MADE,
  );
  assert.equal(location, `https://${NAME}/a?challenge-new`);
  assert.equal(setCookies.length, 2);
});

Deno.test("a login that says who somebody is is kept on the base host only, where others make room for it, and is made anew each time", async () => {
  const ended: string[] = [];
  const logins = anyLogins({
    cookies: COOKIES,
    now: () => NOW,
    sessions: {
      seal: (session) => Promise.resolve(`sealed ${session.kind}`),
      open: (id): Promise<Session | undefined> => {
        const expiresAt = NOW + Number(id.replace(/\D/g, ""));
        return Promise.resolve({ kind: "user", id, expiresAt });
      },
    },
    logins: {
      end({ id }) {
        ended.push(id);
        return Promise.resolve(undefined);
      },
    },
  });
  const url = "https://p.test/s/AAECAwQFBgcICQoLDA0ODw";
  const host = { ...HOST, port: 2280, label: "" };
  const pairs = Array.from({ length: 13 }, (_, i) => {
    return `${COOKIES.userSession(`n${i}`)}=n${i + 1}`;
  });
  const attempt: LoginAttempt = {
    ...VISIT,
    cookies: pairs.join("; "),
    returnTo: { url, host, isOnBase: true, isForAnybody: true },
    challenge: undefined,
  };
  assert.equal(await logins.resume(attempt), undefined);
  const { location, setCookies } = await logins.complete(attempt, MADE);
  assert.equal(location, url);
  assert.deepEqual(ended, ["n1", "n2"]);
  const line = setCookies.at(-1) ?? "";
  assert(line.startsWith(`${COOKIES.userSession("new")}=sealed user; Path=/;`));
  assert.match(line, /; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/);
  assert.equal(setCookies.length, 3);
});
