/**
 * The memory that a gateway may take. Where this process may create a cgroup with a memory controller, the kernel kills a
 * gateway that exceeds it. Elsewhere its resident memory is watched, and it is killed from here.
 */

/** A cgroup for one process. */
export interface MemoryGroup extends AsyncDisposable {
  /** Puts this before the command that is to run in the group. */
  readonly command: readonly string[];
  /** The most memory that was charged to the group, bytes. */
  peakBytes(): Promise<number>;
}

/** The files of a group, by the version of cgroups. */
interface GroupFiles {
  readonly limit: string;
  /** Limits swap: in version 1 together with memory. */
  readonly swap: string;
  readonly swapBytes: (limitBytes: number) => number;
  readonly peak: string;
}

const V1: GroupFiles = {
  limit: "memory.limit_in_bytes",
  swap: "memory.memsw.limit_in_bytes",
  swapBytes: (limitBytes) => limitBytes,
  peak: "memory.max_usage_in_bytes",
};

const V2: GroupFiles = {
  limit: "memory.max",
  swap: "memory.swap.max",
  swapBytes: () => 0,
  peak: "memory.peak",
};

/** The folders in which a group of this process's may be created, by `/proc/self/cgroup` and `/proc/self/mounts`. */
export function candidateFolders(cgroup: string, mounts: string): string[] {
  const [, v1] = /^\S+ (\S+) cgroup \S*\bmemory\b/m.exec(mounts) ?? [];
  const [, ownV1] = /^\d+:memory:(\S+)$/m.exec(cgroup) ?? [];
  if (v1 !== undefined && ownV1 !== undefined) return [join(v1, ownV1)];
  const [, root] = /^\S+ (\S+) cgroup2 /m.exec(mounts) ?? [];
  const [, own] = /^0::(\S+)$/m.exec(cgroup) ?? [];
  if (root === undefined || own === undefined) return [];
  const folder = join(root, own);
  // A group with processes has no children with controllers, unless it is the kernel's root; but it may have siblings.
  return own === "/" ? [root] : [folder, folder.replace(/\/[^/]+$/, "")];
}

function join(root: string, own: string): string {
  return own === "/" ? root : `${root}${own}`;
}

/** Creates a group that may take `limitBytes` and no swap; undefined if that is not permitted here. */
export async function createMemoryGroup(
  limitBytes: number,
  folders?: readonly string[],
): Promise<MemoryGroup | undefined> {
  for (const parent of folders ?? await ownFolders()) {
    const folder = `${parent}/porthole-attack-${Deno.pid}`;
    const files = await filesOfGroups(parent);
    if (files === undefined) continue;
    try {
      await Deno.mkdir(folder);
    } catch {
      continue;
    }
    try {
      await Deno.writeTextFile(`${folder}/${files.limit}`, `${limitBytes}`);
      const swap = `${files.swapBytes(limitBytes)}`;
      await Deno.writeTextFile(`${folder}/${files.swap}`, swap).catch(() => {
        // There is no swap to limit.
      });
      return {
        command: [
          "sh",
          "-c",
          'echo $$ > "$0" && exec "$@"',
          `${folder}/cgroup.procs`,
        ],
        peakBytes: async () =>
          Number(await Deno.readTextFile(`${folder}/${files.peak}`)),
        [Symbol.asyncDispose]: () => Deno.remove(folder),
      };
    } catch {
      await Deno.remove(folder).catch(() => {});
    }
  }
  return undefined;
}

async function ownFolders(): Promise<string[]> {
  try {
    return candidateFolders(
      await Deno.readTextFile("/proc/self/cgroup"),
      await Deno.readTextFile("/proc/self/mounts"),
    );
  } catch {
    return [];
  }
}

/** The files of the groups below this one; undefined if nothing limits their memory. */
async function filesOfGroups(parent: string): Promise<GroupFiles | undefined> {
  try {
    await Deno.stat(`${parent}/${V1.limit}`);
    return V1;
  } catch {
    // It is one of version 2, if any.
  }
  try {
    const file = `${parent}/cgroup.subtree_control`;
    return /\bmemory\b/.test(await Deno.readTextFile(file)) ? V2 : undefined;
  } catch {
    return undefined;
  }
}
