import assert from "node:assert/strict";
import { GatewayError } from "../../../../src/errors.ts";
import {
  bytesOf,
  shareKind,
  SHARES,
} from "../../../../src/features/shares/share_kind.ts";
import { SecretHashes } from "../../../../src/lib/secret_hashes.ts";
import { suiteOfRecordKind } from "../../../support/record_kind.ts";

const WISH = { sandbox: "box", port: 3000 };
const HASHES = new SecretHashes(["secret"], "share");
const WEEK_SEC = 7 * 86_400;

const PLACE = {
  id: "AAECAwQFBgcICQoLDA0ODw",
  sandboxId: "box",
  authority: "preview.test:8443",
  expiresAt: 1,
};

/** Their kind at a gateway with such a limit, where people log in or do not. */
function kind(
  maxLifeSec = 30 * 86_400,
  state: "on" | "off" | "unknown" = "on",
) {
  const login = { state };
  return shareKind({ scheme: "https", login, hashes: HASHES, maxLifeSec });
}

/** Where a wish is not valid, as JSON Pointers. */
function problems(differences: object, maxLifeSec?: number): string[] {
  const wish = { ...WISH, ...differences };
  const { error } = kind(maxLifeSec).asked.safeParse(wish);
  return error?.issues.map(({ path }) => `/${path.join("/")}`) ?? [];
}

Deno.test("a share is for anybody, for a week, as often as they like, unless more is asked for", async () => {
  const { asked, make, tell } = kind();
  const wish = asked.parse(WISH);
  assert.equal(wish.expiresInSec, WEEK_SEC);
  const { data } = await make(wish, PLACE);
  assert.deepEqual(tell(data), {
    port: 3000,
    path: "/",
    emails: null,
    uses: null,
    usesLeft: null,
    hasPasscode: false,
    isShut: false,
  });
  const others = asked.parse({
    ...WISH,
    path: "/a?b#c",
    passcode: "open sesame",
    emails: ["Ann@Example.com"],
    uses: 3,
  });
  assert.deepEqual(tell((await make(others, PLACE)).data), {
    port: 3000,
    path: "/a?b#c",
    emails: ["ann@example.com"],
    uses: 3,
    usesLeft: 3,
    hasPasscode: true,
    isShut: false,
  });
});

Deno.test("of what another version keeps of a share, nothing is told, and a share of before is not shut", async () => {
  const { asked, make, tell } = kind();
  const { data } = await make(asked.parse(WISH), PLACE);
  const { isShut: _, ...before } = data;
  const record = {
    id: PLACE.id,
    sandboxId: "box",
    organizationId: null,
    createdAt: 0,
    expiresAt: null,
    data: { createdBy: null, note: null, own: { ...before, secretWord: "x" } },
  };
  const { data: { own } } = SHARES.schema.parse(record) ?? assert.fail();
  assert.equal(own.isShut, false);
  assert(!JSON.stringify(tell(own)).includes("secretWord"));
});

Deno.test("the link has a new secret in its fragment each time, and hashes of that and the passcode are kept", async () => {
  const { asked, make } = kind();
  const passcode = "open sesame";
  const wish = asked.parse({ ...WISH, passcode });
  const { data, toldOnce: { url = "" } } = await make(wish, PLACE);
  const link = `https://preview.test:8443/s/${PLACE.id}#`;
  assert(url.startsWith(link), url);
  const secret = url.slice(link.length);
  assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
  assert(
    HASHES.match(bytesOf("secret", PLACE.id, secret), data.secretHash),
  );
  const hash = data.passcodeHash ?? assert.fail();
  assert(HASHES.match(bytesOf("passcode", PLACE.id, passcode), hash));
  // Of no use for anything else, nor at another share.
  assert(!HASHES.match(bytesOf("secret", PLACE.id, passcode), hash));
  assert(!HASHES.match(bytesOf("passcode", "other", passcode), hash));
  const kept = JSON.stringify(data);
  for (const text of [secret, passcode]) assert(!kept.includes(text));
  assert.notEqual((await make(wish, PLACE)).toldOnce["url"], url);
});

Deno.test("a passcode is the same however a keyboard composes its letters", () => {
  const [composed, decomposed] = ["caf\u00e9s!", "cafe\u0301s!"];
  const hash = HASHES.of(bytesOf("passcode", PLACE.id, composed));
  assert(HASHES.match(bytesOf("passcode", PLACE.id, decomposed), hash));
});

Deno.test("a share's path leads to no other host, however it is read", () => {
  for (const path of ["/", "/a?b#c", "/a//b", "/%5C", "/./%2F/evil.example"]) {
    assert.deepEqual(problems({ path }), [], path);
  }
  for (
    const path of [
      "",
      "a",
      "//evil.example",
      "///evil.example",
      "/\\evil.example",
      "\\\\evil.example",
      "/a\\b",
      "/\t/evil.example",
      "/a b",
      "/é",
      "https://evil.example/",
      "javascript:alert(1)",
      `/${"a".repeat(2000)}`,
    ]
  ) assert.deepEqual(problems({ path }), ["/path"], path);
});

Deno.test("what a share may not be is refused", () => {
  for (
    const [differences, path] of [
      [{ port: 2280 }, "/port"],
      [{ port: 22_222 }, "/port"],
      [{ port: 33_333 }, "/port"],
      [{ port: "3000" }, "/port"],
      [{ passcode: "12345" }, "/passcode"],
      [{ passcode: "1".repeat(101) }, "/passcode"],
      [{ emails: [] }, "/emails"],
      [{ emails: ["@example.com"] }, "/emails/0"],
      [{ emails: ["ann@example.com", "ann"] }, "/emails/1"],
      [{ emails: Array(51).fill("ann@example.com") }, "/emails"],
      [{ uses: 0 }, "/uses"],
      [{ uses: 10_001 }, "/uses"],
      [{ uses: 1.5 }, "/uses"],
      [{ note: "a".repeat(201) }, "/note"],
      [{ expiresInSec: 0 }, "/expiresInSec"],
      [{ expiresInSec: 30 * 86_400 + 1 }, "/expiresInSec"],
      [{ secret: "mine" }, "/"],
    ] as const
  ) {
    assert.deepEqual(
      problems(differences),
      [path],
      JSON.stringify(differences),
    );
  }
});

Deno.test("the operator's limit is one for all lives, also for those that nobody asks for", () => {
  assert.deepEqual(problems({ expiresInSec: 3601 }, 3600), ["/expiresInSec"]);
  assert.deepEqual(problems({ expiresInSec: 3600 }, 3600), []);
  assert.equal(kind(3600).asked.parse(WISH).expiresInSec, 3600);
});

Deno.test("a share is for no addresses where nobody can log in", async () => {
  const emails = ["ann@example.com"];
  const { asked, make } = kind(WEEK_SEC, "off");
  const wish = asked.parse({ ...WISH, emails });
  try {
    await make(wish, PLACE);
    assert.fail("it was made");
  } catch (error) {
    assert(error instanceof GatewayError);
    assert.equal(error.code, "invalid_request");
    assert.equal(error.advice.errors?.[0]?.path, "/emails");
  }
  // Before the API has told, nobody knows.
  const { data } = await kind(WEEK_SEC, "unknown").make(wish, PLACE);
  assert.deepEqual(data.emails, emails);
});

suiteOfRecordKind(kind(), { ...WISH, passcode: "open sesame", uses: 3 });
