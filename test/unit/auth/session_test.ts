import assert from "node:assert/strict";
import { viaOf } from "../../support/feature_words.ts";
import { type Session, SessionSealer } from "../../../src/auth/session.ts";
import { createSealer } from "../../../src/lib/seal.ts";

const SECRET = "a secret of thirty-two characters";
const START = 1_000_000_000_000;
const EXPIRES_AT = START + 60_000;

const TOKEN_SESSION: Session = {
  kind: "key",
  sandboxId: "box",
  token: "t",
  expiresAt: EXPIRES_AT,
};
const LOGIN_SESSION: Session = {
  kind: "login",
  sandboxId: "box",
  id: "i",
  expiresAt: EXPIRES_AT,
};
const USER_SESSION: Session = { kind: "user", id: "i", expiresAt: EXPIRES_AT };
const HOST_SESSION: Session = {
  kind: "host",
  sandboxId: "box",
  port: 3000,
  id: "i",
  expiresAt: EXPIRES_AT,
};
const GRANT_SESSION: Session = {
  kind: "grant",
  via: viaOf("ticket"),
  sandboxId: "box",
  port: 3000,
  id: "i",
  expiresAt: EXPIRES_AT,
};
const SESSIONS = [
  TOKEN_SESSION,
  LOGIN_SESSION,
  USER_SESSION,
  HOST_SESSION,
  GRANT_SESSION,
];

function setUp() {
  const clock = { now: START };
  const now = () => clock.now;
  const sealer = createSealer({ secrets: [SECRET], purpose: "session", now });
  const sessions = new SessionSealer(sealer, { now, maxRemembered: 10 });
  return {
    clock,
    sessions,
    sealer,
    /** Seals `session` as it is, and opens that cookie. */
    opened: async (session: unknown) =>
      await sessions.open(await sealer.seal({ session }, EXPIRES_AT)),
  };
}

Deno.test("SessionSealer opens what it sealed, again and again", async () => {
  const { sessions } = setUp();
  const whole = { ...GRANT_SESSION, methods: ["GET"], subject: "ci" };
  const named = [TOKEN_SESSION, HOST_SESSION, GRANT_SESSION]
    .map((session) => ({ ...session, name: "shop.p.test:8443" }));
  for (const session of [...SESSIONS, whole, ...named]) {
    const sealed = await sessions.seal(session);
    assert.deepEqual(await sessions.open(sealed), session);
    assert.deepEqual(await sessions.open(sealed), session);
  }
});

Deno.test("SessionSealer opens the cookies of earlier versions, which also hold a label and a scope", async () => {
  const { opened } = setUp();
  for (const session of [TOKEN_SESSION, LOGIN_SESSION]) {
    const old = { ...session, label: "box", scope: "sandbox" };
    assert.deepEqual(await opened(old), session);
  }
});

Deno.test("SessionSealer seals cookies that gateways of earlier versions open", async () => {
  const { sealer, sessions } = setUp();
  for (const session of [TOKEN_SESSION, LOGIN_SESSION]) {
    assert.deepEqual(await sealer.open(await sessions.seal(session)), {
      session: { ...session, label: "box", scope: "sandbox" },
    });
  }
});

Deno.test("SessionSealer opens no session of a single port, which earlier versions knew", async () => {
  const { opened } = setUp();
  const old = { ...TOKEN_SESSION, label: "box" };
  for (const scope of [3000, "port", null]) {
    assert.equal(await opened({ ...old, scope }), undefined);
  }
});

Deno.test("SessionSealer seals logins for users and hosts so that gateways of earlier versions open nothing", async () => {
  const { sealer, sessions } = setUp();
  for (const session of [USER_SESSION, HOST_SESSION]) {
    const sealed = await sealer.open(await sessions.seal(session));
    assert.equal(Object(sealed?.session).kind, session.kind); // they know "key" and "login"
  }
});

Deno.test("SessionSealer ends a session at its time by its own clock, remembered or not", async () => {
  const { clock, sessions } = setUp();
  const sealed = await sessions.seal(TOKEN_SESSION);
  assert(await sessions.open(sealed));
  clock.now = EXPIRES_AT;
  assert.equal(await sessions.open(sealed), undefined);
});

Deno.test("SessionSealer opens at once what it has opened before, until its time", async () => {
  const { clock, sessions } = setUp();
  const sealed = await sessions.seal(TOKEN_SESSION);
  assert(sessions.open(sealed) instanceof Promise);
  await sessions.open(sealed);
  assert.deepEqual(sessions.open(sealed), TOKEN_SESSION);
  clock.now = EXPIRES_AT;
  assert.equal(sessions.open(sealed), undefined);
});

Deno.test("SessionSealer opens nothing that it did not seal", async () => {
  const { sessions } = setUp();
  for (const sealed of ["", "x", "a.b.c.d.e"]) {
    assert.equal(await sessions.open(sealed), undefined, sealed);
  }
});

Deno.test("SessionSealer opens no session that lacks a part of its kind", async () => {
  const { opened } = setUp();
  for (
    const malformed of [
      { ...TOKEN_SESSION, kind: "login" },
      { ...LOGIN_SESSION, kind: "key" },
      { ...TOKEN_SESSION, kind: "other", id: "i" },
      ...SESSIONS.flatMap((session) =>
        Object.keys(session).map((name) => ({ ...session, [name]: undefined }))
      ),
      null,
      "session",
    ]
  ) assert.equal(await opened(malformed), undefined, JSON.stringify(malformed));
});
