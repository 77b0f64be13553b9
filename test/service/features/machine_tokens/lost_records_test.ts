/** Tokens while the Redis that they are kept in has lost its data. */
import assert from "node:assert/strict";
import { KEYS, startStack } from "../../../../scripts/stand_in/stack.ts";
import { acceptStore } from "../../../../src/records/epoch.ts";
import { openRedisValues } from "../../../../src/records/redis_values.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { LOCKED, startGatewayOf } from "../../../support/gateway.ts";
import {
  redisAt,
  redisTest,
  startRedis,
} from "../../../support/redis_server.ts";
import { makeToken, MEMBERS } from "./token_gateway.ts";

/** After so long, a record is read again, ms. */
const READ_AGAIN_MS = 6_000;

redisTest(
  "a token that was used or made opens its preview while Redis is empty, for five minutes or until an operator accepts that",
  async () => {
    using clock = fakeClock();
    clock.pass(1); // at 0, nothing would expire
    await using redis = await startRedis();
    await using stack = await startStack();
    await using gateway = await startGatewayOf(stack, {
      ...MEMBERS,
      RECORDS_URL: `redis://127.0.0.1:${redis.port}`,
    });
    const { token } = await makeToken(gateway, KEYS.user);
    const unused = await makeToken(gateway, KEYS.user);
    async function statusWith(secret: string): Promise<number> {
      clock.pass(READ_AGAIN_MS);
      const headers = { "x-porthole-token": secret };
      return (await gateway.send(LOCKED, { headers })).status;
    }
    assert.equal(await statusWith(token), 200);
    assert.equal(await statusWith(token), 200);
    await redis.command("FLUSHALL");
    for (let count = 0; count < 10; count++) {
      assert.equal(await statusWith(token), 200);
    }
    assert.equal(await statusWith(unused.token), 200);
    clock.pass(300_000);
    assert.equal(await statusWith(token), 503);
    const values = await openRedisValues(redisAt(redis.port));
    await acceptStore(values, Date.now());
    values.close();
    assert.equal(await statusWith(token), 401);
    assert.equal(await statusWith(unused.token), 401);
  },
);
