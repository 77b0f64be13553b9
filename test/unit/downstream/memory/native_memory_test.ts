import assert from "node:assert/strict";
import {
  bytesBeyond,
  createNativeBytes,
  expectedBytes,
} from "../../../../src/downstream/memory/native_memory.ts";

const MIB = 1024 * 1024;
const NOTHING = { exchanges: 0, tunnels: 0, tlsConnections: 0 };

Deno.test("what JavaScript has let go of does not count as hidden until it is used again, or the process shrinks", () => {
  const usage = { rss: 100, heapTotal: 20, external: 5, heapUsed: 0 };
  const nativeBytes = createNativeBytes(() => usage);
  assert.equal(nativeBytes(), 75);
  Object.assign(usage, { rss: 140, external: 45 });
  assert.equal(nativeBytes(), 75);
  usage.external = 5;
  assert.equal(nativeBytes(), 75, "the C library keeps it");
  usage.rss = 160;
  assert.equal(nativeBytes(), 95, "something else grows");
  usage.rss = 130;
  assert.equal(nativeBytes(), 95, "the process shrinks by some of it");
  usage.rss = 100;
  assert.equal(nativeBytes(), 75);
});

Deno.test("a collection of V8's heap does not count as hidden, neither before the process shrinks by it nor after", () => {
  const usage = { rss: 300, heapTotal: 150, external: 50, heapUsed: 0 };
  const nativeBytes = createNativeBytes(() => usage);
  assert.equal(nativeBytes(), 100);
  usage.heapTotal = 60;
  assert.equal(nativeBytes(), 100, "V8 keeps the pages for a moment");
  usage.rss = 210;
  assert.equal(nativeBytes(), 100, "the system has them again");
  Object.assign(usage, { rss: 200, external: 40 });
  assert.equal(nativeBytes(), 100);
  usage.rss = 230;
  assert.equal(nativeBytes(), 130, "something else grows");
});

Deno.test("so much may be hidden as the budget tells, or a quarter of the memory that there is, if that is more, and half of it at most", () => {
  for (
    const [budgetMiB, limitMiB, mostMiB] of [
      [16, 256, 60 + 64],
      [64, 512, 256],
      [64, undefined, 60 + 256],
      [64, 2048, 512],
      [64, 24 * 1024, 6 * 1024],
      [256, 2048, 1024],
    ] as const
  ) {
    const facts = {
      startBytes: 60 * MIB,
      bufferBudgetBytes: budgetMiB * MIB,
      limitBytes: limitMiB && limitMiB * MIB,
    };
    assert.equal(expectedBytes(NOTHING, facts), mostMiB * MIB);
  }
});

Deno.test("a process takes too much, hidden or not, beyond a share of its memory, or of 512 MiB if that is not known", () => {
  const beyond = [[200, 256], [180, 256], [180, undefined]].map((
    [rssMiB = 0, limitMiB],
  ) => bytesBeyond(3 / 4, limitMiB && limitMiB * MIB, { rss: rssMiB * MIB }));
  assert.deepEqual(beyond, [8 * MIB, -12 * MIB, -204 * MIB]);
});

Deno.test("what is open may hide more", () => {
  const facts = {
    startBytes: 0,
    bufferBudgetBytes: 64 * MIB,
    limitBytes: undefined,
  };
  const open = { exchanges: 4, tunnels: 16, tlsConnections: 0 };
  const bytes = expectedBytes(open, facts);
  assert.equal(bytes - expectedBytes(NOTHING, facts), 2 * MIB);
  assert(expectedBytes({ ...open, tlsConnections: 20 }, facts) > bytes);
});
