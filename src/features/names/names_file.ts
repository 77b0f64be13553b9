/** What `NAMES_FILE` may say: `{"shop.preview.example.com": {"sandbox": "0b6f…", "port": 3000}}`. */
import * as yaml from "yaml";
import { z } from "zod";
import {
  canonicalRef,
  LABEL,
  mayBeSignedToken,
} from "../../address/grammar.ts";
import type { SettingsFile } from "../../config/settings_file.ts";
import { portField } from "../../control/api/fields.ts";
import { hostProblem } from "./host_rules.ts";
import type { NameTarget } from "./name_table.ts";

const ID = new RegExp(`^${LABEL}$`);

const target = z.strictObject({
  sandbox: z.string().transform(canonicalRef).refine(
    (id) => ID.test(id) && !mayBeSignedToken(id),
    { error: "must be the ID of a sandbox" },
  ),
  port: portField,
}).transform(({ sandbox: sandboxId, port }) => ({ sandboxId, port }));

/** YAML, and so JSON, which may be nothing but comments. An empty file is no such file: somebody is about to write it. */
function parse(text: string): unknown {
  return text.trim() === "" ? undefined : yaml.parse(text) ?? {};
}

/** The file, by host. */
export function namesFile(
  path: string,
  baseDomains: readonly string[],
): SettingsFile<ReadonlyMap<string, NameTarget>> {
  const schema = z.record(z.string(), target).superRefine((names, context) => {
    for (const host of Object.keys(names)) {
      const message = hostProblem(host, baseDomains);
      if (message === undefined) continue;
      context.addIssue({ code: "custom", path: [host], message });
    }
  }).transform((names) => new Map(Object.entries(names)));
  return { path, parse, schema };
}
