import assert from "node:assert/strict";
import { checkRecords } from "../../scripts/doctor/records.ts";
import { configOf } from "../support/config.ts";
import { redisTest, startRedis } from "../support/redis_server.ts";

async function check(RECORDS_URL: string) {
  const config = configOf({ RECORDS_URL });
  const { state, finding } = await checkRecords(config, Date);
  return `${state}: ${finding}`;
}

Deno.test("doctor says that no records are kept in memory or nowhere", async () => {
  for (const location of ["none", "kv::memory:"]) {
    const found = await check(location);
    assert.equal(found, "warning: None are kept: what needs them is off.");
  }
});

Deno.test("doctor writes a record, or says why it cannot", async () => {
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  assert.match(await check(`kv:${dir}/kv.sqlite`), /^ok: /);
  assert.match(await check(`kv:${dir}`), /^failed: .* does not work: /);
  await Deno.remove(dir, { recursive: true });
});

redisTest("doctor warns of a Redis that may lose records", async () => {
  await using server = await startRedis();
  const url = `redis://127.0.0.1:${server.port}`;
  assert.match(await check(url), /^warning: .*: no AOF, no RDB\.$/);
  await server.command("CONFIG", "SET", "save", "3600 1");
  assert.match(await check(url), /^ok: /);
  await server.command("CONFIG", "SET", "maxmemory-policy", "volatile-lru");
  assert.match(await check(url), /^warning: .* may evict .*volatile-lru/);
});
