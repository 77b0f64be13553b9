import assert from "node:assert/strict";
import type { UserSession } from "../../../../src/auth/session.ts";
import {
  CODE_PARAMETER,
  Handover,
} from "../../../../src/features/handover/login_code.ts";
import { createSealer } from "../../../../src/lib/seal.ts";
import { previewOf } from "../../../support/exchange.ts";

const START = 1_000_000_000_000;
const SECRETS = ["s".repeat(32)];
const USER: UserSession = {
  kind: "user",
  id: "id",
  expiresAt: START + 999_000,
};
const HOST = { port: 3000, label: "box", authoritySuffix: "p.test:8443" };
const RETURN_TO = { url: "https://3000-box.p.test:8443/a?b", host: HOST };

function setUp() {
  const clock = { now: START };
  const now = () => clock.now;
  const used: [id: string, expiresAt: number][] = [];
  const state = { isUnused: true };
  const sealer = createSealer({ secrets: SECRETS, purpose: "login-code", now });
  const handover = new Handover({
    sealer,
    now,
    usedCodes: {
      use(...code) {
        used.push(code);
        return Promise.resolve(state.isUnused);
      },
    },
  });
  /** The code for a challenge. */
  async function codeFor(challenge: string): Promise<string> {
    const url = await handover.urlWithCode(RETURN_TO, challenge, USER);
    return new URL(url).searchParams.get(CODE_PARAMETER) ?? "";
  }
  return { clock, used, state, sealer, handover, codeFor };
}

Deno.test("a code becomes a session of its host, with the id and the end of the user's", async () => {
  const { handover, codeFor, used } = setUp();
  const { verifier, challenge } = handover.request([]);
  assert.notEqual(verifier, challenge);
  const code = await codeFor(challenge);
  const session = await handover.redeem(code, HOST, ["other", verifier]);
  assert.deepEqual(session, {
    kind: "host",
    id: "id",
    sandboxId: "box",
    port: 3000,
    name: undefined,
    expiresAt: USER.expiresAt,
  });
  assert.deepEqual(used.map(([, until]) => until), [START + 60_000]);
});

Deno.test("a code is exchanged on its own host only, with its verifier, in time, and once", async () => {
  const { handover, codeFor, used, state, clock } = setUp();
  const { verifier, challenge } = handover.request([]);
  const code = await codeFor(challenge);
  for (
    const [host, verifiers] of [
      [HOST, []],
      [HOST, [challenge]],
      [HOST, [handover.request([]).verifier]],
      // Only the last eight are tried.
      [HOST, [verifier, ..."12345678"]],
      [{ ...HOST, port: 3001 }, [verifier]],
      [{ ...HOST, label: "other" }, [verifier]],
      [{ ...HOST, authoritySuffix: "p.test" }, [verifier]],
    ] as const
  ) assert.equal(await handover.redeem(code, host, verifiers), undefined);
  assert.deepEqual(used, [], "nothing of that has used the code");

  state.isUnused = false;
  assert.equal(await handover.redeem(code, HOST, [verifier]), undefined);
  state.isUnused = true;
  assert(await handover.redeem(code, HOST, [verifier]));
  clock.now += 60_000;
  assert.equal(await handover.redeem(code, HOST, [verifier]), undefined);
});

Deno.test("the code for a name is for that name, and for what it leads to: it opens nothing once the name has moved", async () => {
  const { handover, used } = setUp();
  const { verifier, challenge } = handover.request([]);
  const named = { ...HOST, name: "shop.example.com:8443" };
  const url = await handover.urlWithCode(
    { url: "https://shop.example.com:8443/a", host: named },
    challenge,
    USER,
  );
  const code = new URL(url).searchParams.get(CODE_PARAMETER) ?? "";
  for (
    const host of [
      HOST,
      { ...named, name: "shop.example.com" },
      { ...named, name: "other.example.com:8443" },
      { ...named, label: "other" },
      { ...named, port: 3001 },
    ]
  ) assert.equal(await handover.redeem(code, host, [verifier]), undefined);
  assert.deepEqual(used, []);
  const session = await handover.redeem(code, named, [verifier]);
  assert.equal(session?.sandboxId, "box");
  assert.equal(session.port, 3000);
  assert.equal(session.name, named.name);
});

Deno.test("every code is another one, so that one visit uses up no other", async () => {
  const { handover, codeFor, used } = setUp();
  const { verifier, challenge } = handover.request([]);
  for (let visit = 0; visit < 2; visit++) {
    await handover.redeem(await codeFor(challenge), HOST, [verifier]);
  }
  assert.equal(new Set(used.map(([id]) => id)).size, 2);
});

Deno.test("a browser keeps its verifier, and anything that is none is replaced", () => {
  const { handover } = setUp();
  const first = handover.request([]);
  assert.match(first.verifier, /^[\w-]{43}$/);
  assert.match(first.challenge, /^[\w-]{43}$/);
  assert.deepEqual(handover.request(["x", first.verifier, ""]), first);
  for (const junk of ["", "x", "=".repeat(43), first.verifier + "x"]) {
    assert.notEqual(handover.request([junk]).verifier, junk);
  }
});

Deno.test("what was sealed for another purpose, or is not complete, is no code", async () => {
  const { handover, sealer } = setUp();
  const { verifier, challenge } = handover.request([]);
  const now = () => START;
  const code = {
    id: "id",
    host: "3000-box.p.test:8443",
    challenge,
    session: { id: "id", expiresAt: USER.expiresAt },
    expiresAt: START + 60_000,
  };
  const until = START + 60_000;
  const other = createSealer({ secrets: SECRETS, purpose: "session", now });
  assert(
    await handover.redeem(await sealer.seal({ code }, until), HOST, [verifier]),
  );
  for (
    const sealed of [
      await other.seal({ code }, until),
      await sealer.seal({ session: code }, until),
      ...await Promise.all(
        [...Object.keys(code).map((name) => ({ ...code, [name]: undefined })), {
          ...code,
          session: {},
        }].map((code) => sealer.seal({ code }, until)),
      ),
      "",
      "a.b.c.d.e",
    ]
  ) assert.equal(await handover.redeem(sealed, HOST, [verifier]), undefined);
});

Deno.test("a code is taken out of an address again byte for byte", async () => {
  const { handover } = setUp();
  for (const target of ["/", "/?", "/a?b", "/a?b&", "//x/?%20+&&=", "/?a=%"]) {
    const url = `https://3000-box.p.test${target}`;
    const withCode = await handover.urlWithCode(
      { url, host: HOST },
      "challenge",
      USER,
    );
    const x = previewOf({}, {
      target: withCode.slice("https://3000-box.p.test".length),
      services: { ownParameters: [CODE_PARAMETER] },
    });
    assert.equal(x.received.target, target);
    const code = x.route.ownParameters.get(CODE_PARAMETER) ?? "";
    assert.match(code, /^[\w.-]{100,}$/);
  }
});
