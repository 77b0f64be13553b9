import assert from "node:assert/strict";
import {
  HostedAccess,
  mayBeDaytonas,
} from "../../../../src/resolver/hosted/hosted_access.ts";
import { UNMETERED } from "../../../../src/resolver/lookup_cache.ts";
import { Background } from "../../../../src/lib/background.ts";
import { settled } from "../../cache/fakes.ts";
import { configOf } from "../../../support/config.ts";
import { jwtOf } from "../../../support/jwt.ts";

const OTHER_ID = "1b9f1c1e-8f1c-4c57-9c0e-0f3f1d2c3b4b";
const ORGANIZATION = "2f0e6f0a-6d0b-4b57-9a0c-6f1d7f0f4a11";
const ID = "0b9f1c1e-8f1c-4c57-9c0e-0f3f1d2c3b4a";
const LINK = "abcdefgh12345678";
const ISSUER = "https://daytona.login.test";
const JWT = jwtOf(ISSUER);
const CLIENT = { clientAddress: "192.0.2.1" };

/** Decisions about two sandboxes of an organization, one by its id or the name `box`. */
function setUp() {
  const clock = { ms: 1_700_000_000_000 };
  const asked: string[] = [];
  const state = {
    token: "old",
    cached: "old",
    isOpen: true,
    renewals: [] as boolean[],
    organizationId: undefined as string | undefined,
  };
  const organizations = new Map<string, string | undefined>();
  let spent = 0;
  const access = new HostedAccess({
    api: {
      hasSandboxAccess(id, { bearer }, onAnswer) {
        asked.push(`access ${id}`);
        const isGood = bearer !== "dtn_invented";
        const status = isGood ? 200 : 401;
        onAnswer?.({ status, headers: new Headers() });
        return Promise.resolve(bearer === "dtn_former" ? null : isGood);
      },
      isOwnedByUser({ bearer }) {
        asked.push("owner");
        organizations.set(bearer, state.organizationId);
        return Promise.resolve(bearer !== "dtn_machine");
      },
      organizationOf: (bearer) => organizations.get(bearer),
    },
    sandboxes: {
      sandboxOf(label) {
        const id = label === "box" ? ID : label;
        const facts = { public: false, ownerLabels: {} };
        const sandbox = { id, organizationId: ORGANIZATION, ...facts };
        const isKnown = id === ID || id === OTHER_ID;
        return Promise.resolve(isKnown ? sandbox : null);
      },
      previewTokenOf(id) {
        assert.equal(id, ID);
        return Promise.resolve(state.cached);
      },
      async renewToken() {
        asked.push("renew");
        const wasAskedSince = state.renewals.shift() ?? true;
        await settled();
        if (wasAskedSince) state.cached = state.token;
        return wasAskedSince;
      },
      linkIdOf: (token) => `link of ${token}`,
    },
    issuers: () => [ISSUER],
    opensLink(token, port) {
      asked.push(`link ${token} ${port}`);
      return Promise.resolve(state.isOpen);
    },
  }, {
    cache: configOf().cache,
    store: null,
    now: () => clock.ms,
    onEvent() {},
    background: new Background(() => {}),
  });
  const budget = { spend: () => void spent++ };
  return { access, asked, state, clock, budget, spent: () => spent };
}

Deno.test("a preview token is compared with the sandbox's own, whichever way that is named", async () => {
  const { access, asked, budget } = setUp();
  for (const label of [ID, "box"]) {
    assert.equal(await access.isPreviewToken(label, "old", budget), true);
  }
  assert.deepEqual(asked, []);
  assert.equal(await access.isPreviewToken("other", "old", budget), false);
  assert.equal(await access.isPreviewToken(ID, "a b", budget), false);
});

Deno.test("a token that differs has the API asked again, once in 5 s, at the visitor's expense", async () => {
  const { access, asked, state, clock, budget, spent } = setUp();
  assert.equal(await access.isPreviewToken(ID, "new", budget), false);
  assert.equal(await access.isPreviewToken(ID, "new", budget), false);
  assert.deepEqual([asked.length, spent()], [1, 1]);
  state.token = "new";
  clock.ms += 5_001;
  assert.equal(await access.isPreviewToken(ID, "new", budget), true);
  assert.deepEqual([asked.length, spent()], [2, 2]);
  assert.equal(await access.isPreviewToken(ID, "old", budget), false);
});

Deno.test("a token is refused by no answer from before it was presented", async () => {
  const { access, asked, state, budget, spent } = setUp();
  state.token = "new";
  state.renewals = [false, true];
  assert.equal(await access.isPreviewToken(ID, "new", budget), true);
  assert.deepEqual([asked.length, spent()], [2, 1]);
});

Deno.test("what has become of a token is found out once for all who present it", async () => {
  const { access, asked, state, budget } = setUp();
  state.renewals = [true, false, false];
  const all = [1, 2, 3].map(() => access.isPreviewToken(ID, "wrong", budget));
  assert.deepEqual(await Promise.all(all), [false, false, false]);
  assert.equal(asked.length, 3, "the others did not wait for another answer");
});

Deno.test("a bearer that is none of Daytona's is shown to nobody", async () => {
  const { access, asked, budget, spent } = setUp();
  for (
    const bearer of [
      "sk-secret",
      "dtn",
      "dtn_",
      "dtn_a b",
      "a.b.c",
      "",
      jwtOf("https://login.of.the.app"),
      jwtOf(undefined),
      `${JWT.slice(0, -4)}=`,
    ]
  ) {
    const user = { bearer, ...CLIENT };
    assert.equal(await access.hasAccess(ID, user, budget), false, bearer);
  }
  assert.deepEqual([asked.length, spent()], [0, 0]);
});

Deno.test("a JWT may be Daytona's if an issuer of Daytona's has made it, whatever its last slash, and any may until these are known", () => {
  const issuers = ["https://sso.test/", ISSUER];
  for (const issuer of [ISSUER, `${ISSUER}/`, "https://sso.test"]) {
    assert(mayBeDaytonas(jwtOf(issuer), issuers), issuer);
  }
  for (const issuer of [`${ISSUER}.evil`, "https://sso.test/a", undefined]) {
    assert(!mayBeDaytonas(jwtOf(issuer), issuers), `${issuer}`);
    assert(mayBeDaytonas(jwtOf(issuer), []), `${issuer}`);
  }
  assert(mayBeDaytonas("dtn_a1-_", issuers) && mayBeDaytonas("dtn_a1-_", []));
});

Deno.test("a user's key is asked about by the sandbox's id, then whether it is a user's; of a JWT that is clear", async () => {
  const { access, asked } = setUp();
  const judge = (label: string, bearer: string) =>
    access.hasAccess(label, { bearer, ...CLIENT }, UNMETERED);
  assert.equal(await judge("box", "dtn_user"), true);
  assert.equal(await judge("box", "dtn_user"), true);
  assert.deepEqual(asked, [`access ${ID}`, "owner"]);
  assert.equal(await judge(ID, JWT), true);
  assert.equal(await judge(ID, "dtn_machine"), false);
  assert.equal(await judge(ID, "dtn_former"), null);
  asked.length = 0;
  assert.equal(await judge(ID, "dtn_invented"), false);
  assert.deepEqual(asked, [`access ${ID}`], "a second question would count");
});

Deno.test("an API key that is for the organization of a sandbox that it has opened opens the others unasked, for as long as that counts", async () => {
  const { access, asked, state, clock } = setUp();
  state.organizationId = ORGANIZATION;
  const user = { bearer: "dtn_user", ...CLIENT };
  const judge = (label: string) => access.hasAccess(label, user, UNMETERED);
  assert.equal(await judge(ID), true);
  assert.equal(await judge(OTHER_ID), true);
  assert.deepEqual(asked, [`access ${ID}`, "owner"]);
  // It is not another organization's sandbox, or nobody's, that is opened so.
  await judge("0c9f1c1e-8f1c-4c57-9c0e-0f3f1d2c3b4c");
  assert.equal(asked.length, 4);
  clock.ms += configOf().cache.tokenTtlMs + 1;
  assert.equal(await judge(OTHER_ID), true);
  assert.equal(asked.length, 6, "the API has to say so again");
  assert.equal(await judge(ID), true);
  assert.equal(asked.length, 6);
});

Deno.test("an API key opens nothing unasked if it is for another organization, or if that is not told", async () => {
  for (const organizationId of [undefined, "another"]) {
    const { access, asked, state } = setUp();
    state.organizationId = organizationId;
    const user = { bearer: "dtn_user", ...CLIENT };
    for (const id of [ID, OTHER_ID]) {
      assert.equal(await access.hasAccess(id, user, UNMETERED), true);
    }
    assert.equal(asked.filter((one) => one.startsWith("access")).length, 2);
  }
});

Deno.test("a signed link is what Daytona's proxy says of it, for 5 s", async () => {
  const { access, asked, state, clock, budget } = setUp();
  const judge = (port = 3000) =>
    access.sandboxOfSignedToken(LINK, port, budget);
  assert.equal(await judge(), `link of ${LINK}`);
  state.isOpen = false;
  assert.equal(await judge(), `link of ${LINK}`);
  assert.deepEqual(asked, [`link ${LINK} 3000`]);
  assert.equal(await judge(3001), null, "of each port");
  clock.ms += 5_000;
  assert.equal(await judge(), null);
  assert.equal(await access.sandboxOfSignedToken(ID, 3000, budget), null);
  assert.equal(await access.signingKeyOf(), null);
});
