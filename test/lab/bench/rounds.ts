/** Rounds of sustained load, in which contestants and their processes take turns. */
import { type Drive, metered, type Reading } from "./drive.ts";
import { interleave, type Row } from "./scenario.ts";
import type { Server } from "./server.ts";
import type { Contestant, World } from "./world.ts";

/**
 * The processes of each contestant: two of the same differ by up to 10 % for minutes, by what V8 has compiled and where
 * its memory is.
 */
const PROCESSES = 3;
const ROUNDS = 2;
/** Of a second, opening the connections would be too large a part. */
const ROUND_SEC = 2;
/**
 * Load before each round that does not count, s: once it has been idle for the rounds of the others, V8 collects the
 * garbage of a whole gateway twice, and p99 of these two seconds is 8 ms instead of 4. A rough answer,
 * which would take twice as long, goes without.
 */
const SETTLE_SEC = 2;

/** A row of a comparison: a contestant under a load of its own. */
export interface Entrant {
  readonly name: string;
  readonly contestant: Contestant;
  readonly drive: Drive;
}

/** Contestants under the same load. */
export function underSame(
  drive: Drive,
  contestants: readonly Contestant[],
): Entrant[] {
  return contestants.map((contestant) => ({
    name: contestant.name,
    contestant,
    drive,
  }));
}

/**
 * Warms up a process of every entrant and measures their rounds in turn, and does the same with the next processes.
 *
 * @param rounds of each process
 */
export async function measureRounds(
  world: Pick<World, "isQuick" | "warm">,
  entrants: readonly Entrant[],
  rounds: number = ROUNDS,
): Promise<Row[]> {
  const rows = entrants.map(({ name }) => ({
    contestant: name,
    rounds: [] as Reading[],
  }));
  for (let index = 0; index < (world.isQuick ? 1 : PROCESSES); index++) {
    const ready: (Entrant & { readonly server: Server })[] = [];
    for (const entrant of entrants) {
      const { contestant, drive } = entrant;
      const server = await world.warm(contestant, drive, index);
      ready.push({ ...entrant, server });
    }
    const measured = await interleave(
      ready,
      rounds,
      async ({ server, drive }) => {
        if (!world.isQuick) await drive(server, SETTLE_SEC);
        return await metered(server, ROUND_SEC, drive);
      },
    );
    for (const [at, { rounds }] of measured.entries()) {
      rows[at]?.rounds.push(...rounds);
    }
  }
  return rows;
}
