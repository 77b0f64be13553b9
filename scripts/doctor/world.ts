/** Everything that the checks need from outside, so that a test can put another world in its place. */

/** Where the checks look. */
export interface World {
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  /** Ends one network operation that takes too long. */
  readonly deadline: () => AbortSignal;
  /** The IPv4 and IPv6 addresses of a name, following CNAMEs; none where it does not exist. */
  readonly resolve: (
    name: string,
    signal: AbortSignal,
  ) => Promise<readonly string[]>;
  /** The text of a file. */
  readonly readFile: (path: string) => Promise<string>;
  /** Certificate authorities to trust, PEM; the runtime's own unless given. */
  readonly caCerts?: readonly string[];
}

/** How long one network operation may take, ms. */
export const DEADLINE_MS = 5000;

/** The world that the process is in. */
export const realWorld: World = {
  now: Date.now,
  deadline: () => AbortSignal.timeout(DEADLINE_MS),
  resolve: (name, signal) => resolveName(name, { signal }),
  readFile: (path) => Deno.readTextFile(path),
};

/**
 * Asks the domain name system for a name's addresses, sorted.
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
