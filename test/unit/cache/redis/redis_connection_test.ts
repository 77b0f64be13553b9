import assert from "node:assert/strict";
import type {
  RedisClient,
  RedisCommands,
} from "../../../../src/cache/redis/redis_client.ts";
import { RedisConnection } from "../../../../src/cache/redis/redis_connection.ts";
import { manualClock, settled } from "../fakes.ts";

/** An attempt to connect, whose outcome the test decides. */
interface Attempt {
  succeed(answer: () => Promise<string | null>): void;
  fail(reason: unknown): void;
  readonly ended: Promise<unknown>;
  end(reason: unknown): void;
}

function setUp() {
  const clock = manualClock();
  const attempts: Attempt[] = [];
  const pauses: number[] = [];
  let awake = Promise.withResolvers<void>();

  function open(signal: AbortSignal): Promise<RedisClient> {
    const opening = Promise.withResolvers<RedisClient>();
    const ended = Promise.withResolvers<unknown>();
    const refused = () => Promise.reject(new Error("not in this test"));
    signal.addEventListener("abort", () => {
      opening.reject(signal.reason);
      ended.resolve(signal.reason);
    });
    attempts.push({
      succeed(get) {
        const commands: RedisCommands = {
          get,
          pTTL: refused,
          set: refused,
          del: refused,
          incrBy: refused,
          pExpire: refused,
          publish: refused,
          eval: refused,
          info: refused,
          configGet: refused,
          subscribe: refused,
          clientTracking: refused,
          on() {},
        };
        opening.resolve({ commands, ended: ended.promise, end: ended.resolve });
      },
      fail: opening.reject,
      ended: ended.promise,
      end: ended.resolve,
    });
    return opening.promise;
  }

  const connection = new RedisConnection({
    server: "redis.test:6379",
    open,
    now: () => clock.now(),
    random: () => 0.5,
    sleep(ms, signal) {
      pauses.push(ms);
      awake = Promise.withResolvers();
      signal?.addEventListener("abort", () => awake.reject(signal.reason));
      return awake.promise;
    },
  });

  /** Ends the pause between attempts, and returns the latest attempt. */
  async function next(): Promise<Attempt> {
    await settled();
    awake.resolve();
    await settled();
    const latest = attempts.at(-1);
    assert(latest !== undefined);
    return latest;
  }

  return {
    clock,
    attempts,
    pauses,
    connection,
    next,
    get: () => connection.send((commands) => commands.get("key")),
  };
}

const ANSWER = () => Promise.resolve("answer");
const SILENCE = () => new Promise<null>(() => {});

Deno.test("send() rejects at once without a connection, and names the server and the reason", async () => {
  const { connection, next, get } = setUp();
  await assert.rejects(get(), { message: /redis\.test:6379/ });
  const reason = new Error("WRONGPASS invalid username-password pair");
  (await next()).fail(reason);
  await assert.rejects(connection.connected(), { cause: reason });
  await assert.rejects(get(), {
    message: "Not connected to Redis at redis.test:6379",
    cause: reason,
  });
  connection.close();
});

Deno.test("send() uses the current connection, and the next one after a reconnect", async () => {
  const { connection, next, get } = setUp();
  const first = await next();
  first.succeed(ANSWER);
  await connection.connected();
  assert.equal(await get(), "answer");
  first.end(new Error("closed"));
  await settled();
  await assert.rejects(get(), { cause: new Error("closed") });
  (await next()).succeed(() => Promise.resolve("another answer"));
  await connection.connected();
  assert.equal(await get(), "another answer");
  connection.close();
});

Deno.test("a connection is retried without end, with pauses that grow to 5 s and start over after a success", async () => {
  const { connection, attempts, pauses, next } = setUp();
  for (let i = 0; i < 9; i++) (await next()).fail(new Error("refused"));
  (await next()).succeed(ANSWER);
  await connection.connected();
  attempts.at(-1)?.end(new Error("closed"));
  await settled();
  assert.deepEqual(pauses, [
    ...[150, 250, 450, 850, 1650, 2550, 2550, 2550, 2550],
    150,
  ]);
  assert.equal(attempts.length, 10);
  connection.close();
});

Deno.test("a command closes a connection that has not replied for 2 s", async () => {
  const { clock, connection, next, get } = setUp();
  const first = await next();
  first.succeed(SILENCE);
  await connection.connected();
  get();
  clock.time += 2_000;
  get();
  clock.time += 1;
  await assert.rejects(get(), { message: "No reply within 2000 ms" });
  await first.ended;
  const second = await next();
  second.succeed(ANSWER);
  await connection.connected();
  assert.equal(await get(), "answer");
  connection.close();
});

Deno.test("an idle connection and a slow one are kept", async () => {
  const { clock, connection, attempts, next, get } = setUp();
  const waiting: PromiseWithResolvers<string>[] = [];
  (await next()).succeed(() => {
    const answer = Promise.withResolvers<string>();
    waiting.push(answer);
    return answer.promise;
  });
  await connection.connected();
  const first = get();
  waiting[0]?.resolve("first");
  assert.equal(await first, "first");
  clock.time += 600_000;
  const answers = [get(), get(), get()];
  for (const answer of waiting.slice(1)) {
    clock.time += 1_500;
    answer.resolve("late");
    await settled();
  }
  assert.deepEqual(await Promise.all(answers), ["late", "late", "late"]);
  assert.equal(attempts.length, 1);
  connection.close();
});

Deno.test("READONLY and LOADING close the connection, and other error replies do not", async () => {
  for (const code of ["READONLY", "LOADING"]) {
    const { connection, attempts, next, get } = setUp();
    const answers = ["OOM command not allowed", `${code} and why`];
    const first = await next();
    first.succeed(() => Promise.reject(new Error(answers.shift())));
    await connection.connected();
    await assert.rejects(get(), { message: /OOM/ });
    await settled();
    assert.equal(attempts.length, 1);
    await assert.rejects(get(), { message: /and why/ });
    await first.ended;
    await next();
    assert.equal(attempts.length, 2);
    connection.close();
  }
});

Deno.test("send() removes the arguments that a server quotes in an error", async () => {
  const { connection, next, get } = setUp();
  const reply = "ERR unknown command 'GET', with args beginning with: 'key' ";
  (await next()).succeed(() => Promise.reject(new Error(reply)));
  await connection.connected();
  await assert.rejects(get(), { message: "ERR unknown command 'GET'" });
  connection.close();
});

Deno.test("close() ends a connection, an attempt or a pause, and no attempt follows", async () => {
  const connected = setUp();
  const attempt = await connected.next();
  attempt.succeed(ANSWER);
  await connected.connection.connected();
  connected.connection.close();
  await attempt.ended;

  const connecting = setUp();
  connecting.connection.close();

  const pausing = setUp();
  (await pausing.next()).fail(new Error("refused"));
  await settled();
  pausing.connection.close();

  for (
    const { attempts, connection, get, next } of [
      connected,
      connecting,
      pausing,
    ]
  ) {
    await next();
    assert.equal(attempts.length, 1);
    await assert.rejects(connection.connected());
    await assert.rejects(get());
  }
});
