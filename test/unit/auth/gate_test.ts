import assert from "node:assert/strict";
import { viaOf } from "../../support/feature_words.ts";
import { createHmac } from "node:crypto";
import type { Credential } from "../../../src/auth/credentials.ts";
import { Gate, type GateParts } from "../../../src/auth/gate.ts";
import { GrantAccess } from "../../../src/auth/grant_access.ts";
import type {
  FrameTerms,
  Grant,
  GrantSession,
  PresentedGrant,
} from "../../../src/auth/grants.ts";
import type { Session } from "../../../src/auth/session.ts";
import { Throttle } from "../../../src/auth/throttle.ts";
import type { Admission, GateRequest } from "../../../src/auth/verdict.ts";
import type { SessionScope } from "../../../src/config/config.ts";
import { EVERYBODY, MEMBERS } from "../../../src/config/port_rules.ts";
import { GatewayError } from "../../../src/errors.ts";
import type { Budget } from "../../../src/resolver/lookup_cache.ts";

const TOKEN_LABEL = "abcdefgh12345678";
const SIGNING_KEY = "signing-key";
const CLIENT = { clientAddress: "192.0.2.1", isSentByPage: false };

/** A gate for a private sandbox `box` and the public ones `open` and `known`, of which only `known` is cached. */
function gateWith(
  outage: readonly string[] = [],
  {
    lookups = 100,
    atOnce = 10,
    error = new GatewayError("api_unreachable", ""),
    scope = "sandbox",
    sub,
    ids,
    visitsPort,
    ports,
  }: {
    lookups?: number;
    atOnce?: number;
    error?: Error;
    scope?: SessionScope;
    sub?: string;
    /** Where names count: the ids of sandboxes, none of which is known without a question. */
    ids?: Readonly<Record<string, string>>;
    /** The port that whoever has logged in may look at. */
    visitsPort?: number;
    ports?: Partial<GateParts["ports"]>;
  } = {},
) {
  const calls: string[] = [];
  const opened: string[] = [];
  let charged = 0;
  const throttle = new Throttle({
    refusalsPerMinute: Math.max(1, lookups),
    lookups: atOnce,
    maxClients: 10,
    now: () => 0,
    onCharge: (_, count) => charged += count,
  });
  if (lookups === 0) {
    const used = throttle.budgetFor(CLIENT);
    used.spend();
    used.settle({ isAdmitted: false });
  }
  function ask<T>(name: string, answer: T, budget: Budget): Promise<T> {
    try {
      budget.spend();
    } catch (refusal) {
      return Promise.reject(refusal);
    }
    calls.push(name);
    return outage.includes(name)
      ? Promise.reject(error)
      : Promise.resolve(answer);
  }
  const grants = new GrantAccess(() => 0);
  const gate = new Gate({
    sandboxes: {
      isPublic: (id, budget) =>
        id === "known" || ask("public", id === "open", budget),
      sandboxIdOf: (id) => id,
      ...ids && {
        sandboxOf(label: string) {
          const id = ids[label];
          return Promise.resolve(id === undefined ? null : { id });
        },
      },
    },
    access: {
      isPreviewToken: (id, token, budget) =>
        ask("token", id === "box" && token === "good", budget),
      hasAccess: (id, { bearer }, budget) =>
        ask(
          "access",
          bearer === "former" ? null : id === "box" && bearer === "key",
          budget,
        ),
      sandboxOfSignedToken(token, port, budget) {
        const isRight = token === TOKEN_LABEL && port === 3000;
        return ask("signed", isRight ? "box" : null, budget);
      },
      signingKeyOf: (id, budget) =>
        ask("signing key", id === "box" ? SIGNING_KEY : null, budget),
    },
    sessions: {
      open(sealed): Promise<Session | undefined> {
        opened.push(sealed);
        return Promise.resolve(
          sealed === "sealed" || sealed === "outdated"
            ? {
              kind: "key",
              sandboxId: "box",
              token: sealed === "sealed" ? "good" : "reset",
              expiresAt: Infinity,
            }
            : sealed === "login" || sealed === "ended"
            ? {
              kind: "login",
              sandboxId: "box",
              id: sealed,
              expiresAt: Infinity,
            }
            : SESSIONS[sealed],
        );
      },
    },
    logins: {
      grantsAccess: ({ id }) => Promise.resolve(id === "login"),
      opens: (_, { id }) => Promise.resolve(id === "login"),
      visits({ port }, _, budget) {
        if (visitsPort !== undefined) budget.spend();
        return Promise.resolve(port === visitsPort);
      },
      subjectOf: () => sub,
    },
    subjects: {
      ofUser: (sub) => sub && `user ${sub}`,
      ofBearer: () => sub && "key",
    },
    grants,
    throttle,
    scope,
    ports: {
      labelsOpen: false,
      accessTo: () => Promise.resolve(EVERYBODY),
      refresh: () => Promise.resolve(),
      ...ports,
    },
  });
  return { gate, grants, calls, opened, left: () => lookups - charged };
}

const EMBEDDER = "https://product.example";

const TERMS: FrameTerms = {
  ancestors: [EMBEDDER, "https://other.example"],
  frame: "replace",
  cookies: "partition",
  isolate: null,
  bridge: [],
};

/** A session for frames on these terms, at port 3000 of `box`. */
const FRAMED: GrantSession = {
  kind: "grant",
  via: viaOf("embed"),
  id: "g",
  sandboxId: "box",
  port: 3000,
  frame: TERMS,
  endsAt: 1,
  expiresAt: Infinity,
};

/** A name of port 3000 of `box`. */
const SHOP = "shop.example:8443";

/** Sessions of a login on one host, and on the base host, and of grants. */
const SESSIONS: Readonly<Record<string, Session>> = {
  "host of shop": {
    kind: "host",
    sandboxId: "box",
    port: 3000,
    name: SHOP,
    id: "login",
    expiresAt: Infinity,
  },
  "token of shop": {
    kind: "key",
    sandboxId: "box",
    name: SHOP,
    token: "good",
    expiresAt: Infinity,
  },
  "granted of shop": {
    kind: "grant",
    via: viaOf("token"),
    id: "g",
    sandboxId: "box",
    port: 3000,
    name: SHOP,
    expiresAt: Infinity,
  },
  "framed of shop": { ...FRAMED, name: SHOP },
  host: {
    kind: "host",
    sandboxId: "box",
    port: 3000,
    id: "login",
    expiresAt: Infinity,
  },
  user: { kind: "user", id: "login", expiresAt: Infinity },
  granted: {
    kind: "grant",
    via: viaOf("token"),
    id: "g",
    sandboxId: "box",
    port: 3000,
    expiresAt: Infinity,
  },
  framed: FRAMED,
  "framed and over": { ...FRAMED, endsAt: 0 },
  "framed in known": { ...FRAMED, sandboxId: "known" },
  "framed in open": { ...FRAMED, sandboxId: "open" },
  "granted at an id": {
    kind: "grant",
    via: viaOf("token"),
    id: "g",
    sandboxId: "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77",
    port: 3000,
    expiresAt: Infinity,
  },
};

function requestFor(
  label: string,
  credentials: Credential[] = [],
  port = 3000,
): GateRequest {
  return {
    label,
    port,
    method: "GET",
    isToolbox: false,
    credentials: () => credentials,
    ...CLIENT,
    progress: { onMiss() {} },
  };
}

/** The admission of a request to a public sandbox. */
const PUBLIC = { kind: "allow", sandboxId: "box", by: "public" } as const;

const GOOD: readonly Credential[] = [
  { kind: "preview_token", token: "good" },
  { kind: "auth_key", token: "good" },
  { kind: "session", sealed: "sealed" },
  { kind: "session", sealed: "login" },
  { kind: "bearer", token: "key" },
];

const BAD: readonly Credential[] = [
  { kind: "preview_token", token: "bad" },
  { kind: "auth_key", token: "bad" },
  { kind: "session", sealed: "bad" },
  { kind: "bearer", token: "the app's own" },
];

Deno.test("Gate admits anyone to a public sandbox without judging credentials", async () => {
  const { gate, calls } = gateWith();
  assert.deepEqual(await gate.admit(requestFor("open", [...BAD])), {
    kind: "allow",
    sandboxId: "open",
    by: "public",
  });
  assert.deepEqual(calls, ["public"]);
});

Deno.test("Gate tells by which of the wanted sessions a visitor is admitted, whether one is needed or not", async () => {
  const { gate, calls } = gateWith();
  const sessions = ["bad", "sealed", "ended", "login"].map((sealed) => ({
    kind: "session",
    sealed,
  } as const));
  const request = requestFor("box", [...BAD, ...sessions]);
  const isLogin = ({ kind }: Session) => kind === "login";
  assert.deepEqual(await gate.bySession(request, isLogin), {
    kind: "allow",
    sandboxId: "box",
    by: "session",
    credential: { kind: "session", sealed: "login" },
  });
  assert.equal(await gate.bySession(request, () => false), undefined);
  const elsewhere = { ...request, label: "open" };
  assert.equal(await gate.bySession(elsewhere, isLogin), undefined);
  assert.deepEqual(calls, []);
});

Deno.test("Gate takes who may look at a port for no member, also if the log does not tell who it is", async () => {
  const credential: Credential = { kind: "session", sealed: "ended" };
  for (const sub of [undefined, "mallory"]) {
    const { gate } = gateWith([], {
      visitsPort: 3000,
      ...sub !== undefined && { sub },
    });
    const request = requestFor("box", [credential]);
    const verdict = await gate.admit(request);
    assert.deepEqual(verdict, {
      kind: "allow",
      sandboxId: "box",
      by: "session",
      credential,
      isVisitor: true,
      ...sub !== undefined && { subject: `user ${sub}` },
    });
    assert.equal(await gate.isMember(verdict as Admission), false);
    const others: GateRequest[] = [
      { ...request, isToolbox: true },
      { ...request, isForMembers: true },
      { ...request, name: "shop.test" },
      requestFor("box", [credential], 8000),
    ];
    for (const other of others) {
      assert.equal((await gate.admit(other)).kind, "login");
    }
  }
});

Deno.test("Gate has labels read again before it decides by them whether something may go on", async () => {
  let access = EVERYBODY;
  const { gate } = gateWith([], {
    ports: {
      accessTo: () => Promise.resolve(access),
      refresh(sandboxId) {
        assert.equal(sandboxId, "known");
        access = MEMBERS;
        return Promise.resolve();
      },
    },
  });
  const request = requestFor("known");
  const verdict = await gate.admit(request);
  assert.equal(verdict.kind, "allow");
  const again = await gate.readmit(request, verdict as Admission);
  assert.deepEqual(again, { kind: "login", code: "login_required" });
});

Deno.test("Gate has them read again for whoever a grant may let in, by whichever route, and not for members at the toolbox", async () => {
  let refreshed = 0;
  const ports = {
    refresh() {
      refreshed++;
      return Promise.resolve();
    },
  };
  const { gate } = gateWithGrant({ via: viaOf("embed"), frame: TERMS }, [], {
    ports,
  });
  const state = { isToolbox: true, isForMembers: true };
  const framed = presenting([sessionIn("framed")], state);
  const verdict = await gate.admit(framed);
  assert.equal(
    (await gate.readmit(framed, verdict as Admission)).kind,
    "allow",
  );
  assert.equal(refreshed, 1);
  const bearer: Credential = { kind: "bearer", token: "key" };
  const atToolbox = { ...requestFor("box", [bearer]), ...state };
  const member = await gate.admit(atToolbox);
  await gate.readmit(atToolbox, member as Admission);
  assert.equal(refreshed, 1);
});

Deno.test("Gate tells the ancestors of a frame that a label has shut its port, whether its sandbox is public or not", async () => {
  for (const label of ["box", "known"]) {
    const { gate } = gateWithGrant(
      { via: viaOf("embed"), frame: TERMS, sandboxId: label },
      [],
      {
        ports: {
          accessTo: () => Promise.resolve(0),
        },
      },
    );
    const sealed = label === "box" ? "framed" : "framed in known";
    const request = presenting([sessionIn(sealed)], {
      label,
      isEmbedded: true,
    });
    const { ancestors } = TERMS;
    const denial = { kind: "deny", code: "port_off", ancestors };
    assert.deepEqual(await gate.admit(request), denial);
  }
});

Deno.test("Gate asks at a visitor's expense whether labels let them look", async () => {
  const credential: Credential = { kind: "session", sealed: "ended" };
  const { gate, calls, left } = gateWith([], { lookups: 2, visitsPort: 8000 });
  const request = requestFor("box", [credential]);
  assert.equal((await gate.admit(request)).kind, "login");
  assert.deepEqual([calls, left()], [["public"], 0]);
  await assert.rejects(async () => await gate.admit(request), {
    code: "too_many_refusals",
  });
});

Deno.test("Gate says why nobody can tell whom a port admits: its app must not be asked", async () => {
  const failure = new GatewayError("api_unreachable", "status 503");
  const { gate } = gateWith([], {
    ports: {
      accessTo: () => Promise.reject(failure),
    },
  });
  const requests = [requestFor("open"), requestFor("box", GOOD.slice(0, 1))];
  for (const request of requests) {
    const verdict = await gate.admit(request);
    assert.equal((verdict as Admission).failure, failure);
  }
});

Deno.test("Gate requires a credential for the reserved ports of a public sandbox", async () => {
  for (const port of [2280, 22222, 33333]) {
    const { gate, calls } = gateWith();
    assert.deepEqual(await gate.admit(requestFor("open", [], port)), {
      kind: "login",
      code: "login_required",
    });
    assert(!calls.includes("public"));
  }
});

Deno.test("Gate admits by each kind of credential, after any number of bad ones, and names it", async () => {
  for (const credential of GOOD) {
    const { gate } = gateWith();
    assert.deepEqual(
      await gate.admit(requestFor("box", [...BAD, credential])),
      {
        kind: "allow",
        sandboxId: "box",
        by: credential.kind,
        credential,
      },
    );
  }
});

Deno.test("Gate refuses a session whose preview token was reset, or whose login has ended", async () => {
  const { gate } = gateWith();
  for (const sealed of ["outdated", "ended"]) {
    const session: Credential = { kind: "session", sealed };
    const verdict = await gate.admit(requestFor("box", [session]));
    assert.equal(verdict.kind, "login");
  }
});

Deno.test("Gate distinguishes a refused token from a missing one", async () => {
  const { gate } = gateWith();
  for (const credential of BAD) {
    const verdict = await gate.admit(requestFor("box", [credential]));
    const isToken = credential.kind === "preview_token" ||
      credential.kind === "auth_key";
    assert.deepEqual(verdict, {
      kind: "login",
      code: isToken ? "credential_invalid" : "login_required",
    });
  }
});

Deno.test("Gate admits by a signed link on its own port only", async () => {
  const { gate } = gateWith();
  assert.deepEqual(await gate.admit(requestFor(TOKEN_LABEL)), {
    kind: "allow",
    sandboxId: "box",
    by: "signed_token",
  });
  for (const port of [3001, 2280, 22222]) {
    assert.deepEqual(await gate.admit(requestFor(TOKEN_LABEL, [], port)), {
      kind: "deny",
      code: "signed_token_invalid",
    });
  }
});

Deno.test("Gate tries no label of another shape as a signed token", async () => {
  const { gate, calls } = gateWith();
  await gate.admit(requestFor("0b9f1c1e-8f1c-4c57-9c0e-0f3f1d2c3b4a"));
  await gate.admit(requestFor("box"));
  assert(!calls.includes("signed"));
});

Deno.test("Gate admits by a good credential although another could not be judged", async () => {
  const { gate } = gateWith(["public", "access"]);
  const verdict = await gate.admit(requestFor("box", [
    { kind: "preview_token", token: "good" },
  ]));
  assert.equal(verdict.kind, "allow");
});

Deno.test("Gate never turns an outage into a refusal", async () => {
  for (const outage of [["public"], ["token"], ["access"]]) {
    const { gate } = gateWith(outage);
    await assert.rejects(
      async () => await gate.admit(requestFor("box", [...BAD])),
      { code: "api_unreachable" },
      outage[0],
    );
  }
  const { gate } = gateWith(["signed"]);
  await assert.rejects(async () => await gate.admit(requestFor(TOKEN_LABEL)), {
    code: "api_unreachable",
  });
});

Deno.test("Gate denies a deleted sandbox, whatever else cannot be judged, unless another credential is good", async () => {
  const former: Credential = { kind: "bearer", token: "former" };
  const denial = { kind: "deny", code: "sandbox_deleted" };
  for (const outage of [[], ["public"], ["token"]]) {
    const { gate, left } = gateWith(outage);
    const request = requestFor("box", [
      { kind: "preview_token", token: "bad" },
      former,
    ]);
    assert.deepEqual(await gate.admit(request), denial);
    assert.equal(left(), 97);
  }
  const { gate } = gateWith();
  const request = requestFor("box", [
    former,
    { kind: "preview_token", token: "good" },
  ]);
  assert.equal((await gate.admit(request)).kind, "allow");
  const again = requestFor("box", [former]);
  const verdict = await gate.readmit(again, admittedBy(former));
  assert.notEqual(verdict.kind, "allow");
});

Deno.test("Gate lets only refused requests pay for their lookups", async () => {
  const { gate, left } = gateWith();
  await gate.admit(requestFor("open"));
  await gate.admit(requestFor("box", [{ kind: "bearer", token: "key" }]));
  assert.equal(left(), 100);
  await gate.admit(requestFor("box", [{ kind: "bearer", token: "bad" }]));
  assert.equal(left(), 98);
  const down = gateWith(["access"]);
  const request = requestFor("box", [{ kind: "bearer", token: "key" }]);
  await assert.rejects(async () => await down.gate.admit(request));
  assert.equal(down.left(), 100);
});

Deno.test("Gate makes no lookup for a client that is over its budget, and says when to retry", async () => {
  const { gate, calls } = gateWith([], { lookups: 0 });
  const keys = GOOD.filter(({ kind }) => kind !== "session");
  await assert.rejects(async () => await gate.admit(requestFor("box", keys)), {
    code: "too_many_refusals",
    retryAfterSec: 60,
  });
  assert.deepEqual(calls, []);
});

Deno.test("Gate charges the lookups of a request that used the budget up", async () => {
  const { gate, calls } = gateWith([], { lookups: 3, atOnce: 1 });
  const label = "zzzzzzzz12345678"; // asks twice: as a token, and as an id
  for (let i = 0; i < 50; i++) {
    await Promise.resolve(gate.admit(requestFor(label))).catch(() => {});
  }
  assert.equal(calls.length, 3);
});

/** The admission of a request by a credential. */
function admittedBy(credential: Credential): Admission {
  const { kind } = credential;
  const by = kind === "grant" ? viaOf("token") : kind;
  return { kind: "allow", sandboxId: "box", by, credential };
}

Deno.test("S13: readmit() asks about what admitted the request, and about nothing else if that still does", async () => {
  const bad: Credential[] = [
    { kind: "preview_token", token: "bad" },
    { kind: "auth_key", token: "bad" },
  ];
  for (
    const [credential, call] of [
      [{ kind: "bearer", token: "key" }, "access"],
      [{ kind: "session", sealed: "sealed" }, "token"],
    ] as const
  ) {
    const { gate, calls, left } = gateWith();
    const request = requestFor("box", [...bad, credential]);
    const before = admittedBy(credential);
    assert.deepEqual(await gate.readmit(request, before), before);
    assert.deepEqual(calls, [call]);
    assert.equal(left(), 100);
  }
});

Deno.test("Gate admits by the signed URL of a file that the sandbox's key signed, and tells a bad one from none", async () => {
  const text = "v1:files:GET:a:0";
  const digest = createHmac("sha256", SIGNING_KEY).update(text);
  const signature = digest.digest("base64url");
  const good: Credential = {
    kind: "signed_url",
    signature: { signed: text, signature },
  };
  const bad: Credential = {
    kind: "signed_url",
    signature: { signed: "v1:files:GET:b:0", signature },
  };
  const { gate, calls, left } = gateWith();
  const toolbox = (
    credentials: Credential[],
    label = "box",
  ) => ({ ...requestFor(label, credentials), port: 2280, isToolbox: true });
  assert.deepEqual(await gate.admit(toolbox([good])), admittedBy(good));
  assert.deepEqual(
    await gate.readmit(toolbox([good]), admittedBy(good)),
    admittedBy(good),
  );
  assert.deepEqual(calls, ["signing key", "signing key"]);
  assert.equal(left(), 100);
  const refused = { kind: "deny", code: "signed_url_invalid" };
  assert.deepEqual(await gate.admit(toolbox([bad])), refused);
  const again = await gate.readmit(toolbox([bad]), admittedBy(bad));
  assert.notEqual(again.kind, "allow");
  const invalid: Credential = { kind: "signed_url", signature: "invalid" };
  assert.deepEqual(await gate.admit(toolbox([invalid])), refused);
  assert.deepEqual(
    await gate.admit(toolbox([bad, { kind: "bearer", token: "bad" }])),
    refused,
  );
  assert.deepEqual(
    await gate.admit(toolbox([bad, { kind: "bearer", token: "former" }])),
    { kind: "deny", code: "sandbox_deleted" },
  );
  // The API has no key for it.
  assert.deepEqual(await gate.admit(toolbox([good], "other")), {
    kind: "login",
    code: "login_required",
  });

  const down = gateWith(["access"]);
  const bearer: Credential = { kind: "bearer", token: "key" };
  await assert.rejects(
    async () => await down.gate.admit(toolbox([bad, bearer])),
    {
      code: "api_unreachable",
    },
  );
});

Deno.test("S13: readmit() confirms public sandboxes and signed links without reading credentials", async () => {
  for (
    const [label, by, sandboxId] of [
      ["open", "public", "open"],
      ["known", "public", "known"],
      [TOKEN_LABEL, "signed_token", "box"],
    ] as const
  ) {
    const { gate, left } = gateWith();
    const request = {
      ...requestFor(label),
      credentials: () => assert.fail("read"),
    };
    const before: Admission = { kind: "allow", sandboxId, by };
    assert.deepEqual(await gate.readmit(request, before), before);
    assert.equal(left(), 100);
  }
});

Deno.test("S13: readmit() is free for what admitted the request, and charges for the rest", async () => {
  const revoked: Credential = { kind: "preview_token", token: "old" };
  const request = requestFor("box", [
    revoked,
    { kind: "auth_key", token: "bad" },
    { kind: "bearer", token: "bad" },
  ]);
  const { gate, left, calls } = gateWith();
  const verdict = await gate.readmit(request, admittedBy(revoked));
  assert.equal(verdict.kind, "login");
  assert.deepEqual(calls, ["token", "public", "token", "access"]);
  assert.equal(left(), 97);

  const usedUp = gateWith([], { lookups: 0 });
  const refused = await usedUp.gate.readmit(request, admittedBy(revoked));
  assert.equal(refused.kind, "login");
  assert.deepEqual(usedUp.calls, ["token"]);
});

Deno.test("S13: readmit() admits by another credential, for which the client then does not pay", async () => {
  const { gate, left } = gateWith();
  const revoked: Credential = { kind: "preview_token", token: "old" };
  const good: Credential = { kind: "bearer", token: "key" };
  const request = requestFor("box", [revoked, good]);
  const verdict = await gate.readmit(request, admittedBy(revoked));
  assert.deepEqual(verdict, admittedBy(good));
  assert.equal(left(), 100);
});

Deno.test("readmit() fails only if the credential that admitted cannot be judged", async () => {
  const { gate } = gateWith(["access"]);
  const unjudged: Credential = { kind: "bearer", token: "anything" };
  const revoked: Credential = { kind: "preview_token", token: "old" };
  for (const credentials of [[revoked, unjudged], [unjudged, revoked]]) {
    const request = requestFor("box", credentials);
    const before: Admission = {
      kind: "allow",
      sandboxId: "box",
      by: "preview_token",
      credential: revoked,
    };
    assert.equal((await gate.readmit(request, before)).kind, "login");
    assert.equal((await gate.readmit(request, PUBLIC)).kind, "login");
    await assert.rejects(
      gate.readmit(request, { ...before, by: "bearer", credential: unjudged }),
      { code: "api_unreachable" },
    );
  }
});

Deno.test("Gate admits to a sandbox known to be public without a lookup, and without reading credentials", async () => {
  const { gate, calls, left } = gateWith();
  const request = requestFor("known");
  const verdict = await gate.admit({
    ...request,
    credentials: () => {
      throw new Error("Looked at");
    },
  });
  assert.deepEqual(verdict, {
    kind: "allow",
    sandboxId: "known",
    by: "public",
  });
  assert.deepEqual([calls, left()], [[], 100]);
});

Deno.test("Gate requires a credential for the reserved ports of a sandbox known to be public", async () => {
  const { gate } = gateWith();
  for (const port of [2280, 22222, 33333]) {
    const { kind } = await gate.admit(requestFor("known", [], port));
    assert.equal(kind, "login");
  }
});

Deno.test("Gate fails on a defect although another credential is good", async () => {
  const { gate } = gateWith(["public"], { error: new TypeError("A defect") });
  const good: Credential = { kind: "bearer", token: "key" };
  await assert.rejects(
    async () => await gate.admit(requestFor("box", [good])),
    TypeError,
  );
});

Deno.test("readmit() does not confuse a session that cannot be judged with the one that admitted", async () => {
  const { gate } = gateWith(["token"]);
  const session: Credential = { kind: "session", sealed: "sealed" };
  const request = requestFor("box", [session]);
  const before: Admission = {
    kind: "allow",
    sandboxId: "box",
    by: "session",
    credential: { kind: "session", sealed: "another" },
  };
  assert.equal((await gate.readmit(request, before)).kind, "login");
  await assert.rejects(
    gate.readmit(request, { ...before, credential: session }),
    { code: "api_unreachable" },
  );
});

Deno.test("Gate reports a refused bearer at the toolbox only: elsewhere it may be meant for the app", async () => {
  const { gate } = gateWith();
  const request = requestFor("box", [{ kind: "bearer", token: "bad" }]);
  for (const isToolbox of [true, false]) {
    assert.deepEqual(await gate.admit({ ...request, isToolbox }), {
      kind: "login",
      code: isToolbox ? "credential_invalid" : "login_required",
    });
  }
});

Deno.test("Gate reports a lookup that the cache in process could not answer, admitted or not", async () => {
  for (const label of ["known", "open", "box"]) {
    const { gate } = gateWith();
    let misses = 0;
    const onMiss = () => void misses++;
    await gate.admit({ ...requestFor(label), progress: { onMiss } });
    assert.equal(misses, label === "known" ? 0 : 1, label);
  }
  const { gate } = gateWith([], { lookups: 0 });
  let misses = 0;
  const onMiss = () => void misses++;
  await assert.rejects(
    async () =>
      await gate.admit({ ...requestFor("box"), progress: { onMiss } }),
  );
  assert.equal(misses, 1);
});

Deno.test("a login's session opens only what logins are for: all ports of its sandbox, or one of them", async () => {
  for (
    const [scope, sealed, label, port, kind] of [
      ["sandbox", "login", "box", 3000, "allow"],
      ["sandbox", "login", "box", 22222, "allow"],
      ["sandbox", "login", "other", 3000, "login"],
      ["sandbox", "host", "box", 3000, "login"],
      ["sandbox", "user", "box", 3000, "login"],
      ["host", "host", "box", 3000, "allow"],
      ["host", "host", "box", 3001, "login"],
      ["host", "host", "other", 3000, "login"],
      ["host", "login", "box", 3000, "login"],
      ["host", "user", "box", 3000, "login"],
      // A preview token is for the sandbox, whatever logins are for.
      ["host", "sealed", "box", 22222, "allow"],
    ] as const
  ) {
    const { gate } = gateWith([], { scope });
    const verdict = await gate.admit(
      requestFor(label, [{ kind: "session", sealed }], port),
    );
    assert.equal(verdict.kind, kind, `${scope}: ${sealed} at ${port}-${label}`);
  }
});

Deno.test("at a name, a login's session opens only if it was handed over to hosts of that port, whatever logins are for", async () => {
  for (const scope of ["sandbox", "host"] as const) {
    for (
      const [sealed, label, port, kind] of [
        ["host of shop", "box", 3000, "allow"],
        ["host of shop", "box", 3001, "login"],
        ["host of shop", "other", 3000, "login"],
        ["host", "box", 3000, "login"],
        ["login", "box", 3000, "login"],
        ["user", "box", 3000, "login"],
        ["token of shop", "box", 3000, "allow"],
        ["token of shop", "other", 3000, "login"],
        ["sealed", "box", 3000, "login"],
      ] as const
    ) {
      const { gate } = gateWith([], { scope });
      const credential = { kind: "session", sealed } as const;
      const request = requestFor(label, [credential], port);
      const verdict = await gate.admit({ ...request, name: SHOP });
      const what = `${scope}: ${sealed} at ${port}-${label}`;
      assert.equal(verdict.kind, kind, what);
    }
  }
});

Deno.test("a session that was made at a name opens that name, and neither another one nor a preview host, Daytona's own services the least", async () => {
  for (const scope of ["sandbox", "host"] as const) {
    for (const kind of ["host", "token", "granted", "framed"]) {
      const sealed = `${kind} of shop`;
      for (
        const [name, port, isOpen] of [
          [SHOP, 3000, true],
          ["shop.example", 3000, false],
          ["store.example:8443", 3000, false],
          ...[3000, 2280, 22222, 33333].map((port) =>
            [undefined, port, false] as const
          ),
        ] as const
      ) {
        const { gate } = gateWithGrant({}, [], { scope });
        const credential = { kind: "session", sealed } as const;
        const request = presenting([credential], { name, port });
        const verdict = await gate.admit(request);
        const what = `${scope}: ${sealed} at ${name ?? port}`;
        assert.equal(verdict.kind, isOpen ? "allow" : "login", what);
      }
    }
  }
});

Deno.test("a grant's session of a preview host opens no name", async () => {
  for (const sealed of ["granted", "framed"]) {
    const { gate } = gateWithGrant();
    const session = { kind: "session", sealed } as const;
    const request = presenting([session], { name: SHOP });
    assert.equal((await gate.admit(request)).kind, "login", sealed);
  }
});

Deno.test("readmit() asks for the grant behind what came to a name, too", async () => {
  const framed = { kind: "session", sealed: "framed of shop" } as const;
  for (const credential of [BY_HEADER, framed]) {
    const { gate, asked } = gateWithGrant({
      via: viaOf("embed"),
      frame: TERMS,
    });
    const request = presenting([credential], { name: SHOP });
    const verdict = await gate.admit(request);
    assert(verdict.kind === "allow");
    asked.length = 0;
    assert.equal((await gate.readmit(request, verdict)).kind, "allow");
    assert.deepEqual(asked, ["session g"]);
  }
});

Deno.test("S13: readmit() goes by the host that was asked, a name or not", async () => {
  const { gate } = gateWith();
  const credential = { kind: "session", sealed: "host of shop" } as const;
  const request = { ...requestFor("box", [credential]), name: SHOP };
  const admission = await gate.admit(request);
  assert(admission.kind === "allow");
  assert.equal((await gate.readmit(request, admission)).kind, "allow");
  const unnamed = { ...request, name: undefined };
  assert.equal((await gate.readmit(unnamed, admission)).kind, "login");
});

Deno.test("the owner's view is opened by a login or a bearer only: by no token, no link, and not for being public", async () => {
  for (
    const [scope, credential, label, kind] of [
      ["sandbox", { kind: "session", sealed: "login" }, "box", "allow"],
      ["sandbox", { kind: "session", sealed: "login" }, "other", "login"],
      ["sandbox", { kind: "session", sealed: "user" }, "box", "login"],
      ["host", { kind: "session", sealed: "user" }, "box", "allow"],
      ["host", { kind: "session", sealed: "host" }, "box", "login"],
      // It stands for a preview token.
      ["sandbox", { kind: "session", sealed: "sealed" }, "box", "login"],
      ["host", { kind: "session", sealed: "sealed" }, "box", "login"],
      ["sandbox", { kind: "bearer", token: "key" }, "box", "allow"],
      ["sandbox", undefined, "known", "login"],
      ["sandbox", undefined, "open", "login"],
      ["sandbox", undefined, TOKEN_LABEL, "login"],
    ] as const
  ) {
    const { gate } = gateWith([], { scope });
    const verdict = await gate.admit({
      ...requestFor(label, credential === undefined ? [] : [credential], 2280),
      isToolbox: true,
      isForMembers: true,
    });
    const name = `${scope}: ${JSON.stringify(credential)} at ${label}`;
    assert.equal(verdict.kind, kind, name);
  }
});

Deno.test("an admission names the user of a login or an API key, and nobody where a token or nothing was presented; each session is opened once", async () => {
  const { gate, opened } = gateWith([], { sub: "alice" });
  const subjects = [];
  for (
    const [label, credential] of [
      ["box", { kind: "session", sealed: "login" }],
      ["box", { kind: "bearer", token: "key" }],
      ["box", { kind: "session", sealed: "sealed" }],
      ["box", { kind: "preview_token", token: "good" }],
      ["open", undefined],
    ] as const
  ) {
    const credentials = credential === undefined ? [] : [credential];
    const verdict = await gate.admit(requestFor(label, credentials));
    assert(verdict.kind === "allow");
    subjects.push(verdict.subject);
  }
  assert.deepEqual(subjects, [
    "user alice",
    "key",
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual(opened, ["login", "sealed"]);
});

/** The gate of {@linkcode gateWith} with a grant for port 3000 of `box`, and a request that presents it. */
function gateWithGrant(
  changes: Partial<Grant> = {},
  ...setting: Parameters<typeof gateWith>
) {
  const given = gateWith(...setting);
  const grant: Grant = {
    via: viaOf("token"),
    id: "g",
    sandboxId: "box",
    ports: [3000],
    expiresAt: Infinity,
    ...changes,
  };
  const asked: string[] = [];
  const source = {
    via: ["token", "ticket", "embed"].map(viaOf),
    failure: undefined as Error | undefined,
    isKnown: true,
    recognizes: (secret: string) => secret.startsWith("pp_"),
    open({ secret, place }: PresentedGrant): Promise<Grant | undefined> {
      asked.push(`${place} ${secret}`);
      return this.answer(secret === "pp_good");
    },
    reopen({ id }: GrantSession): Promise<Grant | undefined> {
      asked.push(`session ${id}`);
      return this.answer(id === "g");
    },
    answer(isIt: boolean): Promise<Grant | undefined> {
      if (this.failure !== undefined) return Promise.reject(this.failure);
      return Promise.resolve(isIt && this.isKnown ? grant : undefined);
    },
  };
  given.grants.use([source]);
  return { ...given, grant, asked, source };
}

function presenting(
  credentials: Credential[],
  differences: Partial<GateRequest> = {},
): GateRequest {
  return {
    ...requestFor("box", credentials),
    takesGrants: true,
    ...differences,
  };
}

const BY_HEADER: Credential = {
  kind: "grant",
  secret: "pp_good",
  place: "header",
};
const FORGED: Credential = { ...BY_HEADER, secret: "pp_forged" };
const INVALID = { kind: "deny", code: "grant_invalid" };

Deno.test("Gate admits by a grant, and names its kind and holder", async () => {
  for (const via of ["token", "ticket"] as const) {
    const { gate, grant } = gateWithGrant({ via: viaOf(via), subject: "ci" });
    assert.deepEqual(await gate.admit(presenting([BY_HEADER])), {
      kind: "allow",
      sandboxId: "box",
      by: via,
      credential: BY_HEADER,
      grant,
      subject: "ci",
    });
  }
});

Deno.test("Gate takes a bearer that a source recognizes for a grant, and never asks the API about it", async () => {
  const { gate, calls } = gateWithGrant();
  for (const takesGrants of [true, false]) {
    for (const token of ["pp_good", "pp_forged"]) {
      const request = presenting([{ kind: "bearer", token }], { takesGrants });
      const verdict = await gate.admit(request);
      const isGood = takesGrants && token === "pp_good";
      assert.equal(verdict.kind === "allow", isGood);
      if (isGood) {
        const again = await gate.readmit(request, verdict as Admission);
        assert.equal(again.kind, "allow");
        assert.equal(await gate.isMember(verdict as Admission), false);
      }
    }
  }
  assert(!calls.includes("access"));
});

Deno.test("Gate denies a grant that is no good, unless another credential is good", async () => {
  const { gate, grant } = gateWithGrant({ methods: ["GET"] });
  const post = presenting([BY_HEADER], { method: "POST" });
  assert.deepEqual(await gate.admit(post), { ...INVALID, grant });
  const forged = await gate.admit(presenting([FORGED, ...BAD]));
  assert.deepEqual(forged, { ...INVALID, grant: undefined });
  for (const good of [...GOOD, BY_HEADER]) {
    const verdict = await gate.admit(presenting([FORGED, good]));
    assert.equal(verdict.kind, "allow");
  }
});

Deno.test("Gate refuses no grant while it, or what is beside it, cannot be judged", async () => {
  const { gate, source } = gateWithGrant();
  source.failure = new GatewayError("api_unreachable", "away");
  const unknown = { code: "api_unreachable" };
  await assert.rejects(
    async () => await gate.admit(presenting([BY_HEADER])),
    unknown,
  );
  const down = gateWithGrant({}, ["token"]);
  const request = presenting([FORGED, { kind: "auth_key", token: "good" }]);
  await assert.rejects(async () => await down.gate.admit(request), unknown);
});

Deno.test("Gate makes nothing of a grant where none is taken: neither an admission nor a refusal", async () => {
  const { gate, asked } = gateWithGrant();
  for (
    const differences of [
      { isToolbox: true },
      { isToolbox: true, isForMembers: true, port: 2280 },
    ]
  ) {
    const request = presenting([BY_HEADER], {
      takesGrants: false,
      ...differences,
    });
    const verdict = await gate.admit(request);
    assert.deepEqual(verdict, { kind: "login", code: "login_required" });
  }
  assert.deepEqual(asked, []);
});

Deno.test("Gate judges no grant where the sandbox is public, but for members' own pages, which are never public", async () => {
  for (const label of ["open", "known"]) {
    const { gate, asked } = gateWithGrant();
    const verdict = await gate.admit(presenting([FORGED], { label }));
    assert(verdict.kind === "allow" && verdict.by === "public");
    assert.deepEqual(asked, []);
    const state = presenting([FORGED], {
      label,
      isToolbox: true,
      isForMembers: true,
    });
    assert.deepEqual(await gate.admit(state), { ...INVALID, grant: undefined });
  }
});

Deno.test("readmit() asks for the grant behind what came once, and cuts when that is no more", async () => {
  for (
    const credential of [
      BY_HEADER,
      { ...BY_HEADER, place: "query" },
      { kind: "bearer", token: "pp_good" },
    ] as Credential[]
  ) {
    const { gate, asked, source, left } = gateWithGrant();
    const request = presenting([credential]);
    const first = await gate.admit(request);
    assert(first.kind === "allow");
    asked.length = 0;
    assert.deepEqual(await gate.readmit(request, first), first);
    assert.deepEqual(asked, ["session g"]);
    source.failure = new GatewayError("api_unreachable", "away");
    await assert.rejects(gate.readmit(request, first), {
      code: "api_unreachable",
    });
    source.failure = undefined;
    source.isKnown = false;
    assert.notEqual((await gate.readmit(request, first)).kind, "allow");
    assert.equal(left(), 99); // whether it is public, of the one that was refused
  }
});

Deno.test("Gate admits by the session of a grant at its port, and by nothing planted from elsewhere", async () => {
  const { gate, source, asked } = gateWithGrant();
  const session: Credential = { kind: "session", sealed: "granted" };
  const verdict = await gate.admit(presenting([session]));
  assert(verdict.kind === "allow");
  assert.deepEqual([verdict.by, verdict.credential], ["token", session]);
  assert.equal(await gate.isMember(verdict), false);
  asked.length = 0;
  for (const place of [{ port: 3001 }, { label: "another" }]) {
    const refused = await gate.admit(presenting([session], place));
    assert.deepEqual(refused, { kind: "login", code: "login_required" });
  }
  assert.deepEqual(asked, []);
  source.isKnown = false;
  const revoked = await gate.admit(presenting([session]));
  assert.deepEqual(revoked, { ...INVALID, grant: undefined });
});

const BOX_ID = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";

Deno.test("Gate admits by a grant, and by its session, at the name of its sandbox, though what is known of the name is stale", async () => {
  const { gate, source } = gateWithGrant({ sandboxId: BOX_ID }, [], {
    ids: { box: BOX_ID },
  });
  const sealed: Credential = { kind: "session", sealed: "granted at an id" };
  for (const credential of [BY_HEADER, sealed]) {
    const request = presenting([credential]);
    const verdict = await gate.admit(request);
    assert(verdict.kind === "allow", credential.kind);
    assert.equal(verdict.sandboxId, BOX_ID);
    assert.deepEqual(await gate.readmit(request, verdict), verdict);
  }
  source.isKnown = false;
  const over = await gate.admit(presenting([BY_HEADER]));
  assert.deepEqual(over, { ...INVALID, grant: undefined });
});

Deno.test("Gate calls a member's sandbox by its id, though what is known of its name is stale", async () => {
  for (
    const [ids, expected] of [
      [{ box: BOX_ID }, BOX_ID],
      [{}, "sandbox_not_found"],
    ] as const
  ) {
    const { gate } = gateWith([], { ids });
    const bearer: Credential = { kind: "bearer", token: "key" };
    const verdict = await gate.admit({
      ...requestFor("box", [bearer], 2280),
      isToolbox: true,
      isForMembers: true,
    });
    const told = verdict.kind === "allow" ? verdict.sandboxId : verdict.code;
    assert.equal(told, expected);
  }
});

/** A session as a frame of that page presents it; as the sandbox's own pages do, without one. */
function sessionIn(sealed: string, framedBy?: string): Credential {
  const session = { kind: "session", sealed } as const;
  return framedBy === undefined ? session : { ...session, framedBy };
}

Deno.test("in a frame of another page, a session counts if its grant is for that page's frames, and is nothing otherwise", async () => {
  const { gate, asked, source } = gateWithGrant({
    via: viaOf("embed"),
    frame: TERMS,
  });
  for (const framedBy of [undefined, ...TERMS.ancestors]) {
    const session = sessionIn("framed", framedBy);
    const verdict = await gate.admit(presenting([session]));
    assert(verdict.kind === "allow", `${framedBy}`);
    assert.deepEqual([verdict.by, verdict.grant?.frame], ["embed", TERMS]);
    assert.equal(await gate.isMember(verdict), false);
  }
  asked.length = 0;
  const nothing = { kind: "login", code: "login_required" };
  for (
    const framedBy of [
      "https://evil.example",
      "https://product.example:8443",
      "https://product.example.evil.example",
      "http://product.example",
      "https://PRODUCT.example",
      "null",
    ]
  ) {
    for (const sealed of ["framed", "framed and over"]) {
      const session = sessionIn(sealed, framedBy);
      assert.deepEqual(await gate.admit(presenting([session])), nothing);
    }
  }
  // A token's session is for no frame of others, nor is one that is revoked.
  source.isKnown = false;
  const token = sessionIn("granted", EMBEDDER);
  assert.deepEqual(await gate.admit(presenting([token])), nothing);
  assert.deepEqual(asked, []);
});

Deno.test("a frame's session that has ended, or whose grant is no more, is denied, and its ancestors may hear of it", async () => {
  const { gate, source } = gateWithGrant({ via: viaOf("embed"), frame: TERMS });
  const denial = { ...INVALID, grant: undefined, ancestors: TERMS.ancestors };
  for (const framedBy of [undefined, EMBEDDER]) {
    const over = sessionIn("framed and over", framedBy);
    const none = sessionIn("unknown");
    // A token's beside it has nobody to tell.
    source.isKnown = false;
    for (
      const credentials of [
        [over],
        [none, over],
        [sessionIn("granted"), over],
        [over, sessionIn("granted")],
        [sessionIn("framed", framedBy)],
      ]
    ) assert.deepEqual(await gate.admit(presenting(credentials)), denial);
    source.isKnown = true;
    const beside = [over, sessionIn("framed", framedBy)];
    const verdict = await gate.admit(presenting(beside));
    assert.equal(verdict.kind, "allow");
  }
});

Deno.test("a grant for a frame that is good for something else is denied with its ancestors", async () => {
  const { gate, grant } = gateWithGrant({ methods: ["GET"], frame: TERMS });
  const post = presenting([sessionIn("framed")], { method: "POST" });
  const denial = { ...INVALID, grant, ancestors: TERMS.ancestors };
  assert.deepEqual(await gate.admit(post), denial);
});

Deno.test("readmit() asks about a session's grant, though its cookie has ended meanwhile, and cuts when that is no more", async () => {
  for (const framedBy of [undefined, EMBEDDER]) {
    const { gate, asked, source } = gateWithGrant({
      via: viaOf("embed"),
      frame: TERMS,
    });
    const first = await gate.admit(
      presenting([sessionIn("framed", framedBy)]),
    );
    assert(first.kind === "allow");
    asked.length = 0;
    const over = sessionIn("framed and over", framedBy);
    const request = presenting([over]);
    const admission = { ...first, credential: over };
    assert.deepEqual(await gate.readmit(request, admission), admission);
    assert.deepEqual(asked, ["session g"]);
    source.isKnown = false;
    const cut = await gate.readmit(request, admission);
    assert.notEqual(cut.kind, "allow");
  }
});

Deno.test("readmit() lets a token's session end with its cookie, which is no longer than a login's", async () => {
  const { gate } = gateWithGrant();
  const session: Credential = { kind: "session", sealed: "granted" };
  const first = await gate.admit(presenting([session]));
  assert(first.kind === "allow");
  const over: Credential = { kind: "session", sealed: "unknown" };
  const again = await gate.readmit(presenting([over]), {
    ...first,
    credential: over,
  });
  assert.equal(again.kind, "login");
});

Deno.test("on a public sandbox, a frame's session counts for its terms, and nothing else is judged or refused", async () => {
  for (const label of ["known", "open"]) {
    const { gate, calls, source } = gateWithGrant({
      via: viaOf("embed"),
      sandboxId: label,
      frame: TERMS,
    });
    const framed = (framedBy?: string) =>
      sessionIn(`framed in ${label}`, framedBy);
    const ask = (credentials: Credential[], isEmbedded = true) =>
      gate.admit(presenting(credentials, { label, isEmbedded }));
    for (const framedBy of [undefined, EMBEDDER]) {
      const verdict = await ask([FORGED, ...BAD, framed(framedBy)]);
      assert(verdict.kind === "allow");
      assert.deepEqual([verdict.by, verdict.grant?.frame], ["embed", TERMS]);
      assert.equal(verdict.sandboxId, label);
    }
    const open = { kind: "allow", sandboxId: label, by: "public" } as const;
    assert.deepEqual(await ask([framed()], false), open);
    for (
      const credential of [
        framed("https://evil.example"),
        FORGED,
        sessionIn("granted"),
        sessionIn("framed"),
        sessionIn("framed and over"),
        sessionIn("sealed"),
      ]
    ) assert.deepEqual(await ask([credential]), open);
    source.isKnown = false;
    assert.deepEqual(await ask([framed()]), open);
    source.failure = new GatewayError("records_unavailable", "away");
    assert.deepEqual(await ask([framed()]), open);
    assert(!calls.includes("token") && !calls.includes("access"));
  }
});
