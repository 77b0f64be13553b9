import assert from "node:assert/strict";
import { VECTORED_WRITES } from "../../../src/platform/vectored_writes.ts";
import { runScript } from "../../support/run_script.ts";
import { stillNeeded } from "./canary.ts";

const MIB = 1024 * 1024;

/** By how many bytes a process grows that has sent messages of 16 MiB to eight clients, which took them. */
async function growth(env: Readonly<Record<string, string>>): Promise<number> {
  const { out, err } = await runScript(
    "test",
    "test/unit/platform/vectored_writes_script.ts",
    // Without this, the C library would keep what was freed.
    { args: [], env: { MALLOC_MMAP_THRESHOLD_: "131072", ...env } },
  );
  assert.equal(err, "");
  return Number(out);
}

Deno.test("canary: a WebSocket keeps a copy of its longest message, unless Deno writes header and message apart", async () => {
  const [apart, copied] = [
    await growth({ [VECTORED_WRITES]: "1" }),
    await growth({}),
  ];
  stillNeeded(copied - apart > 64 * MIB, {
    mended: "the memory of WebSockets that have sent a long message",
    remove: "src/platform/vectored_writes.ts",
  });
});
