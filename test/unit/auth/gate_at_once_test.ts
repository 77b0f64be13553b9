import type { Awaitable } from "../../../src/lib/awaitable.ts";
import assert from "node:assert/strict";
import { viaOf } from "../../support/feature_words.ts";
import type { Credential } from "../../../src/auth/credentials.ts";
import { Gate, type GateParts } from "../../../src/auth/gate.ts";
import type { Session } from "../../../src/auth/session.ts";
import { Throttle } from "../../../src/auth/throttle.ts";
import type { GateRequest } from "../../../src/auth/verdict.ts";
import {
  EVERYBODY,
  MEMBERS,
  type PortAccess,
} from "../../../src/config/port_rules.ts";

const NAME = "shop.example:8443";

const KEY: Session = {
  kind: "key",
  sandboxId: "box",
  token: "good",
  expiresAt: Infinity,
};
const LOGIN: Session = {
  kind: "login",
  sandboxId: "box",
  id: "login",
  expiresAt: Infinity,
};
const HOST: Session = { ...LOGIN, kind: "host", port: 3000 };

const SESSIONS: Readonly<Record<string, Session>> = {
  "key": KEY,
  "key of another": { ...KEY, sandboxId: "other" },
  "key of a name": { ...KEY, name: NAME },
  "revoked key": { ...KEY, token: "revoked" },
  "login": LOGIN,
  "login to another": { ...LOGIN, sandboxId: "other" },
  "ended login": { ...LOGIN, id: "ended" },
  "host": HOST,
  "host of another port": { ...HOST, port: 8000 },
  "host of a name": { ...HOST, name: NAME },
  "user": { kind: "user", id: "login", expiresAt: Infinity },
  "grant": {
    kind: "grant",
    via: viaOf("token"),
    id: "login",
    sandboxId: "box",
    port: 3000,
    expiresAt: Infinity,
  },
};

/** What a gate decides by: all of it in process, or none, so that it has to ask. */
function setUp(
  { isKnown = true, scope = "sandbox", access = EVERYBODY }: {
    isKnown?: boolean;
    scope?: GateParts["scope"];
    access?: PortAccess;
  } = {},
) {
  const asked: string[] = [];
  function answer<T>(question: string, answer: T): Awaitable<T> {
    if (isKnown) return answer;
    asked.push(question);
    return Promise.resolve(answer);
  }
  const parts: GateParts = {
    sandboxes: {
      isPublic: () => answer("public", false),
      sandboxIdOf: (label) => `id of ${label}`,
    },
    access: {
      isPreviewToken: (label, token) =>
        answer("token", label === "box" && token === "good"),
      hasAccess: () => answer("access", false),
      sandboxOfSignedToken: () => answer("link", null),
      signingKeyOf: () => answer("key", null),
    },
    sessions: {
      open: (sealed) => answer("session", SESSIONS[sealed]),
    },
    logins: {
      grantsAccess: ({ id }) => answer("login", id === "login"),
      opens: () => Promise.resolve(false),
      visits: () => Promise.resolve(false),
      subjectOf: () => "alice",
    },
    subjects: { ofUser: (sub) => `user ${sub}`, ofBearer: () => undefined },
    grants: {
      recognizes: () => false,
      judge: () => Promise.resolve({ grant: undefined, isGood: false }),
    },
    ports: {
      labelsOpen: false,
      accessTo: () => answer("labels", access),
      refresh: () => Promise.resolve(),
    },
    throttle: new Throttle({
      refusalsPerMinute: 100,
      lookups: 10,
      maxClients: 10,
      now: () => 0,
    }),
    scope,
  };
  return { parts, asked, gate: new Gate(parts) };
}

function requestWith(
  credentials: readonly Credential[],
  changes: Partial<GateRequest> = {},
): GateRequest {
  return {
    label: "box",
    port: 3000,
    method: "GET",
    isToolbox: false,
    clientAddress: "192.0.2.1",
    isSentByPage: false,
    credentials: () => credentials,
    progress: { onMiss() {} },
    ...changes,
  };
}

function session(sealed: string): Credential {
  return { kind: "session", sealed };
}

const TOKEN: Credential = { kind: "preview_token", token: "good" };

Deno.test("Gate admits at once by what is known, as if it had asked", async () => {
  const named = { name: NAME };
  const cases = [
    ["sandbox", session("key"), {}],
    ["sandbox", session("login"), {}],
    ["sandbox", TOKEN, {}],
    ["sandbox", session("key of a name"), named],
    ["sandbox", session("host of a name"), named],
    ["host", session("host"), {}],
    ["host", session("host of a name"), named],
  ] as const;
  for (const [scope, credential, changes] of cases) {
    const request = requestWith([credential], changes);
    const known = setUp({ scope, access: MEMBERS });
    const unknown = setUp({ scope, access: MEMBERS, isKnown: false });
    const verdict = known.gate.admit(request); // no promise of one
    assert.equal("kind" in verdict && verdict.kind, "allow");
    assert.deepEqual(verdict, await unknown.gate.admit(request));
    assert.notDeepEqual(unknown.asked, []);
  }
});

Deno.test("what is not for a request, or no longer, does not admit it, whether that is known or has to be asked", async () => {
  const cases: readonly [Credential | undefined, Partial<GateRequest>][] = [
    [undefined, {}],
    [session("nothing that we sealed"), {}],
    [session("key of another"), {}],
    [session("key of a name"), {}],
    [session("key"), { name: NAME }],
    [session("key"), { label: "other" }],
    [session("revoked key"), {}],
    [session("login to another"), {}],
    [session("login"), { name: NAME }],
    [session("ended login"), {}],
    [session("host"), {}],
    [session("host of another port"), {}],
    [session("host of a name"), { name: "other.example:8443" }],
    [session("host of a name"), { name: NAME, port: 8000 }],
    [session("user"), {}],
    [session("grant"), { takesGrants: true }],
    [{ ...TOKEN, token: "revoked" }, {}],
    [{ kind: "bearer", token: "good" }, {}],
  ];
  for (const [credential, changes] of cases) {
    const request = requestWith(credential ? [credential] : [], changes);
    const known = setUp();
    const what = JSON.stringify([credential, changes]);
    const verdict = await known.gate.admit(request);
    assert.notEqual(verdict.kind, "allow", what);
    const unknown = setUp({ isKnown: false });
    assert.deepEqual(verdict, await unknown.gate.admit(request), what);
  }
});

Deno.test("a port that admits nobody is off for who is known, too", async () => {
  const { gate } = setUp({ access: 0 });
  for (const credential of [session("key"), session("login"), TOKEN]) {
    assert.deepEqual(await gate.admit(requestWith([credential])), {
      kind: "deny",
      code: "port_off",
      ancestors: undefined,
    });
  }
});

Deno.test("of another page's frame, only a grant that is for it counts", async () => {
  const { gate } = setUp();
  const framed: Credential = {
    kind: "session",
    sealed: "key",
    framedBy: "https://product.example",
  };
  assert.equal((await gate.admit(requestWith([framed]))).kind, "login");
  const own = { kind: "session", sealed: "key" } as const;
  assert.equal((await gate.admit(requestWith([own]))).kind, "allow");
});
