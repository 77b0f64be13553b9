import assert from "node:assert/strict";
import { sharedPortWarnings } from "../../../src/config/shared_port.ts";
import { configOf } from "../../support/config.ts";

/** The warnings about a shared port with these variables, whatever system the tests run on. */
function warningsFor(env: Record<string, string>): string[] {
  const { listen, cache } = configOf(env);
  return sharedPortWarnings({ listen: { ...listen, reusePort: true }, cache });
}

Deno.test("sharedPortWarnings() has nothing to say if processes share a database, or no port", () => {
  assert.deepEqual(warningsFor({ CACHE_URL: "redis://127.0.0.1" }), []);
  assert.deepEqual(warningsFor({ REDIS_HOST: "127.0.0.1" }), []);
  assert.deepEqual(warningsFor({ CACHE_URL: "https://kv.example.com" }), []);
  assert.deepEqual(
    sharedPortWarnings(configOf({ CACHE_URL: "none", PROXY_PORT: "0" })),
    [],
  );
});

Deno.test("sharedPortWarnings() warns of a cache that is for one process", () => {
  for (const CACHE_URL of ["", "none", "kv:./data/kv.db", "kv::memory:"]) {
    const warnings = warningsFor({ CACHE_URL });
    assert.equal(warnings.length, 1, CACHE_URL);
    assert.match(warnings[0] ?? "", /set CACHE_URL to Redis or KV Connect$/);
  }
});

Deno.test("sharedPortWarnings() warns of a port that each process chooses for itself", () => {
  const warnings = warningsFor({ REDIS_HOST: "127.0.0.1", PROXY_PORT: "0" });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /PROXY_PORT is 0/);
});
