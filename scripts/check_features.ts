// deno-lint-ignore-file no-console
/**
 * Shows that each feature can be deleted: copies the tree without its folder and its tests, regenerates what is made from
 * the rest, and checks the rest: its types (`--types`), whether a word of the feature is left in it (`--traces`, which
 * prints each with its line), and its tests, of which `--unit` are those of the rooms that know facts of features. Unless one of these is given, all of that is checked. `--only NAME` is for one feature, `--bare` for
 * all of them at once, `--some` for three, by the hash of the commit, so that all come in turn.
 * Left out are the laboratories, whose programs are for all features, and tests of documents and deployment files, which
 * name the settings of all.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { tracesIn, wordsOf } from "./feature_traces.ts";

const ROOT = new URL("../", import.meta.url);

/** What is checked and run of the tests. */
const TESTS = ["test/unit", "test/service", "test/conformance", "test/faults"];

/** The rooms of unit tests that a feature's facts can reach. */
const UNITS = [
  "address",
  "auth",
  "config",
  "control",
  "features",
  "gateway",
  "observability",
  "pages",
  "proxy",
  "records",
  "resolver",
  "server",
].map((room) => `test/unit/${room}`);

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    some: { type: "boolean" },
    bare: { type: "boolean" },
    types: { type: "boolean" },
    traces: { type: "boolean" },
    unit: { type: "boolean" },
  },
});
const { types, traces, unit } = options;
const isAll = !types && !traces && !unit;

const all = [...Deno.readDirSync(new URL("src/features/", ROOT))]
  .map(({ name }) => name).sort();
const features = options.some
  ? await someOf(all)
  : all.filter((name) => options.only === undefined || name === options.only);
if (features.length === 0) throw new Error(`No feature '${options.only}'`);

/** What git prints. */
async function git(...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command("git", { args, cwd: ROOT })
    .output();
  return new TextDecoder().decode(stdout);
}

/** Three names, which follow each other, by the hash of the commit. */
async function someOf(names: readonly string[]): Promise<string[]> {
  const hash = parseInt((await git("rev-parse", "HEAD")).slice(0, 8), 16);
  const groups = Math.ceil(names.length / 3);
  const first = hash % groups * 3;
  return names.slice(first, first + 3);
}

/** Runs Deno in a folder; resolves to whether that went well. */
async function deno(folder: URL, ...args: string[]): Promise<boolean> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return true;
  const text = [stdout, stderr].map((each) => new TextDecoder().decode(each));
  // Of a run of tests, the end says what failed.
  console.log(text.join("\n").slice(-20_000));
  return false;
}

/** Copies what Git tracks or would track, without some features. */
async function copyWithout(
  names: readonly string[],
  target: URL,
): Promise<void> {
  const paths = await git(
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
  );
  const any = names.join("|");
  const own = new RegExp(
    `^(?:(?:src|test/unit|test/service)/features/(?:${any})/|docs/features/(?:${any})\\.md)`,
  );
  for (const path of paths.split("\0")) {
    if (path === "" || own.test(path)) continue;
    const [from, to] = [new URL(path, ROOT), new URL(path, target)];
    await Deno.mkdir(new URL("./", to), { recursive: true });
    // One that is deleted and not yet committed is no file any more.
    await Deno.copyFile(from, to).catch(() => {});
  }
}

async function check(names: readonly string[]): Promise<boolean> {
  // Short: in it, a test has the path of a socket, of which there may be 107 bytes.
  const folder = names.length === 1 ? names[0] : "bare";
  const target = new URL(`data/features/${folder}/`, ROOT);
  await Deno.remove(target, { recursive: true }).catch(() => {});
  await copyWithout(names, target);
  try {
    if (!await deno(target, "run", "--quiet", "-P=scripts", GENERATE)) {
      return false;
    }
    if ((isAll || traces) && !await isTraceless(target, names)) return false;
    const tests = isAll ? TESTS : unit ? UNITS.filter(isIn(target)) : [];
    const steps = [
      ...isAll || types
        ? [["check", "--quiet", "src", "scripts", ...TESTS, "test/support"]]
        : [],
      ...tests.length > 0
        ? [["test", "--quiet", "-P", "--parallel", "--no-check", ...tests]]
        : [],
    ];
    for (const step of steps) {
      if (!await deno(target, ...step)) return false;
    }
    return true;
  } finally {
    await Deno.remove(target, { recursive: true });
  }
}

const GENERATE = "scripts/generate.ts";

/** True for a path that is there in a tree: with the last feature, its room goes. */
function isIn(tree: URL): (path: string) => boolean {
  return (path) => existsSync(new URL(path, tree));
}

/** Prints what is left of some features in a tree without them; true if that is nothing. */
async function isTraceless(
  tree: URL,
  names: readonly string[],
): Promise<boolean> {
  let isNone = true;
  for (const name of names) {
    for (const trace of await tracesIn(tree, name, await wordsOf(name))) {
      console.log(trace);
      isNone = false;
    }
  }
  return isNone;
}

let isGood = true;
const choices = options.bare ? [features] : features.map((name) => [name]);
for (const names of choices) {
  const passes = await check(names);
  console.log(`${passes ? "ok" : "FAILED"}: without ${names.join(", ")}`);
  isGood &&= passes;
}
Deno.exit(isGood ? 0 : 1);
