/** A place for records, for as long as a test runs. */
import assert from "node:assert/strict";
import { openSharedKv } from "../../src/cache/kv_sharing.ts";
import type { StoreKey } from "../../src/cache/store.ts";
import { kvValues } from "../../src/records/kv_values.ts";
import { redisTest, startRedis } from "./redis_server.ts";

/** A database in a folder of its own, and the setting by which a gateway keeps records there. */
export interface RecordsFile extends AsyncDisposable {
  readonly environment: { readonly RECORDS_URL: string };
}

/** Makes one; it has to outlive the gateways that use it. */
export async function recordsFile(): Promise<RecordsFile> {
  await Deno.mkdir("./data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "./data/test" });
  return {
    environment: { RECORDS_URL: `kv:${folder}/records.db` },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Writes over values of such a database, as somebody else would. */
export async function poison(
  { RECORDS_URL: url }: RecordsFile["environment"],
  text: string,
  ...keys: StoreKey[]
): Promise<void> {
  const values = kvValues(await openSharedKv(url.replace("kv:", "")));
  for (const key of keys) {
    const version = (await values.read(key))?.version;
    assert(await values.write({ key, version, text, ttlMs: Infinity }));
  }
  values.close();
}

/** Declares a test of gateways that share a place for records: a file, and Redis. */
export function sharedRecordsTest(
  name: string,
  fn: (environment: RecordsFile["environment"]) => Promise<void>,
): void {
  Deno.test(`${name} (a file)`, async () => {
    await using file = await recordsFile();
    await fn(file.environment);
  });
  redisTest(`${name} (Redis)`, async () => {
    await using server = await startRedis();
    await fn({ RECORDS_URL: `redis://127.0.0.1:${server.port}` });
  });
}
