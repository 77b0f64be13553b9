/** The KV Connect service, used by the runtime's own client. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { type KvConnect, startKvConnect } from "./server.ts";

const KEY = ["kind", "a/b", "c\0d", "é"];
const VALUE = Uint8Array.from([0, 1, 255]);

/** Opens a client of the service; the runtime takes the token from the environment. */
async function connect(
  service: KvConnect,
  token = service.accessToken,
): Promise<Deno.Kv> {
  const before = Deno.env.get("DENO_KV_ACCESS_TOKEN");
  Deno.env.set("DENO_KV_ACCESS_TOKEN", token);
  try {
    return await Deno.openKv(service.url);
  } finally {
    if (before === undefined) Deno.env.delete("DENO_KV_ACCESS_TOKEN");
    else Deno.env.set("DENO_KV_ACCESS_TOKEN", before);
  }
}

Deno.test("KvConnect sets, gets and deletes for the runtime's own client", async () => {
  await using service = startKvConnect();
  using kv = await connect(service);
  assert.deepEqual(await kv.get(KEY), {
    key: KEY,
    value: null,
    versionstamp: null,
  });
  const { versionstamp } = await kv.set(KEY, VALUE);
  assert.deepEqual(await kv.get(KEY), { key: KEY, value: VALUE, versionstamp });
  await kv.delete(KEY);
  assert.equal((await kv.get(KEY)).value, null);
  const name = KEY.join("/");
  assert.deepEqual(
    service.operations,
    ["get", "set", "get", "delete", "get"].map((word) => `${word} ${name}`),
  );
});

Deno.test("KvConnect keeps the largest value and the empty one", async () => {
  await using service = startKvConnect();
  using kv = await connect(service);
  for (const value of [new Uint8Array(65_536).fill(7), new Uint8Array()]) {
    await kv.set(KEY, value);
    assert.deepEqual((await kv.get(KEY)).value, value);
  }
});

Deno.test("KvConnect gives every write a later versionstamp", async () => {
  await using service = startKvConnect();
  using kv = await connect(service);
  const first = await kv.set(KEY, VALUE);
  const second = await kv.set(KEY, VALUE);
  assert(first.versionstamp < second.versionstamp);
});

Deno.test("KvConnect commits only where the checks hold", async () => {
  await using service = startKvConnect();
  using kv = await connect(service);
  function setIf(versionstamp: string | null) {
    return kv.atomic().check({ key: KEY, versionstamp }).set(KEY, VALUE)
      .commit();
  }
  const first = await setIf(null);
  assert(first.ok);
  assert.deepEqual(await setIf(null), { ok: false });
  assert.equal((await setIf(first.versionstamp)).ok, true);
  assert.deepEqual(await setIf(first.versionstamp), { ok: false });
});

Deno.test("KvConnect drops what has expired, by its own clock", async () => {
  let time = Date.now();
  await using service = startKvConnect({ now: () => time });
  using kv = await connect(service);
  await kv.set(KEY, VALUE, { expireIn: 60_000 });
  assert.deepEqual((await kv.get(KEY)).value, VALUE);
  time += 120_000;
  assert.equal((await kv.get(KEY)).value, null);
});

Deno.test("KvConnect is one database to all of its clients", async () => {
  await using service = startKvConnect();
  using first = await connect(service);
  using second = await connect(service);
  await first.set(KEY, VALUE);
  assert.deepEqual((await second.get(KEY)).value, VALUE);
});

Deno.test("KvConnect tells when an operation was done", async () => {
  await using service = startKvConnect();
  using kv = await connect(service);
  const name = `set ${KEY.join("/")}`;
  let seconds = 0;
  const second = service.done(name, 1).then(() => seconds++);
  await Promise.all([service.done(name), kv.set(KEY, VALUE)]);
  await turn();
  assert.equal(seconds, 0);
  await Promise.all([second, kv.set(KEY, VALUE)]);
});

Deno.test("KvConnect is there again after a restart, with what it kept", async () => {
  await using service = startKvConnect();
  using kv = await connect(service);
  await kv.set(KEY, VALUE);
  await service.stop();
  service.restart();
  assert.deepEqual((await kv.get(KEY)).value, VALUE);
});

Deno.test("KvConnect refuses what it does not speak", async (t) => {
  await using service = startKvConnect();
  using kv = await connect(service);
  const key = ["a"];
  const attempts: Record<string, () => Promise<unknown>> = {
    "a value that is no bytes": () => kv.set(key, "text"),
    "a key that is no string": () => kv.set([1], VALUE),
    "a list": () => Array.fromAsync(kv.list({ prefix: key })),
    "a sum": () => kv.atomic().sum(key, 1n).commit(),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    await t.step(name, async () => {
      await assert.rejects(attempt, /status=400 .* is not supported/);
    });
  }
  assert.deepEqual(service.operations, []);
});

Deno.test("KvConnect refuses a wrong token, at the door and on the data path", async () => {
  await using service = startKvConnect();
  await assert.rejects(connect(service, "wrong"), /401/);
  const response = await fetch(`${service.url}/data/snapshot_read`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.accessToken}` },
  });
  assert.equal(response.status, 401);
  await response.body?.cancel();
});
