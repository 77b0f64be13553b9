import assert from "node:assert/strict";
import { redisKey } from "../../../src/cache/redis/key.ts";
import type { StoreKey } from "../../../src/cache/store.ts";

const ID = "0b9d4b1c-6d1f-4d2e-9a9b-3f4b0f7f2a10";

Deno.test("redisKey() names Daytona's kinds as Daytona does, and all others below our own name", () => {
  const cases: [StoreKey, string][] = [
    [["sandbox-public", ID], `proxy:sandbox-public:${ID}`],
    [["sandbox-runner-info", ID], `proxy:sandbox-runner-info:${ID}`],
    // Daytona's key holds the token itself and ours a digest, so neither finds the other's entry.
    [
      ["sandbox-auth-key-valid", "Zm9v_-"],
      "porthole:sandbox-auth-key-valid:Zm9v_-",
    ],
    [["login-session", ID], `porthole:login-session:${ID}`],
    [["ready"], "porthole:ready"],
  ];
  for (const [key, name] of cases) assert.equal(redisKey(key), name);
});

Deno.test("redisKey() keeps parts apart, whatever is in them", () => {
  const keys: StoreKey[] = [
    ["k", "a", "b"],
    ["k", "a:b"],
    ["k", "a%3Ab"],
    ["k", "ab"],
    ["k", "a", "b", ""],
    ["k", "a\0b"],
    ["k", "a\r\nb"],
    ["k", "é"],
    ["k", "\ud800"],
    ["k"],
    ["k", ""],
  ];
  const names = keys.map(redisKey);
  assert.equal(new Set(names).size, keys.length);
  for (const name of names) assert.match(name, /^porthole:[\x21-\x7e]+$/);
});
