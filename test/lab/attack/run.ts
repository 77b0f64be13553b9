/**
 * `deno task attack`: attacks on a gateway in a process of its own, with little memory, while innocent visitors use it.
 * Exits with 1 if a promise is broken, with 2 if the options are invalid. Linux only.
 */
import { describeMachine } from "../bench/machine.ts";
import { findChromium } from "../e2e/browser/programs.ts";
import { runTask } from "../../support/options.ts";
import { ATTACKS, selectAttacks } from "./attacks.ts";
import { MIB } from "./attack.ts";
import { save } from "./documents.ts";
import { createMemoryGroup } from "./memory_limit.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { formatResult, HEAD, type Result, resultOf } from "./report.ts";
import { stepBack } from "./priority.ts";
import { tryAttack } from "./trial.ts";
import { brokenPromises } from "./verdict.ts";
import { startAttackWorld } from "./world.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

async function write(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

async function attackAll(options: Options): Promise<number> {
  const { memoryMib, folder = ROOT, json } = options;
  const limitBytes = memoryMib * MIB;
  await using world = await startAttackWorld();
  if (!json) {
    await using group = await createMemoryGroup(limitBytes);
    const how = group === undefined
      ? "resident memory is watched, as no cgroup may be created here"
      : "limited by a cgroup";
    await write(`${memoryMib} MiB: ${how}`);
    await write(HEAD);
  }
  await stepBack();
  const results: Result[] = [];
  const hasBrowser = await findChromium() !== undefined;
  for (const [attack, scheme] of selectAttacks(options)) {
    if (attack.needsBrowser && !hasBrowser) {
      if (!json) await write(`${attack.name} skipped: there is no Chromium`);
      continue;
    }
    const trial = await tryAttack(world, attack, {
      scheme,
      folder,
      limitBytes,
    });
    const broken = brokenPromises(trial, { ...attack, limitBytes });
    const result = resultOf(trial, { ...attack, broken });
    results.push(result);
    if (!json) await write(formatResult(result));
  }
  if (options.save) await save(await describeMachine(), results);
  const failed = results.filter(({ broken }) => broken.length > 0);
  if (json) await write(JSON.stringify(results));
  else {
    await write(
      `${results.length - failed.length} of ${results.length} attacks held off`,
    );
  }
  return failed.length === 0 ? 0 : 1;
}

await runTask({
  usage: USAGE,
  parse: (args) => parseOptions(args, ATTACKS.map(({ name }) => name)),
  run: attackAll,
});
