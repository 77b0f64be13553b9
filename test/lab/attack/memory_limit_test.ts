import assert from "node:assert/strict";
import { candidateFolders, createMemoryGroup } from "./memory_limit.ts";

const MOUNTS = `proc /proc proc rw 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0
`;

Deno.test("a memory group belongs below or beside the suite's own", () => {
  assert.deepEqual(candidateFolders("0::/user.slice/a.scope\n", MOUNTS), [
    "/sys/fs/cgroup/user.slice/a.scope",
    "/sys/fs/cgroup/user.slice",
  ]);
  assert.deepEqual(candidateFolders("0::/\n", MOUNTS), ["/sys/fs/cgroup"]);
  assert.deepEqual(candidateFolders("4:memory:/a\n", MOUNTS), []);
  assert.deepEqual(candidateFolders("0::/a\n", "proc /proc proc rw 0 0\n"), []);
});

Deno.test("where memory is a controller of its own (cgroup v1), a memory group belongs below the suite's", () => {
  const mounts = `${MOUNTS}cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n`;
  const cgroup = "5:cpu:/b\n4:memory:/a\n0::/c\n";
  assert.deepEqual(candidateFolders(cgroup, mounts), [
    "/sys/fs/cgroup/memory/a",
  ]);
});

Deno.test("a memory group of cgroup v1 limits memory, and memory and swap together", async () => {
  await using parent = await fakeGroup("");
  await Deno.writeTextFile(`${parent.folder}/memory.limit_in_bytes`, "");

  const group = await createMemoryGroup(1000, [parent.folder]);

  const folder = `${parent.folder}/porthole-attack-${Deno.pid}`;
  const limits = await Promise.all(
    ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
      .map((name) => Deno.readTextFile(`${folder}/${name}`)),
  );
  assert.deepEqual(limits, ["1000", "1000"]);
  await Deno.writeTextFile(`${folder}/memory.max_usage_in_bytes`, "900\n");
  assert.equal(await group?.peakBytes(), 900);
});

/** A folder that looks like a group with these controllers for its children. */
async function fakeGroup(controllers: string) {
  await Deno.mkdir("data/test", { recursive: true });
  const folder = await Deno.makeTempDir({ dir: "data/test" });
  await Deno.writeTextFile(`${folder}/cgroup.subtree_control`, controllers);
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("a memory group limits memory and swap, and the command of the gateway enters it first", async () => {
  await using without = await fakeGroup("cpu pids\n");
  await using parent = await fakeGroup("cpu memory\n");

  const group = await createMemoryGroup(1000, [without.folder, parent.folder]);

  const folder = `${parent.folder}/porthole-attack-${Deno.pid}`;
  assert.equal(await Deno.readTextFile(`${folder}/memory.max`), "1000");
  assert.equal(await Deno.readTextFile(`${folder}/memory.swap.max`), "0");
  assert.deepEqual(group?.command, [
    "sh",
    "-c",
    'echo $$ > "$0" && exec "$@"',
    `${folder}/cgroup.procs`,
  ]);
});

Deno.test("no memory group is created where the kernel limits none", async () => {
  await using without = await fakeGroup("cpu pids\n");
  assert.equal(
    await createMemoryGroup(1000, [without.folder, "data/test/absent"]),
    undefined,
  );
  assert.deepEqual(
    (await Array.fromAsync(Deno.readDir(without.folder))).map(({ name }) =>
      name
    ),
    ["cgroup.subtree_control"],
  );
});
