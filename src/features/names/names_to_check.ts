/** All names, for whoever checks an installation. */
import { contentOf } from "../../config/settings_file.ts";
import type { NameToCheck } from "../../gateway/feature_module.ts";
import type { RecordValues } from "../../records/record_values.ts";
import { proofOf } from "./domain_proof.ts";
import type { KeptName } from "./kept_name.ts";
import type { NameTarget } from "./name_table.ts";
import { namesFile } from "./names_file.ts";
import { SharedNames } from "./shared_names.ts";

/**
 * The names of the file, if there is one, and then those that members have or claim, as the store has them now.
 * @throws {GatewayError} `records_unavailable` if the store does not answer
 */
export async function namesToCheck(
  { mode, path, bases }: {
    readonly mode: "off" | "operator" | "members";
    readonly path: string | undefined;
    readonly bases: Parameters<typeof namesFile>[1];
  },
  values: Pick<RecordValues, "isOn" | "read" | "update">,
): Promise<NameToCheck[]> {
  const ofFile = path === undefined ? NONE : await readFile(path, bases);
  const names: NameToCheck[] = [];
  for (const [host, target] of ofFile) {
    names.push({ host, ...target, state: "active" });
  }
  if (mode !== "members" || !values.isOn) return names;
  const book = new SharedNames({ values, now: Date.now, onChange() {} });
  await book.look();
  for (const { host, sandboxId, port, state, proof } of book.all()) {
    if (state === "released" || ofFile.has(host)) continue;
    const disproof = proof && { disproof: () => disproofOf(host, proof) };
    names.push({ host, sandboxId, port, state, ...disproof });
  }
  return names;
}

const NONE: ReadonlyMap<string, NameTarget> = new Map();

async function readFile(...file: Parameters<typeof namesFile>) {
  const read = contentOf(namesFile(...file), await Deno.readTextFile(file[0]));
  return read.ok ? read.value : NONE; // the settings tell what is wrong with it
}

async function disproofOf(host: string, proof: NonNullable<KeptName["proof"]>) {
  const proven = await proofOf(host, proof, Deno.resolveDns);
  return proven.ok ? undefined : proven.error;
}
