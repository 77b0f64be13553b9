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

interface Held {
  readonly client: string;
  bytes: number;
  heardAt: number;
}

/** A process that may hide 100 MiB, and take 200, and whose tunnels hide what the test says until they are dropped. */
function setUp() {
  const dropped: string[] = [];
  const held = new Map<string, Held>();
  const other = { bytes: 50 * MIB };
  let reports = 0;
  const nativeBytes = () =>
    [...held.values()].reduce((sum, { bytes }) => sum + bytes, other.bytes);
  const memoryGuard = new MemoryGuard({
    overBytes: () => nativeBytes() - 100 * MIB,
    spareBytes: () => 200 * MIB - nativeBytes(),
    isFull: () => nativeBytes() > 220 * MIB,
    onDropped: () => reports++,
    background,
  });
  return {
    memoryGuard,
    dropped,
    held,
    /** What else it hides, bytes. */
    other,
    nativeBytes,
    reports: () => reports,
    open(name: string, client: string, isUpload = false): Held {
      const own: Held = { client, bytes: 0, heardAt: 0 };
      held.set(name, own);
      const watched: Watched = {
        client,
        isUpload,
        get heardAt() {
          return own.heardAt;
        },
        drop() {
          dropped.push(name);
          held.delete(name);
        },
      };
      memoryGuard.watch(watched);
      return own;
    },
    /** Grows by so much, and looks. */
    grow(mib: number): void {
      other.bytes += mib * MIB;
      memoryGuard.look();
    },
  };
}

function namesOf(client: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${client}${i + 1}`);
}

Deno.test("S3: a process that does not grow beyond what is expected drops nothing", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  open("a", "client");
  grow(0);
  grow(50);
  assert.deepEqual(dropped, []);
});

Deno.test("S3: as large a part of a client's many is dropped as of the spare memory is used up", () => {
  using _ = fakeClock();
  const { dropped, open, grow, reports } = setUp();
  for (const name of namesOf("a", 104)) open(name, "client");
  grow(50);
  grow(40); // 40 of 100 MiB, and 40 more at the next look
  const share = 40 / 60;
  const first = Math.ceil(100 * share) + Math.floor(4 * share ** 2);
  assert.equal(dropped.length, first);
  assert.equal(reports(), first);
  grow(0);
  assert.equal(dropped.length, first, "only growth costs more of them");
});

Deno.test("the only ones of their clients are spared until there is little left", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  for (const name of namesOf("a", 100)) open(name, name);
  grow(50);
  grow(6); // 6 of 100 MiB, and 6 more at the next look
  assert.equal(dropped.length, 0);
  grow(44); // 50 of 100, and 44 more
  assert.equal(dropped.length, Math.floor(100 * (50 / 56) ** 2));
  const { length } = dropped;
  grow(3);
  assert.equal(dropped.length, length, "only growth costs more of them");
  grow(1); // 54 of 100, and 1 more
  const left = 100 - length;
  assert.equal(
    dropped.length,
    length + Math.floor(left * (54 / 99) ** 2),
  );
});

Deno.test("S10: growth costs all uploads, and of the only WebSockets of their clients a part", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  for (const name of namesOf("upload ", 20)) open(name, name, true);
  for (const name of namesOf("tunnel ", 20)) open(name, name);
  grow(50);
  assert.equal(dropped.length, 0);
  grow(20); // 20 of 100 MiB, and 20 more at the next look
  const uploads = dropped.filter((name) => name.startsWith("upload"));
  assert.equal(uploads.length, 20);
  assert.equal(dropped.length, 20 + Math.floor(20 * (20 / 80) ** 2));
});

Deno.test("S16: of what is not among the first few of its client, a quarter is dropped at least", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  for (const name of namesOf("a", 84)) open(name, "many");
  for (const name of namesOf("b", 20)) open(name, name);
  grow(45);
  grow(6);
  assert.equal(dropped.length, 20);
  assert.ok(dropped.every((name) => name.startsWith("a")));
});

Deno.test("S3: without spare memory, or if it grows too fast for any, everything silent is dropped", () => {
  using _ = fakeClock();
  for (const steps of [[50, 5, 95], [101]]) {
    const { dropped, open, grow } = setUp();
    for (const name of namesOf("a", 20)) open(name, "client");
    grow(0);
    steps.forEach(grow);
    assert.equal(dropped.length, 20);
  }
});

Deno.test("S3: who has most loses one first, whichever that is", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  open("innocent", "innocent");
  for (const name of namesOf("a", 3)) open(name, "a");
  for (const name of namesOf("b", 5)) open(name, "b");
  open("late innocent", "late innocent");
  grow(50);
  grow(43); // 43 of 100 MiB, and 43 more at the next look
  const clients = dropped.map(([client]) => client);
  assert.deepEqual(clients.slice(0, 2), ["b", "b"]);
  assert.deepEqual(clients.slice(2).sort(), ["a", "a", "b", "b"]);
});

Deno.test("of clients that have as many, the one that came last loses first", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  for (const name of ["early", "between", "late"]) open(name, name);
  grow(50);
  grow(45);
  assert.deepEqual(dropped, ["late", "between"]);
});

Deno.test("S3: growth costs as much as before although what is dropped frees nothing", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  for (const name of namesOf("a", 50)) open(name, "client");
  grow(50);
  for (let steps = 1; steps <= 10; steps++) {
    const before = dropped.length;
    grow(4);
    assert.ok(dropped.length > before, `${steps} steps`);
  }
});

Deno.test("S16: 300 slow holders of 15 clients fill no memory, and cost nobody else anything", () => {
  using _ = fakeClock();
  for (const perLook of [1 / 2, 1, 2]) {
    const { memoryGuard, dropped, held, open, nativeBytes } = setUp();
    open("quiet", "innocent");
    const lively = open("lively", "15"); // at an attacker's address
    for (let i = 0; i < 300; i++) open(`hog ${i}`, `${i % 15}`);
    let most = 0;
    for (let look = 0; look < 400; look++) {
      if (look % 40 === 0) lively.heardAt = hear();
      const hogs = [...held].filter(([name]) => name.startsWith("hog"));
      for (const [, hog] of hogs) hog.bytes += perLook * MIB / hogs.length;
      memoryGuard.look();
      for (const name of dropped.splice(0)) {
        assert.ok(name.startsWith("hog"), name);
        open(`${name}'`, `${name.length % 15}`); // it comes back
      }
      most = Math.max(most, nativeBytes());
    }
    assert.ok(most < 150 * MIB, `${perLook}: ${Math.round(most / MIB)} MiB`);
  }
});

Deno.test("a WebSocket heard within the last second is not dropped, or while memory is full within three looks", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  const busy = open("busy", "client");
  open("idle", "client");
  grow(46);
  for (let looks = 0; looks < 60; looks++) grow(0);
  busy.heardAt = hear();
  for (let looks = 0; looks < 49; looks++) grow(0);
  grow(80);
  assert.deepEqual(dropped, ["idle"]);
  busy.heardAt = hear();
  grow(10);
  grow(20);
  assert.deepEqual(dropped, ["idle"]);
  grow(0);
  grow(20);
  assert.deepEqual(dropped, ["idle", "busy"]);
});

Deno.test("while all are heard, each look tries again", () => {
  using _ = fakeClock();
  const { dropped, open, grow } = setUp();
  const busy = open("busy", "client");
  grow(50);
  busy.heardAt = hear();
  grow(100);
  assert.deepEqual(dropped, []);
  for (let looks = 0; looks < 50; looks++) grow(0);
  assert.deepEqual(dropped, ["busy"]);
});

Deno.test("for ten seconds after a drop, clients with a few open no others", () => {
  using _ = fakeClock();
  const { memoryGuard, dropped, open, grow } = setUp();
  for (const name of namesOf("a", 12)) open(name, name);
  assert.equal(memoryGuard.mostPerClient, Infinity);
  grow(50);
  grow(45);
  assert.ok(dropped.length > 0);
  assert.equal(memoryGuard.mostPerClient, 4);
  for (let looks = 0; looks < 499; looks++) grow(0);
  assert.equal(memoryGuard.mostPerClient, 4);
  grow(0);
  assert.equal(memoryGuard.mostPerClient, Infinity);
});

Deno.test("a look touches no WebSocket while there is enough memory", () => {
  using _ = fakeClock();
  const { memoryGuard, grow } = setUp();
  let touched = 0;
  const stop = memoryGuard.watch({
    client: "client",
    isUpload: false,
    get heardAt() {
      touched++;
      return 0;
    },
    drop() {},
  });
  grow(40);
  grow(0);
  assert.equal(touched, 0);
  grow(20);
  assert.ok(touched > 0);
  stop();
});

Deno.test("memory is looked at as long as there is something to watch", async () => {
  using clock = fakeClock();
  let looks = 0;
  const memoryGuard = new MemoryGuard({
    overBytes: () => ++looks - 100,
    spareBytes: () => 100,
    isFull: () => false,
    onDropped() {},
    background,
  });
  clock.pass(1_000);
  assert.equal(looks, 0);
  const stop = memoryGuard.watch({
    client: "c",
    isUpload: false,
    heardAt: 0,
    drop() {},
  });
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
    overBytes: () => 10 * MIB * ++grown,
    spareBytes: () => 0,
    isFull: () => false,
    onDropped() {},
    background: looks,
  });
  const watch = (drop: () => void) =>
    memoryGuard.watch({ client: "c", isUpload: false, heardAt: 0, drop });
  const stops = [
    watch(() => void dropped.push("a")),
    watch(() => {
      throw failure;
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
