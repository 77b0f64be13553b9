// deno-lint-ignore-file no-console
/**
 * `deno task attack`: attacks on a gateway in a process of its own, with little memory, while innocent visitors use it;
 * with `--minutes`, a soak instead. Exits with 1 if a promise is broken, with 2 if the options are invalid. Linux only.
 */
import { runTask } from "../../support/options.ts";
import { describeMachine } from "../bench/machine.ts";
import { findChromium } from "../e2e/browser/programs.ts";
import { type Attack, MIB } from "./attack.ts";
import { ATTACKS, selectAttacks } from "./attacks.ts";
import { slowFlood } from "./attacks/slow_holders.ts";
import { save } from "./documents.ts";
import { createMemoryGroup } from "./memory_limit.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { MOST_OF_OTHERS } from "./outsiders.ts";
import { stepBack } from "../harness/priority.ts";
import { formatResult, HEAD, type Result, resultOf } from "./report.ts";
import { soak } from "./soak/soak.ts";
import { type Conditions, type Trial, tryAttack } from "./trial.ts";
import { brokenPromises } from "./verdict.ts";
import { type AttackWorld, startAttackWorld } from "./world.ts";

/** Most times that an attack is tried while something else takes part. */
const MOST_TRIES = 4;

async function attackAll(options: Options): Promise<number> {
  const { memoryMib, folder, short, front } = options;
  const limitBytes = memoryMib * MIB;
  await using world = await startAttackWorld();
  await announceLimit(memoryMib);
  console.log(HEAD);
  await stepBack();
  const results: Result[] = [];
  const hasBrowser = await findChromium() !== undefined;
  const chosen = options.slow === undefined
    ? selectAttacks(options)
    : options.slow.flatMap((flood) =>
      options.schemes.map((scheme) => [slowFlood(flood), scheme] as const)
    );
  for (const [attack, scheme] of chosen) {
    if (attack.needsBrowser && !hasBrowser) {
      console.log(`${attack.name} skipped: there is no Chromium`);
      continue;
    }
    const conditions = { scheme, folder, front, limitBytes, isShort: short };
    const trial = await tryUndisturbed(world, attack, conditions);
    const broken = brokenPromises(trial, {
      ...attack,
      limitBytes,
      isShort: short,
    });
    const result = resultOf(trial, { ...attack, broken });
    results.push(result);
    console.log(formatResult(result));
  }
  if (options.save) await save(await describeMachine(), results);
  const failed = results.filter(({ broken }) => broken.length > 0);
  console.log(
    `${results.length - failed.length} of ${results.length} attacks held off`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** Tries an attack, and anew if something else on the machine took part: whatever came of it, that says nothing. */
async function tryUndisturbed(
  world: AttackWorld,
  attack: Attack,
  conditions: Conditions,
): Promise<Trial> {
  for (let left = MOST_TRIES;; left--) {
    const trial = await tryAttack(world, attack, conditions);
    const { othersShare } = trial;
    const isAlone = othersShare <= MOST_OF_OTHERS;
    // A browser's processes are nobody's children.
    const counts = conditions.isShort || attack.needsBrowser || isAlone;
    if (counts || left === 1) return trial;
    const percent = (100 * othersShare).toFixed(0);
    console.log(
      `${attack.name} does not count: others took ${percent} % of the processors`,
    );
  }
}

async function announceLimit(memoryMib: number): Promise<void> {
  await using group = await createMemoryGroup(memoryMib * MIB);
  const how = group === undefined
    ? "resident memory is watched, as no cgroup may be created here"
    : "limited by a cgroup";
  console.log(`${memoryMib} MiB: ${how}`);
}

await runTask({
  usage: USAGE,
  parse: (args) => parseOptions(args, ATTACKS.map(({ name }) => name)),
  run: (options) =>
    options.minutes === undefined
      ? attackAll(options)
      : soak(options.minutes, options.folder),
});
