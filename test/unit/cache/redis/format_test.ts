import assert from "node:assert/strict";
import {
  formatEnvelope,
  parseEnvelope,
  parseRedisKey,
  redisKey,
  timedEntry,
} from "../../../../src/cache/redis/format.ts";
import type { StoreKey } from "../../../../src/cache/store.ts";

const ID = "0b9d4b1c-6d1f-4d2e-9a9b-3f4b0f7f2a10";

const NOW = 1_700_000_000_000;
const TIMES = {
  refreshAt: NOW + 90_000.5,
  expiresAt: NOW + 120_000,
  staleUntil: NOW + 720_000,
};

Deno.test("redisKey() uses Daytona's names for Daytona's kinds, and the prefix porthole: for others", () => {
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

Deno.test("redisKey() gives different keys different names, whatever their parts contain", () => {
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

Deno.test("parseRedisKey() reads the kind and the key of a name", () => {
  for (const key of [ID, "a:b", "é%3A", "a\r\n"]) {
    for (const kind of ["sandbox-public", "login-session"]) {
      assert.deepEqual(parseRedisKey(redisKey([kind, key])), [kind, key]);
    }
  }
  assert.deepEqual(parseRedisKey("porthole:ready"), ["ready", ""]);
});

Deno.test("formatEnvelope() writes Daytona's format, and parseEnvelope() reads it back", () => {
  const entry = { value: { apiKey: "k", list: ["é", 1, null] }, ...TIMES };
  const text = formatEnvelope(entry);
  assert.deepEqual(JSON.parse(text).value, entry.value);
  assert.deepEqual(parseEnvelope(text), entry);
  for (const value of [null, false, 0, ""]) {
    const entry = { value, ...TIMES };
    assert.deepEqual(parseEnvelope(formatEnvelope(entry)), entry);
  }
  const unconfirmed = { since: NOW - 1_000.5, keptUntil: NOW + 120_000 };
  const early = { value: true, ...TIMES, unconfirmed };
  assert.deepEqual(parseEnvelope(formatEnvelope(early)), early);
});

Deno.test("formatEnvelope() writes only the value and its times", () => {
  const entry = { value: true, ...TIMES, failures: 3, secret: "x" };
  assert.deepEqual(JSON.parse(formatEnvelope(entry)), {
    value: true,
    ...TIMES,
  });
});

Deno.test("parseEnvelope() reads an envelope without times, and drops unknown members", () => {
  assert.deepEqual(
    parseEnvelope('{"value":{"apiKey":"k","apiUrl":"http://r"}}'),
    { value: { apiKey: "k", apiUrl: "http://r" } },
  );
  assert.deepEqual(parseEnvelope('{"value":false,"version":2}'), {
    value: false,
  });
});

Deno.test("parseEnvelope() is undefined for anything else", () => {
  const own = { value: 1, ...TIMES };
  const cases: unknown[] = [
    null,
    true,
    1,
    "text",
    [],
    [own],
    {},
    { ...own, value: undefined },
    { ...own, expiresAt: undefined },
    { value: 1, staleUntil: NOW },
    { ...own, refreshAt: null },
    { ...own, expiresAt: String(TIMES.expiresAt) },
    { ...own, refreshAt: TIMES.expiresAt + 1 },
    { ...own, expiresAt: TIMES.staleUntil + 1 },
    { ...own, refreshAt: -1 },
    ...[null, true, 1, {}, { since: NOW }, { keptUntil: NOW }, {
      since: "1",
      keptUntil: NOW,
    }].map((unconfirmed) => ({ ...own, unconfirmed })),
  ];
  for (const json of cases) {
    const text = JSON.stringify(json);
    assert.equal(parseEnvelope(text), undefined, text);
  }
  const texts = ["", "{", "true false", '{"value":1e999,"refreshAt":1e999}'];
  for (const text of texts) assert.equal(parseEnvelope(text), undefined, text);
});

Deno.test("timedEntry() is valid while Redis keeps the value, for two minutes at most, and to be renewed at once", () => {
  const lives: [ttlMs: number, leftMs: number][] = [
    [50_000, 50_000],
    [120_000, 120_000],
    [3_600_000, 120_000],
    [-1, 120_000],
    [0, 0],
  ];
  for (const [ttlMs, leftMs] of lives) {
    assert.deepEqual(timedEntry({ value: true }, { ttlMs, now: NOW }), {
      value: true,
      refreshAt: NOW,
      expiresAt: NOW + leftMs,
      staleUntil: NOW + leftMs,
      unconfirmed: { since: NOW, keptUntil: NOW + leftMs },
    });
  }
});
