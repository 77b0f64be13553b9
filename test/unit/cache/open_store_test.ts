import {
  deepStrictEqual as deepEqual,
  match,
  strictEqual as equal,
} from "node:assert/strict";
import { openDurableStore } from "../../../src/cache/open_store.ts";
import type { StoredEntry } from "../../../src/cache/store.ts";
import type { CacheLocation } from "../../../src/config/config.ts";
import { redisAt } from "../../support/redis_server.ts";
import { failureLog } from "./fakes.ts";

const ENTRY: StoredEntry = {
  value: "kept",
  refreshAt: 1e14,
  expiresAt: 1e14,
  staleUntil: 1e14,
};

function open(location: CacheLocation, { platformShared = false } = {}) {
  const log = failureLog();
  const store = openDurableStore(location, {
    platformShared,
    now: Date.now,
    onFailure: log.onFailure,
  });
  return { store, failures: log.failures };
}

Deno.test("openDurableStore() is null for none", async () => {
  equal(await open({ kind: "none" }).store, null);
});

Deno.test("openDurableStore() opens Deno KV in memory as private", async () => {
  const { store: opening, failures } = open({ kind: "kv", path: ":memory:" }, {
    platformShared: true,
  });
  const store = await opening;
  try {
    equal(store?.shared, false);
    await store?.set(["kind", "a"], ENTRY);
    deepEqual(await store?.get(["kind", "a"]), ENTRY);
    deepEqual(failures, []);
  } finally {
    store?.close();
  }
});

Deno.test("openDurableStore() opens a file as private and creates its folder", async () => {
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  try {
    const path = `${dir}/made/for/it/cache.sqlite`;
    const store = await open({ kind: "kv", path }).store;
    equal(store?.shared, false);
    await store?.set(["kind", "a"], ENTRY);
    store?.close();
    equal((await Deno.stat(path)).isFile, true);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("openDurableStore() opens the platform's database as shared if the platform says so", async () => {
  for (const platformShared of [true, false]) {
    const store = await open({ kind: "kv", path: undefined }, {
      platformShared,
    }).store;
    equal(store?.shared, platformShared);
    store?.close();
  }
});

Deno.test("openDurableStore() reports a file that cannot be opened, and is unavailable", async () => {
  await Deno.mkdir("./data/test", { recursive: true });
  const { store: opening, failures } = open({
    kind: "kv",
    path: "./data/test", // a folder
  });
  const store = await opening;
  equal(await store?.get(["kind", "a"]), "unavailable");
  deepEqual(failures.map(({ reason }) => reason), ["error"]);
  match(String(failures[0]?.cause), /unable to open database file/);
  store?.close();
});

Deno.test({
  name: "openDurableStore() opens a KV Connect URL as shared",
  // Without the token the client does not even try to connect.
  permissions: { env: false, net: false },
  async fn() {
    const { store: opening, failures } = open({
      kind: "kv-connect",
      url: "https://kv.invalid/connect",
    });
    const store = await opening;
    equal(store?.shared, true);
    equal(failures.length, 1);
    store?.close();
  },
});

Deno.test("openDurableStore() opens Redis as shared, and works without a connection", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { store: opening, failures } = open(redisAt(port));
  const store = await opening;
  equal(store?.shared, true);
  equal(await store?.get(["kind", "a"]), "unavailable");
  deepEqual(failures.map(({ store, reason }) => [store, reason]), [
    ["redis", "error"],
  ]);
  store?.close();
});
