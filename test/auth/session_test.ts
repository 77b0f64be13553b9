import assert from "node:assert/strict";
import { createSessionSealer, type Session } from "../../src/auth/session.ts";
import { createSealer } from "../../src/lib/seal.ts";

const SECRET = "a secret of thirty-two characters";
const HOST = {
  port: 3000,
  label: "box",
  base: "proxy.localhost",
  authoritySuffix: "proxy.localhost",
};

function setUp() {
  const clock = { now: 1_000_000_000_000 };
  const now = () => clock.now;
  const sealer = createSealer({ secrets: [SECRET], purpose: "session", now });
  const sessions = createSessionSealer(sealer, { now, maxRemembered: 10 });
  const session: Session = {
    kind: "key",
    label: "box",
    sandboxId: "box",
    scope: "sandbox",
    token: "t",
    expiresAt: clock.now + 60_000,
  };
  return { clock, sealer, sessions, session };
}

Deno.test("SessionSealer opens what it sealed, again and again", async () => {
  const { sessions, session } = setUp();
  const sealed = await sessions.seal(session);
  assert.deepEqual(await sessions.open(sealed, HOST), session);
  // The second time it is cached, and returned without a promise.
  assert.deepEqual(sessions.open(sealed, HOST), session);
});

Deno.test("SessionSealer refuses a session on another host, remembered or not", async () => {
  const { sessions, session } = setUp();
  const sealed = await sessions.seal(session);
  const elsewhere = { ...HOST, label: "other" };
  assert.equal(await sessions.open(sealed, elsewhere), undefined);
  await sessions.open(sealed, HOST);
  assert.equal(await sessions.open(sealed, elsewhere), undefined);
});

Deno.test("SessionSealer keeps a session of one port to that port", async () => {
  const { sessions, session } = setUp();
  const sealed = await sessions.seal({ ...session, scope: 3000 });
  assert(await sessions.open(sealed, HOST));
  assert.equal(
    await sessions.open(sealed, { ...HOST, port: 22222 }),
    undefined,
  );
});

Deno.test("SessionSealer ends a session at its time by its own clock, remembered or not", async () => {
  const { clock, sessions, session } = setUp();
  const sealed = await sessions.seal(session);
  assert(await sessions.open(sealed, HOST));
  clock.now += 60_000;
  assert.equal(await sessions.open(sealed, HOST), undefined);
});

Deno.test("SessionSealer opens nothing that is no session of ours", async () => {
  const { clock, sealer, sessions } = setUp();
  const foreign = await sealer.seal(
    { session: { label: "box" } },
    clock.now + 1000,
  );
  for (const sealed of ["", "x", "a.b.c.d.e", foreign]) {
    assert.equal(await sessions.open(sealed, HOST), undefined, sealed);
  }
});

Deno.test("SessionSealer opens a session of each kind, and none that lacks a part of its kind", async () => {
  const { clock, sealer, sessions, session } = setUp();
  const { token: _, ...scope } = { ...session, token: "t" };
  const key = { ...scope, kind: "key", token: "t" };
  const login = { ...scope, kind: "login", id: "i" };
  async function opens(session: unknown): Promise<boolean> {
    const sealed = await sealer.seal({ session }, clock.now + 60_000);
    return await sessions.open(sealed, HOST) !== undefined;
  }
  assert(await opens(key));
  assert(await opens(login));
  for (
    const malformed of [
      { ...key, kind: "login" },
      { ...login, kind: "key" },
      { ...key, kind: "other", id: "i" },
      ...Object.keys(key).map((name) => ({ ...key, [name]: undefined })),
      ...Object.keys(login).map((name) => ({ ...login, [name]: undefined })),
      { ...key, scope: "port" },
      null,
      "session",
    ]
  ) assert(!await opens(malformed), JSON.stringify(malformed));
});
