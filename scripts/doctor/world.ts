/** Everything that the checks need from outside, so that a test can replace it. */
import { openFilesLimit } from "./open_files.ts";

/** The dependencies of the checks. */
export interface World {
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  /** A signal that aborts one network operation once it has taken too long. */
  readonly deadline: () => AbortSignal;
  /** The IPv4 and IPv6 addresses of a name, following CNAMEs; empty if it does not exist. */
  readonly resolve: (
    name: string,
    signal: AbortSignal,
  ) => Promise<readonly string[]>;
  /** Reads a text file. */
  readonly readFile: (path: string) => Promise<string>;
  /** How many open files a process may have; undefined if that is not known. */
  readonly openFilesLimit: () => Promise<number | undefined>;
  /** Certificate authorities to trust, PEM; by default, the runtime's own. */
  readonly caCerts?: readonly string[];
}

/** The time that a network operation may take, ms. */
export const DEADLINE_MS = 5000;

/** The real clock, network and file system. */
export const realWorld: World = {
  now: Date.now,
  deadline: () => AbortSignal.timeout(DEADLINE_MS),
  resolve: (name, signal) => resolveName(name, { signal }),
  readFile: (path) => Deno.readTextFile(path),
  openFilesLimit,
};

/** Settles as `promise` does, unless `signal` is aborted first: then rejects with its reason. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  return Promise.race([promise, aborted])
    .finally(() => signal.removeEventListener("abort", abort));
}

/**
 * Looks up a name's addresses, sorted.
 *
 * @throws {Error} if no server answers.
 */
export async function resolveName(
  name: string,
  options: Deno.ResolveDnsOptions,
): Promise<string[]> {
  async function lookup(type: "A" | "AAAA"): Promise<string[]> {
    try {
      return await Deno.resolveDns(name, type, options);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }
  const [a, aaaa] = await Promise.all([lookup("A"), lookup("AAAA")]);
  return [...new Set([...a, ...aaaa])].sort();
}
