import assert from "node:assert/strict";
import { SecretHashes } from "../../../src/lib/secret_hashes.ts";

const SECRET = new TextEncoder().encode("a secret that is shown once");

Deno.test("a hash matches its secret and no other, and is the same each time", () => {
  const hashes = new SecretHashes(["key"], "purpose");
  const hash = hashes.of(SECRET);
  assert.match(hash, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(hashes.of(SECRET), hash);
  assert(hashes.match(SECRET, hash));
  assert(!hashes.match(SECRET.subarray(1), hash));
  for (const other of ["", "A", hash.slice(1), `${hash}AA`]) {
    assert(!hashes.match(SECRET, other), other);
  }
});

Deno.test("all secrets of the gateway's list match, and the first makes", () => {
  const before = new SecretHashes(["old"], "purpose");
  const during = new SecretHashes(["new", "old"], "purpose");
  const after = new SecretHashes(["new"], "purpose");
  const [earlier, later] = [before.of(SECRET), during.of(SECRET)];
  assert(during.match(SECRET, earlier));
  assert(during.match(SECRET, later));
  assert(after.match(SECRET, later));
  assert(!after.match(SECRET, earlier));
});

Deno.test("hashes for one purpose do not match for another", () => {
  const hash = new SecretHashes(["key"], "one").of(SECRET);
  assert(!new SecretHashes(["key"], "two").match(SECRET, hash));
});
