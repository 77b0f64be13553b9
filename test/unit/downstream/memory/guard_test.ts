import assert from "node:assert/strict";
import { Background } from "../../../../src/lib/background.ts";
import {
  hear,
  MemoryGuard,
  type Watched,
} from "../../../../src/downstream/memory/guard.ts";
import { fakeClock } from "../../../support/fake_clock.ts";

const MIB = 1024 * 1024;

/** Fails the test if a look does. */
const background = new Background((_task, reason) => {
  throw reason;
});

/** A process that may hide 100 MiB, and whose tunnels hide what the test says until they are dropped. */
function setUp(): {
  memoryGuard: MemoryGuard;
  dropped: string[];
  /** What else it hides, bytes. */
  other: { bytes: number };
  open(
    name: string,
    client: string,
    bytes?: number,
  ): { bytes: number; heardAt: number };
  reports: () => number;
} {
  const dropped: string[] = [];
  const hidden = new Map<string, { bytes: number }>();
  const other = { bytes: 50 * MIB };
  let reports = 0;
  const memoryGuard = new MemoryGuard({
    nativeBytes: () =>
      [...hidden.values()].reduce((sum, { bytes }) => sum + bytes, other.bytes),
    expectedBytes: () => 100 * MIB,
    onDropped: () => reports++,
    background,
  });
  return {
    memoryGuard,
    dropped,
    other,
    reports: () => reports,
    open(name, client, bytes = 0) {
      const own = { bytes, heardAt: hear() };
      hidden.set(name, own);
      const tunnel: Watched = {
        client,
        get heardAt() {
          return own.heardAt;
        },
        drop() {
          dropped.push(name);
          hidden.delete(name);
        },
      };
      memoryGuard.watch(tunnel);
      return own;
    },
  };
}

/** Looks until every tunnel has been silent for long enough. */
async function lookOften(memoryGuard: MemoryGuard): Promise<void> {
  for (let looks = 0; looks < 3; looks++) await memoryGuard.look();
}

Deno.test("S3: a process that does not grow beyond what is expected drops nothing", async () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, open } = setUp();
  const own = open("a", "client");
  await memoryGuard.look();
  own.bytes = 50 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, []);
});

Deno.test("S3: the client that has most WebSockets loses them, the latest first, until there is enough memory", async () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, open, reports } = setUp();
  open("innocent", "other");
  const hogs = ["a", "b", "c", "d"].map((name) => open(name, "hog"));
  open("late innocent", "third");
  await lookOften(memoryGuard);
  for (const hog of hogs) hog.bytes = 30 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["d", "c", "b"]);
  assert.equal(reports(), 3);
});

Deno.test("S3: dropping ends when it frees nothing, and goes on only if the process grows", async () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, other, open } = setUp();
  for (const name of ["a", "b", "c"]) open(name, "client");
  await lookOften(memoryGuard);
  other.bytes = 200 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["c"]);
  for (let i = 0; i < 10; i++) await memoryGuard.look();
  other.bytes += 3 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["c"]);
  other.bytes += 4 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["c"], "each in vain takes twice as much growth");
  other.bytes += 1 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["c", "b"]);
  other.bytes += 100 * MIB;
  await memoryGuard.look();
  await memoryGuard.look();
  assert.deepEqual(dropped, ["c", "b", "a"]);
  other.bytes += 100 * MIB;
  await memoryGuard.look();
});

Deno.test("a look touches no WebSocket while there is enough memory", async () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, open, other } = setUp();
  open("idle", "client");
  let touched = 0;
  const stop = memoryGuard.watch({
    client: "client",
    get heardAt() {
      touched++;
      return 0;
    },
    drop: () => void dropped.push("touched"),
  });
  await lookOften(memoryGuard);
  assert.equal(touched, 0);
  other.bytes = 110 * MIB;
  await memoryGuard.look();
  assert.ok(touched > 0);
  assert.deepEqual(dropped, ["idle"]);
  stop();
});

Deno.test("memory is looked at as long as there are tunnels", async () => {
  using clock = fakeClock();
  let looks = 0;
  const memoryGuard = new MemoryGuard({
    nativeBytes: () => ++looks,
    expectedBytes: () => 0,
    onDropped() {},
    background,
  });
  clock.pass(1_000);
  assert.equal(looks, 0);
  const stop = memoryGuard.watch({ client: "c", heardAt: 0, drop() {} });
  clock.pass(20);
  assert.equal(looks, 1);
  await Promise.resolve();
  stop();
  clock.pass(1_000);
  assert.equal(looks, 1);
});

Deno.test("S3: a connection that fails to be dropped is reported, and the next look drops the next one", async () => {
  using clock = fakeClock();
  const failures: unknown[] = [];
  const looks = new Background((_task, reason) => failures.push(reason));
  const failure = new Error("cannot be dropped");
  const dropped: string[] = [];
  let grown = 0;
  const memoryGuard = new MemoryGuard({
    nativeBytes: () => dropped.length > 0 ? 0 : 100 * MIB * ++grown,
    expectedBytes: () => 0,
    onDropped() {},
    background: looks,
  });
  const stops = [
    memoryGuard.watch({
      client: "c",
      heardAt: 1,
      drop: () => void dropped.push("a"),
    }),
    memoryGuard.watch({
      client: "c",
      heardAt: 2,
      drop() {
        throw failure;
      },
    }),
  ];
  for (let look = 0; look < 6; look++) {
    clock.pass(20);
    await looks.settled();
  }
  for (const stop of stops) stop();
  assert.deepEqual(failures, [failure]);
  assert.deepEqual(dropped, ["a"]);
});

Deno.test("S10: chunked uploads are dropped before any WebSocket", async () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, open, other } = setUp();
  for (const name of ["a", "b", "c"]) open(name, "client");
  await memoryGuard.look();
  memoryGuard.watchUpload({
    client: "uploader",
    heardAt: 0,
    drop() {
      dropped.push("upload");
      other.bytes -= 60 * MIB;
    },
  });
  other.bytes += 60 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["upload"]);
});

Deno.test("S15: no WebSocket is dropped for what uploads have taken and not freed within a fifth of a second", async () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, open, other } = setUp();
  for (const name of ["a", "b", "c"]) open(name, "client");
  await lookOften(memoryGuard);
  for (const name of ["upload 1", "upload 2"]) {
    memoryGuard.watchUpload({
      client: "uploader",
      heardAt: 0,
      drop() {
        dropped.push(name);
        other.bytes -= 2 * MIB; // the rest goes with its connection
      },
    });
  }
  other.bytes += 80 * MIB;
  await lookOften(memoryGuard);
  for (let looks = 3; looks < 10; looks++) {
    other.bytes += 20 * MIB;
    await memoryGuard.look();
  }
  assert.deepEqual(dropped, ["upload 1", "upload 2"]);
  await memoryGuard.look();
  assert.equal(dropped.length, 2);
  other.bytes += 16 * MIB;
  await memoryGuard.look();
  assert.equal(dropped[2], "c");
});

Deno.test("S3: a WebSocket that was heard within the last three looks is not dropped: its message has only just begun", async () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, other, open } = setUp();
  const busy = open("busy", "client");
  open("idle", "client");
  for (let looks = 0; looks < 3; looks++) {
    busy.heardAt = hear();
    await memoryGuard.look();
  }
  other.bytes = 104 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["idle"]);
  other.bytes = 120 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["idle"]);
  other.bytes = 140 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["idle", "busy"]);
});

Deno.test("S3: half of a client's WebSockets are dropped at once if memory grows by 8 MiB between two looks", async () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, open } = setUp();
  const hogs = ["a", "b", "c", "d"].map((name) => open(name, "hog"));
  await lookOften(memoryGuard);
  for (const hog of hogs) hog.bytes = 16 * MIB;
  await memoryGuard.look();
  assert.deepEqual(dropped, ["d", "c"]);
});
