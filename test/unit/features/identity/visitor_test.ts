import assert from "node:assert/strict";
import { viaOf } from "../../../support/feature_words.ts";
import type { OpenState } from "../../../../src/auth/login_session_store.ts";
import { identityIn } from "../../../../src/auth/oidc/identity.ts";
import type { Session } from "../../../../src/auth/session.ts";
import type { Admission } from "../../../../src/auth/verdict.ts";
import {
  type Visitor,
  visitorOf,
} from "../../../../src/features/identity/visitor.ts";
import type { FeatureParts } from "../../../../src/gateway/feature_module.ts";
import { previewOf } from "../../../support/exchange.ts";
import { grantOf } from "../../../support/grants.ts";
import { jwtOf } from "../../../support/jwt.ts";

const expiresAt = Infinity;

/** Sessions by what seals them. */
const SESSIONS: Readonly<Record<string, Session>> = {
  login: { kind: "login", sandboxId: "box", id: "alice", expiresAt },
  host: { kind: "host", sandboxId: "box", port: 3000, id: "alice", expiresAt },
  stale: { kind: "login", sandboxId: "box", id: "nobody", expiresAt },
  key: { kind: "key", sandboxId: "box", token: "t", expiresAt },
};

const ALICE: OpenState = {
  state: "open",
  accessToken: "access",
  expiresAt: undefined,
  issuer: "https://id.example.com/",
  subject: "alice",
};

interface World {
  readonly user?: OpenState;
  /** What a login opens that was sent along. */
  readonly login?: Admission;
}

/** Who is behind an admission to the sandbox `box`, without its kind and sandbox. */
function seen(
  admission: Pick<Admission, "by"> & Partial<Admission>,
  { user = ALICE, login }: World = {},
): Promise<Visitor | undefined> {
  const x = previewOf();
  const parts = {
    gate: { bySession: () => Promise.resolve(login) },
    sessions: {
      open: (sealed: string) => Promise.resolve(SESSIONS[sealed]),
    },
    logins: {
      userOf: ({ id }: { id: string }) =>
        Promise.resolve(id === "alice" ? user : undefined),
    },
  } as unknown as Pick<FeatureParts, "gate" | "sessions" | "logins">;
  const all = { kind: "allow", sandboxId: "box", ...admission } as const;
  return visitorOf(x, all, parts, ["email", "name"]);
}

function bySession(sealed: string) {
  return { by: "session", credential: { kind: "session", sealed } } as const;
}

Deno.test("who has logged in is the user of an issuer, whatever the session is for", async () => {
  for (const sealed of ["login", "host"]) {
    assert.deepEqual(await seen(bySession(sealed)), {
      via: "login",
      who: ["user", "https://id.example.com", "alice"],
      login: SESSIONS[sealed],
      claims: {},
    });
  }
  assert.equal(await seen(bySession("stale")), undefined);
  assert.equal(await seen(bySession("over")), undefined);
  const unnamed = { ...ALICE, subject: undefined };
  assert.equal(await seen(bySession("login"), { user: unnamed }), undefined);
});

Deno.test("of who has logged in, what the provider says may be told, and of nobody else anything", async () => {
  const claims = {
    sub: "alice",
    name: "Alice",
    email: "alice@example.com",
    email_verified: true,
    groups: ["staff"],
  };
  const user = { ...ALICE, identity: identityIn(claims, "groups") };
  const { name, email } = claims;
  const known = await seen(bySession("login"), { user });
  assert.deepEqual(known?.claims, { email, name });
  for (
    const admission of [
      bySession("key"),
      { by: "signed_token" },
      { by: "bearer", credential: { kind: "bearer", token: "dtn_key" } },
      { by: viaOf("token"), grant: grantOf({ id: "one" }) },
    ] as const
  ) {
    const visitor = await seen(admission, { user });
    assert.deepEqual([visitor?.login, visitor?.claims], [undefined, undefined]);
  }
});

Deno.test("a JWT of the issuer is the user that has logged in there, and an API key is itself", async () => {
  function byBearer(token: string) {
    const credential = { kind: "bearer", token } as const;
    return seen({ by: "bearer", credential });
  }
  const claims = { iss: "https://id.example.com", sub: "alice" };
  const [head, , signature] = jwtOf(claims.iss).split(".");
  const body = new TextEncoder().encode(JSON.stringify(claims))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  assert.deepEqual(await byBearer([head, body, signature].join(".")), {
    via: "bearer",
    who: ["user", "https://id.example.com", "alice"],
  });
  for (const token of ["dtn_key", jwtOf(claims.iss)]) {
    assert.deepEqual((await byBearer(token))?.who, ["key", token]);
  }
});

Deno.test("links, grants and preview tokens are nobody's in particular", async () => {
  const grant = grantOf({ id: "one", via: viaOf("embed") });
  assert.deepEqual(await seen({ by: viaOf("embed"), grant }), {
    via: viaOf("embed"),
    who: ["grant", "embed", "one"],
  });
  const link = await seen({ by: "signed_token" });
  assert.deepEqual([link?.via, link?.who], ["signed", ["signed_token", "box"]]);
  const tokens = [
    bySession("key"),
    { by: "auth_key", credential: { kind: "auth_key", token: "t" } },
    { by: "preview_token", credential: { kind: "preview_token", token: "u" } },
  ] as const;
  for (const admission of tokens) {
    const { via, who } = await seen(admission) ?? {};
    assert.deepEqual([via, who], ["preview_token", ["preview_token"]]);
  }
});

Deno.test("who has logged in to open a grant is that user, as in a login", async () => {
  const user = ["https://id.example.com/", "alice"] as const;
  const grant = grantOf({ id: "one", via: viaOf("share"), user });
  assert.deepEqual(await seen({ by: viaOf("share"), grant }), {
    via: viaOf("share"),
    who: (await seen(bySession("login")))?.who,
  });
});

Deno.test("where nobody needs a credential, a login says who it is, and nobody else does", async () => {
  assert.equal(await seen({ by: "public" }), undefined);
  const login = {
    kind: "allow",
    sandboxId: "box",
    ...bySession("login"),
  } as const;
  assert.equal((await seen({ by: "public" }, { login }))?.via, "login");
});

Deno.test("a login among the cookies says who it is, whichever of them admits the request, but in frames of other pages", async () => {
  const login = { kind: "allow", sandboxId: "box", ...bySession("login") };
  const world = { login: login as Admission };
  const { credential } = bySession("key");
  const grant = grantOf({ id: "one" });
  const frame = { ancestors: ["https://a.test"] } as unknown as NonNullable<
    typeof grant.frame
  >;
  async function toldVia(admission: Parameters<typeof seen>[0]) {
    return (await seen(admission, world))?.via;
  }
  assert.equal(await toldVia(bySession("key")), "login");
  assert.equal(
    await toldVia({ by: viaOf("token"), credential, grant }),
    "login",
  );
  const framed = { ...grantOf({ id: "one", via: viaOf("embed") }), frame };
  const inFrame = { by: viaOf("embed"), credential, grant: framed } as const;
  assert.equal(await toldVia(inFrame), "embed");
  const sent = { kind: "grant", secret: "s", place: "header" } as const;
  assert.equal(
    await toldVia({ by: viaOf("token"), credential: sent, grant }),
    "token",
    "what was sent for this request alone",
  );
});
