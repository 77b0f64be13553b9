/** Export and import of records, as operators run them. */
import assert from "node:assert/strict";
import { openValues } from "../../src/records/open_records.ts";
import { configOf, REQUIRED } from "../support/config.ts";
import {
  redisTest,
  startRedis,
  startRedisCluster,
} from "../support/redis_server.ts";
import { runScript } from "../support/run_script.ts";
import type { VersionedValues } from "../../src/records/versioned_values.ts";
import type { StoreKey } from "../../src/cache/store.ts";

const DAY_MS = 86_400_000;

/** What is kept, with what lasts a day; a member of another list and another block come in between. */
const TOKEN: StoreKey = ["record", "token", "a"];
const LIST: StoreKey = ["sandbox-records", "token", "sandbox 1:ä"];
const SHARD: StoreKey = ["names", "7"];
const BLOCKS: StoreKey = ["blocks"];

/** A folder, and the task with records at that address. */
async function setUp(url?: string) {
  await Deno.mkdir("./data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "./data/test" });
  const RECORDS_URL = url ?? `kv:${folder}/kv.sqlite`;
  const { location } = configOf({ RECORDS_URL }).records;
  assert(location.kind !== "none");
  return {
    file: `${folder}/export.jsonl`,
    open: () => openValues(location),
    run: (...args: string[]) =>
      runScript("records", "scripts/records.ts", {
        args,
        env: { ...REQUIRED, RECORDS_URL },
      }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

type Setup = Awaited<ReturnType<typeof setUp>>;

function listOf(...ids: string[]): string {
  const expiresAt = Date.now() + DAY_MS;
  return JSON.stringify({ listed: ids.map((id) => ({ id, expiresAt })) });
}

async function put(values: VersionedValues, key: StoreKey, text: string) {
  const isNamed = key === SHARD || key === BLOCKS;
  const ttlMs = isNamed ? Infinity : DAY_MS;
  const version = (await values.read(key))?.version;
  assert(await values.write({ key, version, text, ttlMs }));
}

/** Does that with the database, which is closed then: of a file, there may be one user. */
async function within<T>(
  { open }: Setup,
  work: (values: VersionedValues) => Promise<T>,
): Promise<T> {
  const values = await open();
  try {
    return await work(values);
  } finally {
    values.close();
  }
}

/** Writes all that is exported. */
async function fill(setup: Setup): Promise<string> {
  const token = JSON.stringify({ id: "a", expiresAt: Date.now() + DAY_MS });
  await within(setup, async (values) => {
    await put(values, TOKEN, token);
    await put(values, LIST, listOf("a"));
    await put(values, SHARD, '{"entries":{"shop":{"claims":[]}}}');
    await put(values, BLOCKS, '["names/one"]');
  });
  return token;
}

async function textAt(values: VersionedValues, key: StoreKey): Promise<string> {
  return (await values.read(key))?.text ?? "";
}

/** Exports, has `lose` lose all, imports, and looks at what is there. */
async function exportAndImport(setup: Setup, lose: () => Promise<unknown>) {
  const token = await fill(setup);
  const { file, run } = setup;
  const exported = await run("--export", file);
  assert.equal(exported.code, 0, exported.err);
  assert.match(exported.out, /^4 values written to /);
  assert.equal((await Deno.stat(file)).mode, 0o100600);
  await lose();
  await within(setup, async (values) => {
    await put(values, LIST, listOf("b"));
    await put(values, BLOCKS, '["names/two"]');
  });
  const imported = await run("--import", file);
  assert.equal(imported.code, 0, imported.err);
  assert.match(imported.out, /: 2 written, 2 added to, 0 were there, 0 are ov/);
  await within(setup, async (values) => {
    assert.equal(await textAt(values, TOKEN), token);
    const { listed } = JSON.parse(await textAt(values, LIST));
    assert.deepEqual(listed.map(({ id }: { id: string }) => id), ["b", "a"]);
    assert.match(await textAt(values, SHARD), /"shop"/);
    const blocks = await textAt(values, BLOCKS);
    assert.equal(blocks, '["names/two","names/one"]');
  });
  const again = await run("--import", file);
  assert.match(again.out, /: 0 written, 0 added to, 4 were there, 0 are over/);
}

for (
  const [name, start] of [
    ["Redis", startRedis],
    ["a Redis Cluster", startRedisCluster],
  ] as const
) {
  redisTest(
    `records in ${name} are exported, lost and imported, for as long as they had`,
    async () => {
      await using server = await start();
      await using setup = await setUp(`redis://127.0.0.1:${server.port}`);
      await server.command("SET", "porthole:session:x", '{"value":1}');
      await server.command("LPUSH", "porthole:list", "x");
      await exportAndImport(setup, () => server.command("FLUSHALL"));
      for (const key of await server.command("KEYS", "*") as string[]) {
        const ttlMs = Number(await server.command("PTTL", key));
        const isForGood = /:(names|blocks|records):?/.test(key);
        const ofDay = ttlMs > DAY_MS - 120_000 && ttlMs <= DAY_MS;
        assert(isForGood ? ttlMs === -1 : ofDay, `${key}: ${ttlMs}`);
      }
    },
  );
}

Deno.test("records in a file of Deno KV are exported, lost and imported", async () => {
  await using setup = await setUp();
  await exportAndImport(setup, async () => {
    for (const key of [TOKEN, LIST, SHARD, BLOCKS]) {
      await within(setup, async (values) => {
        const version = (await values.read(key))?.version;
        await values.write({ key, version, text: undefined, ttlMs: 1 });
      });
    }
  });
  const shard = await within(setup, (values) => textAt(values, SHARD));
  assert.match(shard, /"shop"/);
});

Deno.test("a file that cannot be read whole is refused, and nothing is written", async () => {
  await using setup = await setUp();
  await fill(setup);
  const { file, run } = setup;
  await run("--export", file);
  const text = await Deno.readTextFile(file);
  const lines = text.split("\n");
  await using empty = await setUp();
  for (
    const [broken, why] of [
      [text.slice(0, -20), /cut off|as many/],
      [lines.toSpliced(2, 1).join("\n"), /as many entries/],
      [lines.with(2, "{}").join("\n"), /Line 3/],
      [text.replace('"format":1', '"format":2'), /Line 1/],
      ["", /Line 1/],
    ] as const
  ) {
    await Deno.writeTextFile(file, broken);
    const { code, err } = await empty.run("--import", file);
    assert.equal(code, 1);
    assert.match(err, why);
  }
  await within(empty, async (values) => {
    assert.equal(await values.read(TOKEN), undefined);
    assert.equal(await values.read(["records", "epoch"]), undefined);
  });
});

Deno.test("an export that fails leaves the file of before, and no part of a new one", async () => {
  await using setup = await setUp("redis://127.0.0.1:1");
  await Deno.writeTextFile(setup.file, "before");
  const { code, err } = await setup.run("--export", setup.file);
  assert.equal(code, 1);
  assert.match(err, /Not connected to Redis/);
  assert.equal(await Deno.readTextFile(setup.file), "before");
  assert.equal(
    await Deno.stat(`${setup.file}.partial`).catch(() => null),
    null,
  );
});

Deno.test("records.ts says how to call it, and refuses what makes no sense", async () => {
  await using setup = await setUp();
  const { code, out } = await setup.run("--help");
  assert.equal(code, 0);
  assert.match(out, /^usage: deno task records --export FILE/);
  for (
    const args of [[], ["--export"], ["--import", "a", "b"], [
      "--accept-empty=1",
    ], ["a"]]
  ) {
    assert.equal((await setup.run(...args)).code, 2, args.join(" "));
  }
  const { code: refused, err } = await runScript(
    "records",
    "scripts/records.ts",
    { args: ["--accept-empty"], env: { ...REQUIRED, RECORDS_URL: "none" } },
  );
  assert.deepEqual([refused, err], [2, "RECORDS_URL keeps nothing\n"]);
});

redisTest(
  "an export of a store that was emptied keeps the one of before",
  async () => {
    await using server = await startRedis();
    await using setup = await setUp(`redis://127.0.0.1:${server.port}`);
    const { file, run } = setup;
    await fill(setup);
    assert.equal((await run("--accept-empty")).code, 0);
    await run("--export", file);
    await run("--export", file);
    const before = await Deno.readTextFile(file);
    const { epoch } = JSON.parse(before.split("\n")[0] ?? "");
    await server.command("FLUSHALL");
    assert.match((await run("--export", file)).out, /^0 values written/);
    assert.match((await run("--export", file)).out, /^0 values written/);
    assert.equal(await Deno.readTextFile(`${file}.${epoch}`), before);
  },
);
