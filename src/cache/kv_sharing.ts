import { openKv } from "./kv.ts";
import type { KvDatabase } from "./kv_database.ts";

interface Shared {
  readonly opening: Promise<KvDatabase>;
  users: number;
}

/** By path. */
const databases = new Map<string | undefined, Shared>();

/**
 * As {@linkcode openKv}, for a file that this process opens once: of two connections that write to it at the same time,
 * one is told that the database is locked. It is closed by the last of its users.
 */
export async function openSharedKv(path?: string): Promise<KvDatabase> {
  if (path === ":memory:") return await openKv(path);
  const shared = databases.get(path) ?? { opening: openKv(path), users: 0 };
  databases.set(path, shared);
  shared.users++;
  let isClosed = false;
  function leave(): boolean {
    if (isClosed) return false;
    isClosed = true;
    if (--shared.users > 0) return false;
    databases.delete(path);
    return true;
  }
  try {
    const kv = await shared.opening;
    return {
      get: (key) => kv.get(key),
      getMany: (keys) => kv.getMany(keys),
      atomic: () => kv.atomic(),
      watch: (keys) => kv.watch(keys),
      close: () => leave() && kv.close(),
    };
  } catch (error) {
    leave();
    throw error;
  }
}
