import assert from "node:assert/strict";
import type { Credential } from "../../../src/auth/credentials.ts";
import { Gate, type GateParts } from "../../../src/auth/gate.ts";
import { knownAdmission } from "../../../src/auth/known_admission.ts";
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
    via: "token",
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
  function answer<T>(question: string, answer: T): Promise<T> {
    asked.push(question);
    return Promise.resolve(answer);
  }
  const parts: GateParts = {
    sandboxes: {
      isKnownPublic: () => false,
      isPublic: () => answer("public", false),
      sandboxIdOf: (label) => `id of ${label}`,
    },
    access: {
      knowsPreviewToken: (label, token) =>
        isKnown && label === "box" && token === "good",
      isPreviewToken: (label, token) =>
        answer("token", label === "box" && token === "good"),
      hasAccess: () => answer("access", false),
      sandboxOfSignedToken: () => answer("link", null),
      signingKeyOf: () => answer("key", null),
    },
    sessions: {
      opened: (sealed) => isKnown ? SESSIONS[sealed] : undefined,
      open: (sealed) => answer("session", SESSIONS[sealed]),
    },
    logins: {
      knowsAccess: ({ id }) => isKnown && id === "login",
      grantsAccess: ({ id }) => answer("login", id === "login"),
      opens: () => answer("opens", false),
      visits: () => answer("visits", false),
      subjectOf: () => "alice",
    },
    subjects: { ofUser: (sub) => `user ${sub}`, ofBearer: () => undefined },
    grants: {
      recognizes: () => false,
      judge: () => answer("grant", { grant: undefined, isGood: false }),
    },
    ports: {
      labelsOpen: false,
      isKnownOpen: () => false,
      knownAccess: () => isKnown ? access : undefined,
      accessTo: () => answer("labels", access),
      refresh: () => answer("refresh", undefined),
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

Deno.test("Gate admits by what is known, as if it had asked, and asks nobody", async () => {
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
    const verdict = await known.gate.admit(request);
    assert.equal(verdict.kind, "allow");
    assert.deepEqual(verdict, await unknown.gate.admit(request));
    assert.deepEqual(knownAdmission(request, known.parts), verdict);
    assert.deepEqual(known.asked, []);
    assert.notDeepEqual(unknown.asked, []);
  }
});

Deno.test("what is not for a request, or no longer, is not known to admit it, and no verdict is another one for it", async () => {
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
    assert.equal(knownAdmission(request, known.parts), undefined, what);
    const verdict = await known.gate.admit(request);
    assert.notEqual(verdict.kind, "allow", what);
    const unknown = setUp({ isKnown: false });
    assert.deepEqual(verdict, await unknown.gate.admit(request), what);
  }
});

Deno.test("what has to be asked about is not known to admit", () => {
  const { parts } = setUp();
  const access = { ...parts.access, knowsPreviewToken: undefined };
  const { knowsPreviewToken: _, ...unable } = access;
  for (
    const lacking of [
      { sessions: { ...parts.sessions, opened: () => undefined } },
      { access: { ...parts.access, knowsPreviewToken: () => false } },
      { access: unable },
      { ports: { ...parts.ports, knownAccess: () => undefined } },
    ]
  ) {
    const request = requestWith([session("key")]);
    assert(knownAdmission(request, parts));
    assert.equal(knownAdmission(request, { ...parts, ...lacking }), undefined);
  }
  const logins = { ...parts.logins, knowsAccess: () => false };
  const request = requestWith([session("login")]);
  assert(knownAdmission(request, parts));
  assert.equal(knownAdmission(request, { ...parts, logins }), undefined);
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

Deno.test("only the first credential admits by what is known, and none that a frame of another page has brought", async () => {
  const { gate, asked, parts } = setUp();
  const bad = session("key of another");
  const request = requestWith([bad, session("key")]);
  assert.equal(knownAdmission(request, parts), undefined);
  assert.equal((await gate.admit(request)).kind, "allow");
  assert.deepEqual(asked.filter((one) => one === "token"), ["token"]);
  const framed: Credential = {
    kind: "session",
    sealed: "key",
    framedBy: "https://product.example",
  };
  assert.equal(knownAdmission(requestWith([framed]), parts), undefined);
});

Deno.test("nothing is taken for known at a toolbox, at Daytona's own ports, for members only, or where anybody is let in", async () => {
  for (
    const changes of [
      { isToolbox: true },
      { port: 22222 },
      { isForMembers: true },
    ]
  ) {
    const { gate, asked } = setUp();
    await gate.admit(requestWith([TOKEN], changes));
    assert.notDeepEqual(asked, [], JSON.stringify(changes));
  }
  const { parts } = setUp();
  const sandboxes = { ...parts.sandboxes, isKnownPublic: () => true };
  const ports = { ...parts.ports, isKnownOpen: () => true };
  const open = new Gate({ ...parts, sandboxes, ports });
  const verdict = await open.admit(requestWith([TOKEN]));
  assert.equal(verdict.kind === "allow" && verdict.by, "public");
});
