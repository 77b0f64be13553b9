/** Whatever Redis does, requests are answered; and once it has recovered, it is used again. */
import assert from "node:assert/strict";
import { assertEventually } from "../support/assert_eventually.ts";
import {
  type RedisServer,
  redisTest,
  startRedis,
} from "../support/redis_server.ts";
import { skewClock, type SkewedClock } from "../support/skewed_clock.ts";
import { GOOD_AND_CLOSE } from "./faulty_runner.ts";
import {
  type Fault,
  HEALTHY,
  shortPauses,
  startWorld,
  surviveFault,
  type World,
} from "./world.ts";

/** The pause before a failing store is used again, ms. */
const PAUSE_MS = 5_000;

/** A fault of a Redis server, which may be replaced by another one to recover. */
interface RedisFault extends Pick<Fault, "name"> {
  inject(server: RedisServer): void | Promise<void>;
  heal(server: RedisServer): void | Promise<RedisServer | void>;
}

/** Overwrites the value of every key. */
function corruption(
  name: string,
  ...command: [string, ...string[]]
): RedisFault {
  return {
    name,
    async inject(server) {
      const [verb, ...values] = command;
      const keys = await server.command("KEYS", "*");
      assert(Array.isArray(keys) && keys.length > 0);
      for (const key of keys) {
        await server.command("DEL", key);
        await server.command(verb, key, ...values);
      }
    },
    heal: async (server) => void await server.command("FLUSHALL"),
  };
}

const FAULTS: readonly RedisFault[] = [
  {
    name: "hangs",
    inject: (server) => server.suspend(),
    heal: (server) => server.resume(),
  },
  {
    name: "is gone",
    inject: (server) => server[Symbol.asyncDispose](),
    heal: ({ port }) => startRedis({ port }),
  },
  {
    name: "is full",
    inject: async (server) =>
      void await server.command("CONFIG", "SET", "maxmemory", "1"),
    heal: async (server) =>
      void await server.command("CONFIG", "SET", "maxmemory", "0"),
  },
  {
    name: "refuses everything",
    inject: async (server) =>
      void await server.command(
        ...["ACL", "SETUSER", "default", "-@all", "+acl", "+config"],
      ),
    heal: async (server) =>
      void await server.command("ACL", "SETUSER", "default", "+@all"),
  },
  corruption("holds what is no JSON", "SET", '{"value":'),
  corruption("holds a number for everything", "SET", '{"value":5}'),
  corruption("holds null for everything", "SET", '{"value":null}'),
  corruption(
    "holds half a runner for everything",
    ...["SET", '{"value":{"apiKey":"k","proxyUrl":7}}'] as const,
  ),
  corruption("holds lists", "LPUSH", "a", "b"),
];

/** Requests new sandboxes until one of them is in Redis. */
async function untilUsed(
  world: World,
  { server, clock }: { server: RedisServer; clock: SkewedClock },
): Promise<void> {
  await assertEventually(async () => {
    clock.jump(PAUSE_MS);
    const host = world.newHost();
    assert.deepEqual(await world.ask(host), HEALTHY);
    const id = /^3000-([^.]+)/.exec(host)?.[1];
    return await server.command("EXISTS", `proxy:sandbox-public:${id}`) === 1;
  }, "Redis is used again");
}

redisTest("a Redis that", async (t) => {
  using clock = skewClock();
  using _ = shortPauses();
  let server = await startRedis();
  try {
    const { port } = server;
    await using world = await startWorld(
      { CACHE_URL: `redis://127.0.0.1:${port}` },
      [port],
    );
    world.runner.behaviour = GOOD_AND_CLOSE;
    await untilUsed(world, { server, clock });
    for (const { name, inject, heal } of FAULTS) {
      await t.step(name, () =>
        surviveFault(world, {
          name,
          async inject() {
            await inject(server);
            // Skip the pause in which Redis is not used.
            clock.jump(PAUSE_MS);
          },
          expected: HEALTHY,
          async heal() {
            server = await heal(server) ?? server;
            await untilUsed(world, { server, clock });
          },
        }, (world) => world.ask()));
    }
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
