/** Whatever Redis does, a request gets its answer; and when Redis is well again, it is used again. */
import assert from "node:assert/strict";
import {
  type RedisServer,
  redisTest,
  startRedis,
} from "../support/redis_server.ts";
import { skewClock, type SkewedClock } from "../support/skewed_clock.ts";
import { LAST_ANSWER } from "./faulty_runner.ts";
import {
  type Fault,
  liveThrough,
  shortPauses,
  startWorld,
  WELL,
  type World,
} from "./world.ts";

/** A failing store is left alone for so long, ms. */
const PAUSE_MS = 5_000;

/** Longer than it takes until Redis is used again, ms. */
const TIMEOUT_MS = 10_000;

/** A fault of a server, which may be another one afterwards. */
interface RedisFault extends Pick<Fault, "name"> {
  inject(server: RedisServer): void | Promise<void>;
  heal(server: RedisServer): void | Promise<RedisServer | void>;
}

/** Every key that there is gets such a value. */
function spoiling(name: string, ...command: [string, ...string[]]): RedisFault {
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
    inject: (server) => server.hold(),
    heal: (server) => server.goOn(),
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
  spoiling("holds what is no JSON", "SET", '{"value":'),
  spoiling("holds a number for everything", "SET", '{"value":5}'),
  spoiling("holds null for everything", "SET", '{"value":null}'),
  spoiling(
    "holds half a runner for everything",
    ...["SET", '{"value":{"apiKey":"k","proxyUrl":7}}'] as const,
  ),
  spoiling("holds lists", "LPUSH", "a", "b"),
];

/** Asks for sandboxes until one of them is in Redis. */
async function untilUsed(
  world: World,
  { server, clock }: { server: RedisServer; clock: SkewedClock },
): Promise<void> {
  const until = performance.now() + TIMEOUT_MS;
  for (let found: unknown = 0; found !== 1;) {
    assert(performance.now() < until, "Redis is not used again");
    clock.jump(PAUSE_MS);
    const host = world.newHost();
    assert.deepEqual(await world.ask(host), WELL);
    const id = /^3000-([^.]+)/.exec(host)?.[1];
    found = await server.command("EXISTS", `proxy:sandbox-public:${id}`);
  }
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
    world.runner.behaviour = LAST_ANSWER;
    await untilUsed(world, { server, clock });
    for (const { name, inject, heal } of FAULTS) {
      await t.step(name, () =>
        liveThrough(world, {
          name,
          async inject() {
            await inject(server);
            // Past the time in which nobody looks there.
            clock.jump(PAUSE_MS);
          },
          wanted: WELL,
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
