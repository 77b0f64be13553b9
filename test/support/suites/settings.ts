/** The settings of a feature: what is read of them, and which values are refused. */
import assert from "node:assert/strict";
import { type AnySection, sectionOf } from "../../../src/config/section.ts";
import { configOf, problemsOf } from "../config.ts";

type Environment = Readonly<Record<string, string>>;

/** What a section's rows and `assemble()` have to do. */
interface Promised {
  /** Environments, and the section that each makes; the first one is of what is not set. */
  readonly reads: readonly (readonly [Environment, object])[];
  /** By the name of a setting, values that are not valid. */
  readonly refuses: Readonly<Record<string, readonly string[]>>;
}

/** Declares the tests of the settings of a feature. */
export function testSettings(
  feature: string,
  section: AnySection,
  { reads, refuses }: Promised,
): void {
  Deno.test(`${feature} reads its settings, and does without them`, () => {
    assert.deepEqual(reads[0]?.[0], {});
    for (const [env, expected] of reads) {
      assert.deepEqual(sectionOf(configOf(env), section), expected);
    }
  });

  Deno.test(`${feature} refuses invalid values of its settings`, () => {
    for (const [name, values] of Object.entries(refuses)) {
      for (const value of values) {
        assert.deepEqual(problemsOf({ [name]: value }), [name], value);
      }
    }
  });
}
