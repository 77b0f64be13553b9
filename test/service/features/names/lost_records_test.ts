/** Names of members while the Redis that they are kept in has lost its data, at two gateways. */
import assert from "node:assert/strict";
import { startStack } from "../../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  startGatewayOf,
  type TestGateway,
} from "../../../support/gateway.ts";
import {
  type RedisServer,
  redisTest,
  startRedis,
} from "../../../support/redis_server.ts";
import { runScript } from "../../../support/run_script.ts";
import { textFile } from "../../../support/text_file.ts";
import { MEMBERS, putName, SHOP } from "./name_gateway.ts";

/** Time between two looks of a gateway at the names, ms. */
const LOOK_MS = 2_000;

/** A Redis that has no reason to be doubted: it keeps what it has on disk. */
async function startKeepingRedis(): Promise<RedisServer> {
  await Deno.mkdir("./data/test", { recursive: true });
  const dir = await Deno.makeTempDir({ dir: "./data/test" });
  const server = await startRedis({
    args: ["--dir", dir, "--appendonly", "yes"],
  });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** What /ready says of records. */
async function recordsCheck({ send }: TestGateway): Promise<string> {
  const { checks } = (await send(BASE, { path: "/ready" })).json();
  return Object(checks).records;
}

/** All names are read again in so many looks. */
const LOOKS = 30;

redisTest(
  "a Redis that is flushed takes no name away, /ready is degraded, and an import brings all back",
  async () => {
    await using log = await collectLog();
    using clock = fakeClock();
    await using redis = await startKeepingRedis();
    await using stack = await startStack();
    const RECORDS_URL = `redis://127.0.0.1:${redis.port}`;
    const settings = { ...MEMBERS, RECORDS_URL };
    await using first = await startGatewayOf(stack, settings);
    await using second = await startGatewayOf(stack, settings);
    assert.equal((await putName(first, SHOP)).status, 201);
    const both = [first, second];
    await assertEventually(async () => {
      clock.pass(LOOK_MS);
      return (await second.send(SHOP)).status === 200;
    }, "the other gateway knows the name");

    await using file = await textFile("");
    const env = { ...stack.environment, RECORDS_URL };
    const records = (...args: string[]) =>
      runScript("records", "scripts/records.ts", { args, env });
    const exported = await records("--export", file.path);
    assert.equal(exported.code, 0, exported.err);
    assert.equal(await recordsCheck(first), "ok");
    await redis.command("FLUSHALL");
    for (let look = 0; look < LOOKS; look++) {
      clock.pass(LOOK_MS);
      for (const gateway of both) {
        assert.equal((await gateway.send(SHOP)).status, 200);
      }
    }
    for (const gateway of both) {
      assert.equal(await recordsCheck(gateway), "failing");
      assert.match(
        gateway.service.renderMetrics(),
        /^porthole_records_lost 1$/m,
      );
      const put = await putName(gateway, `new.${BASE}`);
      assert.equal(put.code, "records_unavailable");
    }
    const imported = await records("--import", file.path);
    assert.equal(imported.code, 0, imported.err);
    await using third = await startGatewayOf(stack, settings);
    for (const gateway of [...both, third]) {
      assert.equal(await recordsCheck(gateway), "ok");
      assert.match(
        gateway.service.renderMetrics(),
        /^porthole_records_lost 0$/m,
      );
      clock.pass(LOOK_MS);
      assert.equal((await gateway.send(SHOP)).status, 200);
    }
    assert.equal((await putName(first, `new.${BASE}`)).status, 201);
    const lost = log.records()
      .filter(({ message }) => message === "the store of records is lost");
    assert.equal(lost.length, both.length);
  },
);
