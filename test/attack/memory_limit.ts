/**
 * The memory that a gateway may take. Where this process may create a cgroup with a memory controller (cgroup v2), the
 * kernel kills a gateway that exceeds it. Elsewhere its resident memory is watched, and it is killed from here.
 */

/** A cgroup for one process. */
export interface MemoryGroup extends AsyncDisposable {
  /** Puts this before the command that is to run in the group. */
  readonly command: readonly string[];
  /** The most memory that was charged to the group, bytes. */
  peakBytes(): Promise<number>;
}

/** The folders in which a group of this process's may be created, by `/proc/self/cgroup` and `/proc/self/mounts`. */
export function candidateFolders(cgroup: string, mounts: string): string[] {
  const [, root] = /^\S+ (\S+) cgroup2 /m.exec(mounts) ?? [];
  const [, own] = /^0::(\S+)$/m.exec(cgroup) ?? [];
  if (root === undefined || own === undefined) return [];
  const folder = own === "/" ? root : `${root}${own}`;
  // A group with processes has no children with controllers, unless it is the kernel's root; but it may have siblings.
  return own === "/" ? [root] : [folder, folder.replace(/\/[^/]+$/, "")];
}

/** Creates a group that may take `limitBytes` and no swap; undefined if that is not permitted here. */
export async function createMemoryGroup(
  limitBytes: number,
  folders?: readonly string[],
): Promise<MemoryGroup | undefined> {
  for (const parent of folders ?? await ownFolders()) {
    const folder = `${parent}/porthole-attack-${Deno.pid}`;
    if (!await hasMemoryController(parent)) continue;
    try {
      await Deno.mkdir(folder);
    } catch {
      continue;
    }
    try {
      await Deno.writeTextFile(`${folder}/memory.max`, `${limitBytes}`);
      await Deno.writeTextFile(`${folder}/memory.swap.max`, "0").catch(() => {
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
          Number(await Deno.readTextFile(`${folder}/memory.peak`)),
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

async function hasMemoryController(folder: string): Promise<boolean> {
  try {
    const file = `${folder}/cgroup.subtree_control`;
    return /\bmemory\b/.test(await Deno.readTextFile(file));
  } catch {
    return false;
  }
}
