import assert from "node:assert/strict";
import {
  createLocalJWKSet,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWTPayload,
  SignJWT,
} from "jose";
import { UsedCodes } from "../../../../src/auth/used_codes.ts";
import {
  frameSessionFor,
  type FrameTerms,
  type GrantSession,
} from "../../../../src/auth/grants.ts";
import { contentOf } from "../../../../src/config/settings_file.ts";
import { GatewayError } from "../../../../src/errors.ts";
import {
  type Rule,
  rulesFile,
} from "../../../../src/features/trusted_issuers/rules.ts";
import { Tickets } from "../../../../src/features/trusted_issuers/tickets.ts";
import { UNMETERED } from "../../../../src/resolver/lookup_cache.ts";
import { createIssuer, type TestIssuer } from "../../../support/issuer.ts";

const NOW = 1_700_000_000_000;
const NOW_SEC = NOW / 1000;
const SHOP = "https://shop.example.com";
const AUDIENCE = "https://preview.example.com";
const AT = { sandboxId: "box", port: 3000, clientAddress: "192.0.2.1" };

/** What a product's backend says in a good ticket. */
const TICKET = {
  iss: SHOP,
  aud: AUDIENCE,
  sub: "user-7",
  iat: NOW_SEC,
  exp: NOW_SEC + 600,
  jti: "first",
  porthole: { sandbox: "box", ports: [3000] },
};

const MINTING = {
  kind: "minting",
  issuer: SHOP,
  audience: AUDIENCE,
  sandboxes: ["box"],
  ports: [3000, 3001],
  methods: ["GET", "HEAD"],
};

const MAPPED = {
  ...MINTING,
  kind: "mapped",
  ports: "*",
  subject: "repo:acme/*:ref:refs/heads/main",
};

const LABELS: Readonly<Record<string, Record<string, string>>> = {
  box: { team: "shop", stage: "test", note: "" },
  other: { team: "bank" },
  half: { team: "shop" },
};

/** Judges by these rules at `NOW`; `rules` and `nowMs` may be changed, and no keys at a URL can be fetched. */
function judge(issuer: Pick<TestIssuer, "jwks">, ...given: object[]) {
  const { jwks } = issuer;
  const result = contentOf(
    rulesFile("rules.json", {
      OIDC_ALLOW_INSECURE: false,
      OIDC_DOMAIN: undefined,
    }),
    JSON.stringify(given.map((rule) => ({ jwks, ...rule }))),
  );
  if (!result.ok) throw new Error(result.problems.join());
  const state = {
    rules: result.value as readonly Rule[],
    nowMs: NOW,
    asked: [] as string[],
    reasons: [] as string[],
  };
  const keys = createLocalJWKSet(jwks);
  const tickets = new Tickets({
    rules: () => state.rules,
    keysOf: ({ jwks }) =>
      typeof jwks === "string"
        ? () => Promise.reject(new GatewayError("issuer_unavailable", jwks))
        : keys,
    labelsOf(sandboxId) {
      state.asked.push(sandboxId);
      return Promise.resolve(LABELS[sandboxId] ?? null);
    },
    used: new UsedCodes(null, { kind: "ticket", maxEntries: 10 }),
    subjects: { ofUser: (sub) => sub && `log's ${sub}` },
    now: () => state.nowMs,
    onRefusal: (_, reason) => state.reasons.push(reason),
  });
  return {
    state,
    tickets,
    open: (secret: string, at: Partial<typeof AT> = {}) =>
      tickets.open({ secret, place: "header" }, { ...AT, ...at }, UNMETERED),
    openOnce: (secret: string, at: Partial<typeof AT> = {}) =>
      tickets.open({ secret, place: "query" }, { ...AT, ...at }, UNMETERED),
    openInFrame: (secret: string, at: Partial<typeof AT> = {}) =>
      tickets.open({ secret, place: "frame" }, { ...AT, ...at }, UNMETERED),
  };
}

function encoded(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value))
    .toBase64({ alphabet: "base64url", omitPadding: true });
}

/** A JWT with other claims or another header, and the signature that it had. */
function tampered(
  jwt: string,
  { header, claims }: { header?: object; claims?: object },
): string {
  const [head = "", body = "", signature = ""] = jwt.split(".");
  return [
    header === undefined ? head : encoded(header),
    claims === undefined ? body : encoded(claims),
    signature,
  ].join(".");
}

for (const alg of ["ES256", "RS256", "EdDSA"]) {
  Deno.test(`a ticket by ${alg} opens what it names, until it ends`, async () => {
    const issuer = await createIssuer({ alg });
    const { open, tickets } = judge(issuer, MINTING);
    const jwt = await issuer.sign({ ...TICKET, aud: ["other", AUDIENCE] });
    assert(tickets.recognizes(jwt));
    const grant = await open(jwt);
    const { id, ...rest } = grant ?? assert.fail();
    assert.deepEqual(rest, {
      via: "ticket",
      sandboxId: "box",
      ports: [3000],
      methods: ["GET", "HEAD"],
      subject: "log's user-7",
      expiresAt: NOW + 660_000,
    });
    assert.match(id, /^[\w-]{8}\.[\w-]{16}$/);
    assert.equal(await open(jwt, { port: 3001 }), undefined);
    assert.equal(await open(jwt, { sandboxId: "other" }), undefined);
  });
}

/** Claims that a good signature does not help. */
const SHIFTED: Readonly<Record<string, Record<string, unknown>>> = {
  "another issuer": { iss: "https://evil.example.com" },
  "an issuer with a slash": { iss: `${SHOP}/` },
  "an issuer in capitals": { iss: SHOP.toUpperCase() },
  "no issuer": { iss: undefined },
  "a list of issuers": { iss: [SHOP] },
  "another audience": { aud: "https://api.example.com" },
  "a longer audience": { aud: `${AUDIENCE}.evil.com` },
  "other audiences": { aud: ["a", "b"] },
  "no audience": { aud: undefined },
  "an end that has passed": { exp: NOW_SEC - 60 },
  "no end": { exp: undefined },
  "an end in words": { exp: String(NOW_SEC + 600) },
  "an end in milliseconds": { exp: NOW + 600_000 },
  "an end after more than an hour": { exp: NOW_SEC + 3661 },
  "a beginning to come": { nbf: NOW_SEC + 61 },
  "a beginning in words": { nbf: "now" },
  "an issue to come": { iat: NOW_SEC + 61 },
  "an issue in words": { iat: "now" },
  "no claim of ours": { porthole: undefined },
  "a claim of ours in words": { porthole: "box" },
  "another sandbox": { porthole: { sandbox: "other", ports: [3000] } },
  "all sandboxes": { porthole: { sandbox: "*", ports: [3000] } },
  "a list of sandboxes": { porthole: { sandbox: ["box"], ports: [3000] } },
  "another port": { porthole: { sandbox: "box", ports: [3001] } },
  "a port beyond the rule": { porthole: { sandbox: "box", ports: [3000, 80] } },
  "the toolbox": { porthole: { sandbox: "box", ports: [3000, 2280] } },
  "no port": { porthole: { sandbox: "box", ports: [] } },
  "all ports": { porthole: { sandbox: "box", ports: "*" } },
  "a method beyond the rule": {
    porthole: { sandbox: "box", ports: [3000], methods: ["GET", "POST"] },
  },
  "a restriction that is not known": {
    porthole: { sandbox: "box", ports: [3000], path: "/a" },
  },
  "any ancestor": forFrames({ ancestors: ["*"] }),
  "an ancestor with a path": forFrames({ ancestors: ["https://a.example/"] }),
  "an ancestor of http": forFrames({ ancestors: ["http://a.example"] }),
  "an ancestor that adds to a policy": forFrames({
    ancestors: ["https://a.example;script-src"],
  }),
  "no ancestor": forFrames({ ancestors: [] }),
  "an ancestor twice": forFrames({
    ancestors: ["https://a.example", "https://a.example"],
  }),
  "an ancestor in words": forFrames({ ancestors: "https://a.example" }),
  "another word for frames": forFrames({ frame: "deny" }),
  "another word for cookies": forFrames({ cookies: "none" }),
  "another way to isolate": forFrames({ isolate: "unsafe-none" }),
  "a bridge": forFrames({ bridge: ["errors"] }),
};

/** The claims of a ticket for frames, with these differences. */
function forFrames(differences: object = {}) {
  const ancestors = ["https://a.example", "http://localhost:5173"];
  const porthole = { sandbox: "box", ports: [3000], ancestors, ...differences };
  return { porthole };
}

for (const [what, claims] of Object.entries(SHIFTED)) {
  Deno.test(`a ticket with ${what} opens nothing`, async () => {
    const issuer = await createIssuer();
    const { open } = judge(issuer, MINTING);
    const shifted = { ...TICKET, ...claims } as JWTPayload;
    assert.equal(await open(await issuer.sign(shifted)), undefined);
    assert(await open(await issuer.sign(TICKET)));
  });
}

/** An issuer, and somebody who would like to be it; keys of this kind take their time. */
const ISSUER = await createIssuer({ alg: "RS256" });
const FORGER = await createIssuer({ alg: "RS256" });

/** Tickets that the issuer has not signed so, given a good one. */
const FORGED: Readonly<
  Record<string, (issuer: TestIssuer, good: string) => Promise<string> | string>
> = {
  "alg none": (_, good) => tampered(good, { header: { alg: "none" } }),
  "alg None": (_, good) =>
    tampered(good, { header: { alg: "None", kid: "one" } }),
  "alg none, and no signature": () =>
    `${encoded({ alg: "none" })}.${encoded(TICKET)}.`,
  "no alg": (_, good) => tampered(good, { header: { kid: "one" } }),
  "the public key as the secret of HS256": async ({ jwks }) => {
    const key = await importJWK(jwks.keys[0] ?? {}, "RS256", {
      extractable: true,
    }) as CryptoKey;
    const secret = new TextEncoder().encode(await exportSPKI(key));
    return await FORGER.sign(TICKET, { alg: "HS256" }, secret);
  },
  "the key set as the secret of HS512": async ({ jwks, sign }) =>
    await sign(
      TICKET,
      { alg: "HS512" },
      new TextEncoder().encode(JSON.stringify(jwks)),
    ),
  "another key of that name": () => FORGER.sign(TICKET),
  "another kind of key of that name": async () =>
    await (await createIssuer({ alg: "ES256" })).sign(TICKET),
  "a key in its own header": () =>
    FORGER.sign(TICKET, { jwk: FORGER.jwks.keys[0] ?? {} }),
  "a key at its own address": () =>
    FORGER.sign(TICKET, { jku: "https://evil.example.com/jwks" }),
  "a certificate in its own header": () =>
    FORGER.sign(TICKET, { x5c: ["MIIB"], x5u: "https://evil.example" }),
  "a key that is not known": ({ sign }) => sign(TICKET, { kid: "two" }),
  "a key by a path": ({ sign }) => sign(TICKET, { kid: "../../dev/null" }),
  "RS512 with the right key": async ({ sign, privateKey }) => {
    const key = await importJWK(await exportJWK(privateKey), "RS512");
    return await sign(TICKET, { alg: "RS512" }, key);
  },
  "PS256 with the right key": async ({ sign, privateKey }) => {
    const key = await importJWK(await exportJWK(privateKey), "PS256");
    return await sign(TICKET, { alg: "PS256" }, key);
  },
  "ES384": async ({ sign }) => {
    const { privateKey } = await generateKeyPair("ES384");
    return await sign(TICKET, { alg: "ES384" }, privateKey);
  },
  "another sandbox written into it": (_, good) =>
    tampered(good, {
      claims: { ...TICKET, porthole: { sandbox: "box", ports: [3000, 3001] } },
    }),
  "a later end written into it": (_, good) =>
    tampered(good, { claims: { ...TICKET, exp: TICKET.exp + 60 } }),
  "an extension that is not known": ({ privateKey }) =>
    new SignJWT(TICKET)
      .setProtectedHeader({ alg: "RS256", kid: "one", crit: ["x"], x: 1 })
      .sign(privateKey, { crit: { x: true } }),
  "half of its signature": (_, good) => good.slice(0, -40),
  "a signature with a bit changed": (_, good) =>
    good.slice(0, -9) + (good.at(-9) === "A" ? "B" : "A") + good.slice(-8),
  "the signature of another": async ({ sign }, good) => {
    const other = await sign({ ...TICKET, sub: "somebody" });
    return good.slice(0, good.lastIndexOf(".")) +
      other.slice(other.lastIndexOf("."));
  },
  "five parts": (_, good) => `${good}.${good.split(".").slice(1).join(".")}`,
  "white space": (_, good) => good.replaceAll(".", " ."),
  "the scheme before it": (_, good) => `Bearer ${good}`,
  "more than a header holds": ({ sign }) =>
    sign({ ...TICKET, note: "x".repeat(9000) }),
};

for (const [what, forge] of Object.entries(FORGED)) {
  Deno.test(`a ticket with ${what} opens nothing, whatever it says`, async () => {
    const { open } = judge(ISSUER, { ...MINTING, ports: "*" });
    const good = await ISSUER.sign(TICKET);
    assert.equal(await open(await forge(ISSUER, good)), undefined);
    assert(await open(good));
  });
}

Deno.test("clocks may differ by a minute", async () => {
  const issuer = await createIssuer();
  const { open } = judge(issuer, MINTING);
  const slow = { ...TICKET, exp: NOW_SEC - 59 };
  const fast = { ...TICKET, nbf: NOW_SEC + 60, iat: NOW_SEC + 60 };
  assert(await open(await issuer.sign(slow)));
  assert(await open(await issuer.sign({ ...fast, exp: NOW_SEC + 3660 })));
});

Deno.test("what a ticket in a query has become ends at its exp or, if it came later, with the minute by which clocks may differ", async () => {
  const issuer = await createIssuer();
  const { openOnce } = judge(issuer, MINTING);
  const ends = [[600, 600_000], [1, 1000], [0, 60_000], [-59, 1000]] as const;
  for (const [index, [leftSec, lastsMs]] of ends.entries()) {
    const claims = { ...TICKET, jti: `${index}`, exp: NOW_SEC + leftSec };
    const grant = await openOnce(await issuer.sign(claims));
    assert.equal(grant?.expiresAt, NOW + lastsMs, `${leftSec} s`);
  }
});

Deno.test("a ticket in a query needs an id and is good once, and is not used up where it opens nothing", async () => {
  const issuer = await createIssuer();
  const { openOnce, open } = judge(issuer, MINTING);
  const jwt = await issuer.sign(TICKET);
  assert.equal(await openOnce(jwt, { port: 3001 }), undefined);
  const uses = await Promise.all([openOnce(jwt), openOnce(jwt), openOnce(jwt)]);
  assert.equal(uses.filter((use) => use !== undefined).length, 1);
  assert(await open(jwt));
  for (const jti of [undefined, ""]) {
    const anonymous = { ...TICKET, ...jti !== undefined && { jti } };
    if (jti === undefined) Reflect.deleteProperty(anonymous, "jti");
    assert.equal(await openOnce(await issuer.sign(anonymous)), undefined);
  }
});

Deno.test("an identity in a query is good once, even if rules for other sandboxes trust it too", async () => {
  const issuer = await createIssuer();
  const { openOnce, state } = judge(
    issuer,
    { ...MAPPED, sandboxes: ["box"] },
    { ...MAPPED, sandboxes: ["other"], subject: "repo:acme/shop:*:*" },
    { ...MAPPED, sandboxes: ["other"], subject: "repo:acme/shop:ref:*/*/*" },
  );
  const sub = "repo:acme/shop:ref:refs/heads/main";
  const jwt = await issuer.sign({ ...TICKET, sub });
  assert(await openOnce(jwt));
  assert.equal(await openOnce(jwt, { sandboxId: "other" }), undefined);
  assert.equal(state.reasons.at(-1), "used before");
});

Deno.test("a subject that is no text is nobody's", async () => {
  const issuer = await createIssuer();
  const claims = { ...TICKET, sub: 7 } as unknown as JWTPayload;
  const jwt = await issuer.sign(claims);
  assert.equal((await judge(issuer, MINTING).open(jwt))?.subject, undefined);
  const anybody = { ...MAPPED, subject: "*" };
  assert.equal(await judge(issuer, anybody).open(jwt), undefined);
});

Deno.test("an identity opens what its rule names, at all ports but Daytona's own", async () => {
  const issuer = await createIssuer();
  const { open } = judge(issuer, MAPPED);
  const { porthole: _, ...identity } = TICKET;
  const jwt = await issuer.sign({
    ...identity,
    sub: "repo:acme/shop:ref:refs/heads/main",
    exp: NOW_SEC + 7200,
  });
  const grant = await open(jwt, { port: 5173 });
  assert.deepEqual(grant?.ports, [5173]);
  assert.equal(grant?.subject, "log's repo:acme/shop:ref:refs/heads/main");
  assert.equal(await open(jwt, { sandboxId: "other" }), undefined);
  const late = { ...identity, exp: NOW_SEC + 90_000 };
  const sub = "repo:acme/shop:ref:refs/heads/main";
  assert.equal(await open(await issuer.sign({ ...late, sub })), undefined);
});

Deno.test("a * of a subject is not empty, and never crosses / or :", async () => {
  const issuer = await createIssuer();
  const { open } = judge(issuer, MAPPED);
  for (
    const sub of [
      "repo:acme-evil/shop:ref:refs/heads/main",
      "repo:acme/:ref:refs/heads/main",
      "repo:acme/a/b:ref:refs/heads/main",
      "repo:acme/a:b:ref:refs/heads/main",
      "repo:acme/shop:ref:refs/heads/main2",
      "xrepo:acme/shop:ref:refs/heads/main",
      "repo:acme/shop:ref:refs/heads/dev",
      "repo:acme/shop:ref:refs/heads/main\n",
      "REPO:acme/shop:ref:refs/heads/main",
      "",
      undefined,
    ]
  ) {
    const { sub: _, ...anybody } = TICKET;
    const claims = sub === undefined ? anybody : { ...anybody, sub };
    assert.equal(await open(await issuer.sign(claims)), undefined, String(sub));
  }
});

Deno.test("the rest of a subject's pattern means itself", async () => {
  const issuer = await createIssuer();
  const { open } = judge(issuer, { ...MAPPED, subject: "a.b+(c)*" });
  for (
    const [sub, opens] of [["a.b+(c)d", true], ["axb(c)d", false]] as const
  ) {
    const grant = await open(await issuer.sign({ ...TICKET, sub }));
    assert.equal(grant !== undefined, opens, sub);
  }
});

Deno.test("a rule for labels opens sandboxes that have all of them; nobody asks about a JWT that is no good", async () => {
  const issuer = await createIssuer();
  const sandboxes = { team: "shop", stage: "test" };
  const rule = { ...MINTING, sandboxes, ports: "*" };
  const { open, state } = judge(issuer, rule);
  function ticketFor(sandbox: string): Promise<string> {
    return issuer.sign({ ...TICKET, porthole: { sandbox, ports: [3000] } });
  }
  assert(await open(await ticketFor("box")));
  for (const sandboxId of ["other", "half", "gone"]) {
    const jwt = await ticketFor(sandboxId);
    assert.equal(await open(jwt, { sandboxId }), undefined, sandboxId);
  }
  assert.deepEqual(state.asked, ["box", "other", "half", "gone"]);
  const { sign } = await createIssuer();
  assert.equal(await open(await sign(TICKET)), undefined);
  assert.equal(state.asked.length, 4);
});

Deno.test("a JWT opens by any rule of its issuer, and the log tells of each only if it opens by none", async () => {
  const issuer = await createIssuer();
  const { open, state } = judge(
    issuer,
    { ...MINTING, audience: "elsewhere" },
    { ...MINTING, ports: [8080] },
    MINTING,
  );
  const jwt = await issuer.sign(TICKET);
  assert(await open(jwt));
  assert.deepEqual(state.reasons, []);
  assert.equal(await open(jwt, { port: 3001 }), undefined);
  assert.deepEqual(state.reasons, [
    "ERR_JWT_CLAIM_VALIDATION_FAILED aud",
    "more than the rule allows",
    "another port",
  ]);
});

Deno.test("a rule whose keys nobody can fetch matters only to a JWT that no other rule opens", async () => {
  const issuer = await createIssuer();
  const away = { ...MINTING, jwks: "https://shop.example.com/jwks" };
  const { open, openOnce } = judge(issuer, away, MINTING);
  const jwt = await issuer.sign(TICKET);
  assert(await open(jwt));
  assert(await openOnce(jwt));
  await assert.rejects(open(jwt, { port: 3001 }), {
    code: "issuer_unavailable",
  });
});

Deno.test("nothing of what a forged JWT says is told", async () => {
  const issuer = await createIssuer();
  const { open, state } = judge(issuer, MINTING);
  const good = await issuer.sign(TICKET);
  for (
    const header of [
      { alg: "ES256", crit: ["TEXT of anybody"], "TEXT of anybody": 1 },
      { alg: "TEXT" },
      { alg: ["TEXT"] },
      { alg: "ES256", kid: "TEXT" },
      { alg: "ES256", kid: { TEXT: 1 } },
      { alg: "ES256", b64: "TEXT", crit: ["b64"] },
    ]
  ) assert.equal(await open(tampered(good, { header })), undefined);
  assert.equal(state.reasons.length, 6);
  for (const reason of state.reasons) assert.match(reason, /^[\w ]{1,60}$/);
  assert(!state.reasons.join().includes("TEXT"));
});

Deno.test("refusals are the client's to pay for, and what opens is free, even if the client is over its budget", async () => {
  const issuer = await createIssuer();
  const { tickets } = judge(issuer, MINTING);
  const forger = await createIssuer();
  const over = new GatewayError("too_many_refusals", "Over its budget");
  const budget = {
    spend() {
      throw over;
    },
  };
  for (const place of ["bearer", "query"] as const) {
    const secret = await issuer.sign(TICKET);
    assert(await tickets.open({ secret, place }, AT, budget), place);
    const forged = { secret: await forger.sign(TICKET), place };
    await assert.rejects(tickets.open(forged, AT, budget), over);
  }
  const used = { secret: await issuer.sign(TICKET), place: "query" } as const;
  await assert.rejects(tickets.open(used, AT, budget), over);
});

Deno.test("only JWTs of trusted issuers are recognized, whoever has signed them", async () => {
  const issuer = await createIssuer();
  const { tickets } = judge(issuer, MINTING);
  assert(tickets.recognizes(await (await createIssuer()).sign(TICKET)));
  for (
    const other of [
      await issuer.sign({ ...TICKET, iss: "https://login.example.com" }),
      await issuer.sign({}),
      "pp_abc",
      "",
    ]
  ) assert(!tickets.recognizes(other), other);
});

Deno.test("a session lasts until its ticket ends, or the rule that opened it, or its sandbox's label", async () => {
  const issuer = await createIssuer();
  const rule = { ...MINTING, sandboxes: { team: "shop" } };
  const { open, tickets, state } = judge(issuer, rule);
  const grant = await open(await issuer.sign(TICKET)) ?? assert.fail();
  const session: GrantSession = { ...grant, kind: "grant", port: 3000 };
  const reopened = await tickets.reopen(session, UNMETERED);
  assert.deepEqual(reopened?.id, grant.id);
  assert.deepEqual(reopened?.ports, [3000]);

  assert.equal(
    await tickets.reopen({ ...session, sandboxId: "other" }, UNMETERED),
    undefined,
  );
  for (
    const [changed, lasts] of [
      [{ ports: "*" }, true],
      [{ sandboxes: "*" }, true],
      [{ methods: undefined }, true],
      [{ ports: [3001] }, false],
      [{ methods: ["GET"] }, false],
      [{ sandboxes: ["other"] }, false],
      [{ audience: "other" }, false],
      [{ jwks: (await createIssuer()).jwks }, false],
    ] as const
  ) {
    state.rules = judge(issuer, { ...rule, ...changed }).state.rules;
    const again = await tickets.reopen(session, UNMETERED);
    assert.equal(again !== undefined, lasts, JSON.stringify(changed));
  }
  state.rules = judge(issuer, rule).state.rules;
  state.nowMs = grant.expiresAt;
  assert.equal(await tickets.reopen(session, UNMETERED), undefined);
});

Deno.test("a JWT of a trusted issuer is the gateway's own if that is its audience, and else an app's", async () => {
  const issuer = await createIssuer();
  const { tickets } = judge(issuer, { ...MINTING, audience: "x" }, MINTING);
  for (
    const [aud, isOwn] of [
      [AUDIENCE, true],
      ["x", true],
      [["app", AUDIENCE], true],
      ["app", false],
      [["app"], false],
      [undefined, false],
    ] as const
  ) {
    const jwt = await issuer.sign({ ...TICKET, aud } as JWTPayload);
    assert(tickets.recognizes(jwt));
    assert.equal(tickets.owns(jwt), isOwn, String(aud));
  }
  const iss = "https://login.example.com";
  assert(!tickets.owns(await issuer.sign({ ...TICKET, iss })));
});

/** What a ticket for frames says unless it says otherwise. */
const TERMS: FrameTerms = {
  ancestors: ["https://a.example", "http://localhost:5173"],
  frame: "replace",
  cookies: "partition",
  isolate: null,
  bridge: [],
};

Deno.test("a ticket for frames has its terms, or those that it does not name", async () => {
  const issuer = await createIssuer();
  const { openInFrame } = judge(issuer, MINTING);
  for (
    const differences of [
      {},
      { frame: "keep", cookies: "keep", isolate: "credentialless" },
      { frame: "replace", isolate: "require-corp" },
      { cookies: "partition", isolate: null },
    ]
  ) {
    const jti = crypto.randomUUID();
    const claims = { ...TICKET, ...forFrames(differences), jti };
    const grant = await openInFrame(await issuer.sign(claims));
    assert.deepEqual(grant?.frame, { ...TERMS, ...differences });
  }
});

Deno.test("a ticket that opens a frame needs an id and ancestors, and is good once, by a query or a frame", async () => {
  const issuer = await createIssuer();
  const { open, openOnce, openInFrame, state } = judge(issuer, MINTING);
  const claims = { ...TICKET, ...forFrames() };
  const jwt = await issuer.sign(claims);
  assert.equal(await openInFrame(jwt, { port: 3001 }), undefined);
  const both = await Promise.all([openInFrame(jwt), openInFrame(jwt)]);
  assert.equal(both.filter((one) => one !== undefined).length, 1);
  assert.equal(await openOnce(jwt), undefined);
  assert.equal(state.reasons.at(-1), "used before");
  assert(await open(jwt));

  const { jti: _, ...anonymous } = claims;
  assert.equal(await openInFrame(await issuer.sign(anonymous)), undefined);
  assert.equal(state.reasons.at(-1), "no jti, in an address");

  // It is for no frame, and not used up by one.
  const plain = await issuer.sign({ ...TICKET, jti: "plain" });
  assert.equal(await openInFrame(plain), undefined);
  assert.equal(state.reasons.at(-1), "no ancestors");
  assert(await openOnce(plain));
});

Deno.test("an identity opens no frame, whatever it says", async () => {
  const issuer = await createIssuer();
  const { open, openInFrame, state } = judge(issuer, MAPPED);
  const sub = "repo:acme/shop:ref:refs/heads/main";
  const jwt = await issuer.sign({ ...TICKET, ...forFrames(), sub });
  assert.equal(await openInFrame(jwt), undefined);
  assert.equal(state.reasons.at(-1), "no ancestors");
  assert.equal((await open(jwt))?.frame, undefined);
});

Deno.test("a frame's session stands for its ticket and its terms until the ticket ends, though its cookie lasts longer", async () => {
  const issuer = await createIssuer();
  const { openInFrame, tickets, state } = judge(issuer, MINTING);
  const jwt = await issuer.sign({ ...TICKET, ...forFrames() });
  const grant = await openInFrame(jwt) ?? assert.fail();
  const session = frameSessionFor(grant, { port: 3000 }, grant.expiresAt);
  assert.deepEqual(await tickets.reopen(session, UNMETERED), grant);
  state.nowMs = grant.expiresAt;
  assert.equal(await tickets.reopen(session, UNMETERED), undefined);
});
