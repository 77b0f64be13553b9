import {
  deepStrictEqual as deepEqual,
  match,
  strictEqual as equal,
} from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { CircuitBreaker } from "../../../src/cache/circuit_breaker.ts";
import { failureLog, manualClock } from "./fakes.ts";

const HANG = () => new Promise<string>(() => {});
const FAIL = () => Promise.reject(new Error("refused"));
const WORK = () => Promise.resolve("result");

function setUp() {
  const clock = manualClock();
  const log = failureLog();
  const breaker = new CircuitBreaker("fake", {
    now: () => clock.now(),
    onFailure: log.onFailure,
    deadlineMs: 1,
  });
  return { clock, breaker, failures: log.failures };
}

Deno.test("run() resolves with the operation's result", async () => {
  const { breaker, failures } = setUp();
  equal(await breaker.run(WORK, "otherwise"), "result");
  deepEqual(failures, []);
});

Deno.test("run() resolves with the fallback after a rejection, a synchronous throw or the deadline, and reports the reason", async () => {
  const { breaker, failures } = setUp();
  const locked = () => Promise.reject(new TypeError("database is locked"));
  const broken = () => {
    throw new RangeError("broken");
  };
  equal(await breaker.run(HANG, "otherwise"), "otherwise");
  equal(await breaker.run(locked, "otherwise"), "otherwise");
  await breaker.run(WORK, "otherwise");
  equal(await breaker.run<string>(broken, "otherwise"), "otherwise");
  deepEqual(
    failures.map(({ store, reason }) => [store, reason]),
    [["fake", "timeout"], ["fake", "locked"], ["fake", "error"]],
  );
  match(failures[1]?.message ?? "", /another process/);
  match(String(failures[2]?.cause), /broken/);
});

Deno.test("run() does not time out an operation that finished while the thread was busy", async () => {
  const clock = manualClock();
  const { failures, onFailure } = failureLog();
  const breaker = new CircuitBreaker("fake", {
    now: () => clock.now(),
    onFailure,
    deadlineMs: 20,
  });
  // Due after the deadline, and before half of it has gone by again.
  const work = breaker.run(() => delay(25, "result"), "otherwise");
  const busyUntil = performance.now() + 40;
  while (performance.now() < busyUntil);
  equal(await work, "result");
  deepEqual(failures, []);
});

Deno.test("run() ignores a late result and a late failure", async () => {
  const { breaker, failures } = setUp();
  const late = Promise.withResolvers<string>();
  const lateFailure = Promise.withResolvers<string>();
  equal(await breaker.run(() => late.promise, "otherwise"), "otherwise");
  equal(await breaker.run(() => lateFailure.promise, "otherwise"), "otherwise");
  late.resolve("late");
  lateFailure.reject(new Error("late")); // an unhandled rejection would fail the test
  equal(await breaker.run(WORK, "otherwise"), "result");
  equal(failures.length, 1);
});

Deno.test("run() reports each reason once a minute", async () => {
  const { clock, breaker, failures } = setUp();
  for (let i = 0; i < 10; i++) {
    await breaker.run(FAIL, "");
    await breaker.run(WORK, "");
  }
  equal(failures.length, 1);
  clock.time += 59_999;
  await breaker.run(FAIL, "");
  equal(failures.length, 1);
  clock.time += 1;
  await breaker.run(FAIL, "");
  equal(failures.length, 2);
});

Deno.test("run() skips operations for 5 s after three failures in a row, then tries one", async () => {
  const { clock, breaker } = setUp();
  let calls = 0;
  const counted = (operation: () => Promise<string>) => () => {
    calls++;
    return operation();
  };
  await breaker.run(counted(FAIL), "");
  await breaker.run(counted(FAIL), "");
  await breaker.run(counted(WORK), ""); // not in a row
  for (let i = 0; i < 9; i++) await breaker.run(counted(FAIL), "");
  equal(calls, 6);
  equal(await breaker.run(counted(WORK), "otherwise"), "otherwise");

  clock.time += 5_000;
  const both = [
    breaker.run(counted(HANG), "a"),
    breaker.run(counted(WORK), "b"),
  ];
  deepEqual(await Promise.all(both), ["a", "b"]);
  equal(calls, 7);

  clock.time += 5_000;
  equal(await breaker.run(counted(WORK), ""), "result");
  equal(await breaker.run(counted(WORK), ""), "result");
});

Deno.test("run() counts operations that fail together as one failure", async () => {
  const { clock, breaker } = setUp();
  const underWay = [1, 2, 3].map(() => breaker.run(HANG, "otherwise"));
  clock.time += 1;
  deepEqual(await Promise.all(underWay), [
    "otherwise",
    "otherwise",
    "otherwise",
  ]);
  equal(await breaker.run(WORK, "otherwise"), "result");
});

Deno.test("run() counts named operations by what became of them, and reset() ends the pause", async () => {
  const counted: string[] = [];
  const breaker = new CircuitBreaker("fake", {
    ...failureLog(),
    now: () => 0,
    deadlineMs: 1,
    onOperation: (name, outcome) => void counted.push(`${name} ${outcome}`),
  });
  await breaker.run(WORK, "", "read");
  await breaker.run(WORK, "");
  for (let i = 0; i < 4; i++) await breaker.run(FAIL, "", "write");
  equal(await breaker.run(WORK, "otherwise", "write"), "otherwise");
  breaker.reset();
  equal(await breaker.run(WORK, "otherwise", "write"), "result");
  breaker.close();
  await breaker.run(WORK, "", "read");
  deepEqual(counted, [
    "read ok",
    ...Array(3).fill("write failed"),
    "write skipped",
    "write skipped",
    "write ok",
  ]);
});

Deno.test("after close(), no operation runs and nothing is reported", async () => {
  const { breaker, failures } = setUp();
  const underWay = breaker.run(HANG, "otherwise");
  breaker.close();
  equal(await underWay, "otherwise");
  equal(await breaker.run(WORK, "otherwise"), "otherwise");
  deepEqual(failures, []);
});

Deno.test("run() does not pause longer if the clock is set back", async () => {
  const { clock, breaker } = setUp();
  for (let i = 0; i < 3; i++) await breaker.run(FAIL, "otherwise");
  equal(await breaker.run(WORK, "otherwise"), "otherwise");
  clock.time -= 3_600_000;
  equal(await breaker.run(WORK, "otherwise"), "result");
});
