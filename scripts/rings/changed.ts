/** What of the gate concerns a change: the tests of the rooms that it touches, and of those that import them. */
import type { Part, Stage } from "./part.ts";
import { CHECKS } from "./rings.ts";

/** Files of a change, and what is to be checked of them. */
export interface ChangedChecks {
  readonly stages: readonly Stage[];
  /** What the gate has besides, in words. */
  readonly leftOut: readonly string[];
}

/** The checks for files that differ from a commit; `serviceFolders` are the folders of service tests of features. */
export function checksFor(
  files: readonly string[],
  since: string,
  serviceFolders: readonly string[],
): ChangedChecks {
  const touched = new Set(files.flatMap(serviceFolderOf));
  const ofFeatures = serviceFolders.filter((folder) => touched.has(folder));
  const ofService = files.filter((file) =>
    /^test\/service\/[^/]+_test\.ts$/.test(file)
  );
  // They check documents and deployments against all of the source, which takes as long as the units.
  const areScripts = files.some((file) =>
    /^(?:(?:scripts|docs|openapi|test\/scripts)\/|[^/]+$)/.test(file)
  );
  const tests: Part = {
    task: [
      "test",
      "--no-check",
      `--changed=${since}`,
      "--permit-no-files",
      "test/unit",
      "test/support",
      ...areScripts ? ["test/scripts"] : [],
      ...ofFeatures,
      ...ofService,
    ],
    finds: "what a unit does wrong",
  };
  return {
    stages: [[...CHECKS, tests]],
    leftOut: [
      ofFeatures.length > 0
        ? `the other tests of test/service than of ${ofFeatures.join(", ")}`
        : "test/service",
      ...areScripts ? [] : ["test/scripts"],
      "test/conformance, test/lab, and a core without features",
      "the browser and the attacks",
    ],
  };
}

function serviceFolderOf(file: string): string[] {
  const name = /^(?:src|test\/(?:unit|service))\/features\/([a-z_]+)\//
    .exec(file)?.[1];
  return name === undefined ? [] : [`test/service/features/${name}`];
}
