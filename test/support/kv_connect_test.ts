/** The KV Connect service, used by the runtime's own client. */
import assert from "node:assert/strict";
import { KvConnect } from "./kv_connect.ts";

const KEY = ["kind", "a/b", "c\0d", "é"];
const VALUE = Uint8Array.from([0, 1, 255]);

Deno.test("KvConnect keeps what one client sets for every other, through a restart, until it is deleted", async () => {
  await using service = new KvConnect();
  using first = await Deno.openKv(service.url);
  using second = await Deno.openKv(service.url);
  assert.equal((await first.get(KEY)).versionstamp, null);
  const largest = new Uint8Array(65_536).fill(7);
  for (const value of [VALUE, largest, new Uint8Array()]) {
    const { versionstamp } = await first.set(KEY, value, { expireIn: 60_000 });
    const found = { key: KEY, value, versionstamp };
    assert.deepEqual(await second.get(KEY), found);
  }
  await service.stop();
  service.restart();
  assert.deepEqual((await second.get(KEY)).value, new Uint8Array());
  await second.delete(KEY);
  assert.equal((await first.get(KEY)).value, null);
});

Deno.test("KvConnect commits only where the checks hold", async () => {
  await using service = new KvConnect();
  using kv = await Deno.openKv(service.url);
  function setIf(versionstamp: string | null) {
    return kv.atomic().check({ key: KEY, versionstamp }).set(KEY, VALUE)
      .commit();
  }
  const first = await setIf(null);
  assert(first.ok);
  assert.deepEqual(await setIf(null), { ok: false });
  const second = await setIf(first.versionstamp);
  assert(second.ok && second.versionstamp > first.versionstamp);
  assert.deepEqual(await setIf(first.versionstamp), { ok: false });
});

Deno.test("KvConnect refuses unsupported operations", async () => {
  await using service = new KvConnect();
  using kv = await Deno.openKv(service.url);
  const attempts = [
    () => kv.set(KEY, "text"),
    () => Array.fromAsync(kv.list({ prefix: KEY })),
    () => kv.atomic().sum(KEY, 1n).commit(),
  ];
  for (const attempt of attempts) {
    await assert.rejects(attempt, /status=400 .* is not supported/);
  }
});
