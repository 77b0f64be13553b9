// deno-lint-ignore-file no-console
/**
 * `deno task records`: writes all records to a file, brings them back from one, or says that an empty store is right as it
 * is (docs/operate.md, "Records that are lost"). Exits with 0, with 1 if that failed, or with 2 if the configuration or the
 * command line is invalid.
 */
import { formatProblems, parseConfig } from "../src/config/config.ts";
import { describeError } from "../src/lib/describe_error.ts";
import { SECTIONS } from "../src/modules.ts";
import { acceptStore, epochOf } from "../src/records/epoch.ts";
import { openValues } from "../src/records/open_records.ts";
import {
  recordsArguments,
  type RecordsTask,
  USAGE,
} from "./records/arguments.ts";
import { bringBack } from "./records/bring_back.ts";
import { readExport, writeExport } from "./records/export_file.ts";
import {
  type RecordsLocation,
  storedEntries,
} from "./records/stored_entries.ts";

/** Does it; returns what there is to tell. */
async function run(
  task: RecordsTask,
  location: RecordsLocation,
): Promise<string> {
  // All of the file is read before anything is written.
  const read = task.task === "import" ? await readExport(task.file) : undefined;
  const values = await openValues(location);
  const now = Date.now();
  try {
    if (task.task === "export") {
      const at = new Date(now).toISOString();
      const epoch = await epochOf(values) ?? null;
      const entries = storedEntries(location, now);
      const count = await writeExport(task.file, { at, epoch }, entries);
      return `${count} values written to ${task.file}`;
    }
    const done = read && await bringBack(values, read.entries, now);
    await acceptStore(values, Date.now());
    const told = done === undefined
      ? "The store counts as it is"
      : `Of ${read?.at}: ${done.written} written, ${done.added} added to, ` +
        `${done.kept} were there, ${done.over} are over`;
    return `${told}. Gateways that run take it for theirs within 5 s.`;
  } finally {
    values.close();
  }
}

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const task = recordsArguments(args);
  if (task === undefined) {
    console.error(USAGE);
    return 2;
  }
  const parsed = parseConfig(Deno.env.toObject(), SECTIONS);
  if (!parsed.ok) {
    console.error(formatProblems(parsed.problems));
    return 2;
  }
  const { location } = parsed.config.records;
  if (
    location.kind === "none" ||
    location.kind === "kv" && location.path === ":memory:"
  ) {
    console.error("RECORDS_URL keeps nothing");
    return 2;
  }
  try {
    console.log(await run(task, location));
    return 0;
  } catch (error) {
    console.error(`Nothing more was done: ${describeError(error)}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
