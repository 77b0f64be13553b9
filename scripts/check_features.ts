// deno-lint-ignore-file no-console
/**
 * Shows that each feature can be deleted: copies the tree without its folder and its tests, regenerates what is made from
 * the rest, and checks the rest: its types (`--types`), whether a word of the feature is left in it (`--traces`, which
 * prints each with its line), and its tests. Unless one of these is given, all of that is checked. `--only NAME` is for one
 * feature, `--bare` for all of them at once.
 * Left out are the laboratories, whose programs are for all features, and tests of documents and deployment files, which
 * name the settings of all.
 */
import { parseArgs } from "node:util";
import { tracesIn, wordsOf } from "./feature_traces.ts";
import { git } from "./git.ts";

const ROOT = new URL("../", import.meta.url);

/** What is checked and run of the tests. */
const TESTS = ["test/unit", "test/service", "test/conformance", "test/faults"];

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    bare: { type: "boolean" },
    types: { type: "boolean" },
    traces: { type: "boolean" },
  },
});
const { types, traces } = options;
const isAll = !types && !traces;

const all = [...Deno.readDirSync(new URL("src/features/", ROOT))]
  .map(({ name }) => name).sort();
const features = all.filter((name) =>
  options.only === undefined || name === options.only
);
if (features.length === 0) throw new Error(`No feature '${options.only}'`);

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
    const steps = [
      ...isAll || types
        ? [["check", "--quiet", "src", "scripts", ...TESTS, "test/support"]]
        : [],
      ...isAll
        ? [["test", "--quiet", "-P", "--parallel", "--no-check", ...TESTS]]
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
