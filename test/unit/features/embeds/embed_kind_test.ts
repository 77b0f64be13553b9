import assert from "node:assert/strict";
import { embedKind } from "../../../../src/features/embeds/embed_kind.ts";
import { suiteOfRecordKind } from "../../../support/record_kind.ts";

const LINKS = { url: "u", stateUrl: "s", stateToken: "t" };

function kind(hasBridge = false) {
  return embedKind({ linksTo: () => Promise.resolve(LINKS) }, hasBridge);
}

const WISH = {
  sandbox: "box",
  port: 3000,
  ancestors: ["https://builder.example"],
  ttlSec: 600,
};

/** Where a wish is not valid, as JSON Pointers. */
function problems(differences: object, hasBridge = false): string[] {
  const wish = { ...WISH, ...differences };
  const { error } = kind(hasBridge).asked.safeParse(wish);
  return error?.issues.map(({ path }) => `/${path.join("/")}`) ?? [];
}

Deno.test("an embed lasts as long as was asked for, and its terms have defaults", async () => {
  const { asked, make, tell } = kind();
  const wish = asked.parse(WISH);
  assert.equal(wish.expiresInSec, 600);
  const place = {
    id: "i",
    sandboxId: "box",
    authority: "p.test",
    expiresAt: 1,
  };
  const { data, toldOnce } = await make(wish, place);
  assert.deepEqual(toldOnce, LINKS);
  assert.deepEqual(tell(data), {
    port: 3000,
    path: "/",
    ttlSec: 600,
    ancestors: ["https://builder.example"],
    frame: "replace",
    cookies: "partition",
    isolate: null,
    bridge: [],
  });
});

Deno.test("an embed's path leads to no other host, however it is read", () => {
  for (const path of ["/", "/a?b#c", "/a//b", "/%5C", "/.porthole/state"]) {
    assert.deepEqual(problems({ path }), [], path);
  }
  for (
    const path of [
      "",
      "a",
      "//evil.example",
      "/\\evil.example",
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

Deno.test("an embed has one of an app's ports, and lasts from a minute to a day", () => {
  for (const port of [0, 65_536, 2280, 22_222, 33_333, "3000", 1.5]) {
    assert.deepEqual(problems({ port }), ["/port"], String(port));
  }
  for (const ttlSec of [59, 86_401, 60.5, "60"]) {
    assert.deepEqual(problems({ ttlSec }), ["/ttlSec"], String(ttlSec));
  }
  assert.deepEqual(problems({ ttlSec: 86_400 }), []);
  assert.deepEqual(problems({ expiresInSec: 60 }), ["/"]);
});

Deno.test("a bridge is for embeds of a gateway that has one", () => {
  const bridge = ["errors", "navigation"];
  assert.deepEqual(problems({ bridge }), ["/bridge"]);
  assert.deepEqual(problems({ bridge }, true), []);
  assert.deepEqual(problems({ bridge: ["keys"] }, true), ["/bridge/0"]);
});

suiteOfRecordKind(kind(), WISH);
