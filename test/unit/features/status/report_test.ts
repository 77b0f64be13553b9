import assert from "node:assert/strict";
import { sandboxRows } from "../../../../src/features/status/sandbox_usage.ts";

Deno.test("sandboxRows() has one row for each sandbox, whether it is known by its requests, its WebSockets or both", () => {
  const rows = sandboxRows(
    [
      { sandboxId: "both", requestsPerSec: 2, bytesPerSec: 30 },
      { sandboxId: "requests", requestsPerSec: 1, bytesPerSec: 0 },
    ],
    [
      { sandboxId: "sockets", tunnels: 5 },
      { sandboxId: "both", tunnels: 4 },
    ],
  );
  assert.deepEqual(rows, [
    { sandboxId: "both", requestsPerSec: 2, bytesPerSec: 30, tunnels: 4 },
    { sandboxId: "requests", requestsPerSec: 1, bytesPerSec: 0, tunnels: 0 },
    { sandboxId: "sockets", requestsPerSec: 0, bytesPerSec: 0, tunnels: 5 },
  ]);
});
