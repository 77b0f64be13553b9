import assert from "node:assert/strict";
import {
  mergeReports,
  type SandboxRow,
  type StatusReport,
} from "../../../../src/observability/status/report.ts";

function row(sandboxId: string, amounts: Partial<SandboxRow>): SandboxRow {
  return {
    sandboxId,
    requestsPerSec: 0,
    bytesPerSec: 0,
    tunnels: 0,
    ...amounts,
  };
}

const NOTHING: StatusReport = { sandboxes: [], limits: [], troubles: [] };

Deno.test("mergeReports() adds up what threads say of a sandbox, and keeps ten by each amount", () => {
  const many = Array.from(
    { length: 30 },
    (_, index) => row(`box-${index}`, { requestsPerSec: index + 1 }),
  );
  const { sandboxes } = mergeReports([
    { ...NOTHING, sandboxes: many },
    {
      ...NOTHING,
      sandboxes: [row("box-0", { requestsPerSec: 99, tunnels: 1 })],
    },
  ]);
  assert.deepEqual(
    sandboxes[0],
    row("box-0", { requestsPerSec: 100, tunnels: 1 }),
  );
  assert.equal(sandboxes.length, 10);
  assert.equal(sandboxes.at(-1)?.sandboxId, "box-21");
});

Deno.test("mergeReports() tells a limit of the thread that is nearest to it", () => {
  const name = "MAX_TUNNELS";
  const { limits } = mergeReports([
    { ...NOTHING, limits: [{ name, used: 10, limit: 100 }] },
    { ...NOTHING, limits: [{ name, used: 9, limit: 10 }] },
    { ...NOTHING, limits: [{ name, used: 0, limit: 0 }] },
  ]);
  assert.deepEqual(limits, [{ name, used: 9, limit: 10 }]);
});

Deno.test("mergeReports() puts the latest troubles of all threads first", () => {
  const level = "warning";
  const { troubles } = mergeReports([
    { ...NOTHING, troubles: [{ at: 1, level, message: "old", count: 1 }] },
    { ...NOTHING, troubles: [{ at: 2, level, message: "new", count: 1 }] },
  ]);
  assert.deepEqual(troubles.map(({ message }) => message), ["new", "old"]);
});

Deno.test("mergeReports() tells a trouble of several threads once, with the latest request", () => {
  const trouble = {
    at: 1,
    level: "info",
    message: "request failed",
    code: "port_closed",
    sandboxId: "box",
    count: 2,
    requestId: "early",
  } as const;
  const { troubles } = mergeReports([
    { ...NOTHING, troubles: [{ ...trouble, at: 5, requestId: "late" }] },
    { ...NOTHING, troubles: [trouble] },
    { ...NOTHING, troubles: [{ ...trouble, sandboxId: "other" }] },
  ]);
  assert.deepEqual(
    troubles.map((
      { sandboxId, count, requestId },
    ) => [sandboxId, count, requestId]),
    [["box", 4, "late"], ["other", 2, "early"]],
  );
});
