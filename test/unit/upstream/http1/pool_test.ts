import assert from "node:assert/strict";
import { Connection } from "../../../../src/upstream/http1/connection.ts";
import { Pool } from "../../../../src/upstream/http1/pool.ts";
import { type Script, scriptedConn } from "../../../support/scripted_conn.ts";

const CONFIG = { idleTimeoutMs: 100 };

function connectionOf(script: Script, originKey = "a"): Connection {
  return new Connection(scriptedConn(script), { originKey, onClose() {} });
}

function silent(originKey?: string): Connection {
  return connectionOf({ reads: [], then: "silence" }, originKey);
}

Deno.test("Pool.take() returns the most recently used connection of the origin", () => {
  const pool = new Pool(CONFIG);
  const [first, second] = [silent(), silent()];
  pool.put(first, 0);
  pool.put(second, 1);
  assert.equal(pool.size, 2);
  assert.equal(pool.take("b", 2), undefined);
  assert.equal(pool.take("a", 2), second);
  assert.equal(pool.take("a", 2), first);
  assert.equal(pool.take("a", 2), undefined);
  assert.equal(pool.size, 0);
});

Deno.test("Pool.put() closes a connection if 1,024 to its origin are idle already", () => {
  const pool = new Pool(CONFIG);
  for (let count = 0; count < 1024; count++) pool.put(silent(), 0);
  const surplus = silent();
  pool.put(surplus, 0);
  assert.equal(surplus.failed, true);
  const other = silent("b");
  pool.put(other, 0);
  assert.equal(other.failed, false);
});

Deno.test("Pool.put() closes the connection that has been idle longest if 2,048 are", () => {
  const pool = new Pool(CONFIG);
  const [oldest, next] = [silent("b"), silent("c")];
  pool.put(oldest, 0);
  pool.put(next, 1);
  for (let count = 2; count < 2049; count++) {
    pool.put(silent(String(count)), count);
  }
  assert.equal(oldest.failed, true);
  assert.equal(next.failed, false);
  assert.equal(pool.size, 2048);
});

Deno.test("Pool.take() never returns a connection that received bytes, or the end, while idle", async () => {
  for (
    const script of [{ reads: ["evil"], then: "silence" }, {
      reads: [],
    }] satisfies Script[]
  ) {
    const given: boolean[] = [];
    // However many promise jobs run between the bytes' arrival and the request.
    for (let jobs = 0; jobs < 20; jobs++) {
      const pool = new Pool(CONFIG);
      const connection = connectionOf(script);
      await connection.write(new Uint8Array(1));
      pool.put(connection, 0);
      for (let count = 0; count < jobs; count++) await Promise.resolve();
      const taken = pool.take("a", 0);
      given.push(taken !== undefined);
      assert.equal(taken?.input.length ?? 0, 0);
      assert.equal(pool.size, 0);
      if (taken === undefined) assert.equal(connection.failed, true);
    }
    assert.deepEqual([given[0], given[19]], [true, false]);
  }
});
