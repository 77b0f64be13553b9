/**
 * `deno task bench --against COMMIT`: one load on the gateway of another commit and on this one, in turns of a second. Two
 * runs of one commit differ by more than most changes do; in turns as short, a disturbance of the machine affects both.
 */
import { gateway } from "./contestants.ts";
import { CPU, metered, type Reading } from "./drive.ts";
import type { Scenario } from "./scenario.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** What a change is measured by, unless scenarios are named. */
export const COMPARED: readonly string[] = [
  "public",
  "private",
  "echo-128",
  "echo-64k",
  "body-64k",
  "upload-64k",
];

const PAIRS = 20;
const TURN_SEC = 1;
/** V8 keeps compiling for a while. */
const WARM_UP_SEC = 4;

/** The ratio of one quantity, this commit to the other: the median of all pairs, and the quartiles. */
export interface PairedRatio {
  readonly quantity: string;
  readonly median: number;
  readonly quartiles: readonly [low: number, high: number];
}

/** The ratios of all quantities that both were measured by in each pair. */
export function pairedRatios(
  pairs: readonly (readonly [other: Reading, this_: Reading])[],
): PairedRatio[] {
  const quantities = Object.keys(pairs[0]?.[0] ?? {});
  return quantities.flatMap((quantity) => {
    const ratios = pairs.map(([other, own]) =>
      (own[quantity] ?? NaN) / (other[quantity] ?? NaN)
    ).toSorted((a, b) => a - b);
    if (ratios.some(Number.isNaN)) return [];
    const at = (part: number) => ratios[Math.floor(part * ratios.length)] ?? 0;
    return [{ quantity, median: at(0.5), quartiles: [at(0.25), at(0.75)] }];
  });
}

/** The source of a commit in a folder of its own, until it is disposed of. */
async function checkOut(
  commit: string,
): Promise<AsyncDisposable & { readonly folder: URL }> {
  const path = await Deno.makeTempDir({ prefix: "porthole-against-" });
  await git("worktree", "add", "--detach", "--force", path, commit);
  return {
    folder: new URL(`file://${path}/`),
    [Symbol.asyncDispose]: () => git("worktree", "remove", "--force", path),
  };
}

/** @throws {Error} with what git says */
async function git(...args: readonly string[]): Promise<void> {
  const command = new Deno.Command("git", { args: [...args] });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Measures scenarios at both, and calls back with a line about each. */
export async function compareWith(
  commit: string,
  { world, scenarios, onLine }: {
    readonly world: World;
    readonly scenarios: readonly Scenario[];
    readonly onLine: (line: string) => Promise<void>;
  },
): Promise<void> {
  await using source = await checkOut(commit);
  const { folder } = source;
  for (const { name, drive, variant } of scenarios) {
    if (drive === undefined) throw new Error(`Cannot compare '${name}'`);
    await using other = await gateway({ ...variant, folder }).start(world);
    await using own = await gateway(variant).start(world);
    const turn = (server: Server, seconds: number) =>
      metered(server, seconds, (...args) => drive(...args, world));
    for (const server of [other, own, other, own]) {
      await turn(server, WARM_UP_SEC);
    }
    const pairs: (readonly [Reading, Reading])[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const isOtherFirst = pair % 2 === 0;
      const first = await turn(isOtherFirst ? other : own, TURN_SEC);
      const second = await turn(isOtherFirst ? own : other, TURN_SEC);
      pairs.push(isOtherFirst ? [first, second] : [second, first]);
    }
    await onLine(`${name}: ${formatRatios(pairedRatios(pairs))}`);
  }
}

/** Without how busy the processes were, and p99 of one second. */
function formatRatios(ratios: readonly PairedRatio[]): string {
  return ratios.filter(({ quantity }) =>
    quantity === CPU || quantity.endsWith("/s")
  ).map(({ quantity, median, quartiles }) =>
    `${quantity} ${median.toFixed(3)} (${
      quartiles.map((value) => value.toFixed(3)).join(" to ")
    })`
  ).join(", ");
}
