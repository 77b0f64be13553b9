/** Sources of the gateway under the same load: several processes of each, in turns as short as most disturbances. */
import { gateway } from "./contestants.ts";
import { metered, type Reading } from "./drive.ts";
import type { Processes } from "./paired.ts";
import type { Scenario } from "./scenario.ts";
import type { Server } from "./server.ts";
import type { CheckedOut } from "./sources.ts";
import type { World } from "./world.ts";

/** A source of the gateway, and its settings. */
export interface Source {
  readonly name: string;
  /** Where it is, if not here. */
  readonly folder?: URL;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What is done to the processes. */
export interface Load {
  start(source: Source): Promise<Server>;
  /** V8 keeps compiling for a while; it is called twice. */
  warmUp(server: Server): Promise<unknown>;
  round(server: Server): Promise<Reading>;
}

/** How much of everything there is. */
export interface Pace {
  /** Of each source; the n-th ones of all sources run side by side. */
  readonly processes: number;
  /** Each of two times. */
  readonly warmUpSec: number;
  /** Of each process. */
  readonly rounds: number;
  readonly roundSec: number;
}

/** Less than two minutes for a source, its base and the base again. */
export const THOROUGH: Pace = {
  processes: 3,
  warmUpSec: 3,
  rounds: 6,
  roundSec: 1,
};

/** The same for `--alone`, whose rounds have their own length. */
export const ALONE = { processes: 3, rounds: 40 };

/** Some 35 s, for a first impression. */
export const BRIEF: Pace = {
  processes: 2,
  warmUpSec: 2,
  rounds: 2,
  roundSec: 1,
};

/**
 * The load of a scenario, as users have it: by processes beside the gateway.
 *
 * @throws {Error} if the scenario is not one of load on a gateway
 */
export function scenarioLoad(
  world: World,
  { drive, variant }: Pick<Scenario, "drive" | "variant">,
  { warmUpSec, roundSec }: Pace,
): Load {
  if (drive === undefined) throw new Error("it is not a load on one gateway");
  const driven = (server: Server, seconds: number) =>
    drive(server, seconds, world);
  return {
    async start({ folder, environment }) {
      const own = { ...variant?.environment, ...environment };
      const contestant = gateway({
        ...variant,
        environment: own,
        ...folder && { folder },
      });
      return world.keep(await contestant.start(world));
    },
    warmUp: (server) => driven(server, warmUpSec),
    round: (server) => metered(server, roundSec, driven),
  };
}

/** How scenarios are measured at several sources. */
export interface Comparing {
  readonly scenarios: readonly Scenario[];
  readonly loadOf: (scenario: Scenario) => Load;
  readonly pace: Pick<Pace, "processes" | "rounds">;
  /** See {@linkcode checkOut}. */
  readonly checkOut: (commit: string) => Promise<CheckedOut>;
  /** Called with the lines about each scenario. */
  readonly onLines: (lines: string) => Promise<void>;
}

/**
 * Measures each source: warms up one process of each, then has their rounds in turn, forth and back, so that none always
 * follows the same one; and does the same with the next processes, beginning with another source: who was warmed up first
 * has been idle for longest, and was a tenth slower. Therefore each also has half of its warm-up after all are running.
 *
 * @returns the processes of each source
 * @throws {Error} if a process does not start, or fails under the load
 */
export async function measureSources(
  load: Load,
  sources: readonly Source[],
  { processes, rounds }: Pick<Pace, "processes" | "rounds">,
): Promise<Processes[]> {
  const measured: Reading[][][] = sources.map(() => []);
  for (let process = 0; process < processes; process++) {
    await using started = new AsyncDisposableStack();
    const turns: (() => Promise<void>)[] = [];
    const warmUps: (() => Promise<unknown>)[] = [];
    const first = Math.floor(process * sources.length / processes);
    for (const [at, source] of rotated([...sources.entries()], first)) {
      const server = started.use(await load.start(source));
      const warmUp = () => named(source, load.warmUp(server));
      await warmUp();
      warmUps.push(warmUp);
      const readings: Reading[] = [];
      measured[at]?.push(readings);
      turns.push(async () => {
        readings.push(await named(source, load.round(server)));
      });
    }
    for (const warmUp of warmUps) await warmUp();
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? turns : turns.toReversed();
      for (const turn of order) await turn();
    }
  }
  return measured;
}

/** The same list, beginning with its n-th element. */
function rotated<T>(list: readonly T[], n: number): T[] {
  return [...list.slice(n), ...list.slice(0, n)];
}

/** Adds whose failure it is. */
async function named<T>({ name }: Source, done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : `${cause}`;
    throw new Error(`${name}: ${reason}`, { cause });
  }
}
