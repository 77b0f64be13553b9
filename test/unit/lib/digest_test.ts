import { match, strictEqual as equal } from "node:assert/strict";
import {
  createDigests,
  digestKey,
  joinParts,
} from "../../../src/lib/digest.ts";

Deno.test("digestKey() is SHA-256 over length-prefixed parts, base64url", async () => {
  const expected = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode("2:ab3:cdé"),
  );
  equal(
    digestKey(["ab", "cdé"]),
    new Uint8Array(expected).toBase64({ alphabet: "base64url" }).replace(
      /=+$/,
      "",
    ),
  );
  match(digestKey(["a secret"]), /^[A-Za-z0-9_-]{43}$/);
});

Deno.test("joinParts() and digestKey() differ for lists with the same plain concatenation", () => {
  const lists = [
    ["ab", "c"],
    ["a", "bc"],
    ["abc"],
    ["abc", ""],
    ["", "abc"],
    ["1:a"],
    ["a"],
    ["a", "1:b"],
    ["a1:b"],
    ["a", "b"],
    [],
    [""],
  ];
  equal(new Set(lists.map(joinParts)).size, lists.length);
  equal(new Set(lists.map(digestKey)).size, lists.length);
});

Deno.test("createDigests() returns the same as digestKey(), memoized or not", () => {
  const digest = createDigests(2);
  for (const parts of [["a", "b"], ["ab"], ["a", "b"], ["c"], ["ab"]]) {
    equal(digest(parts), digestKey(parts));
  }
});

Deno.test("createDigests() returns the same as digestKey() for parts too long to memoize", () => {
  const parts = ["a".repeat(2000)];
  const digest = createDigests(2);
  equal(digest(parts), digestKey(parts));
  equal(digest(parts), digestKey(parts));
});
