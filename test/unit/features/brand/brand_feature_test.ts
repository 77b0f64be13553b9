import assert from "node:assert/strict";
import { examine } from "../../../../scripts/doctor/examine.ts";
import { realWorld } from "../../../../scripts/doctor/world.ts";
import { parseConfig } from "../../../../src/config/config.ts";
import { sectionOf } from "../../../../src/config/section.ts";
import {
  brand,
  brandSettings,
} from "../../../../src/features/brand/brand_feature.ts";
import type { FeatureParts } from "../../../../src/gateway/feature_module.ts";
import { SECTIONS } from "../../../../src/modules.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { configOf, REQUIRED } from "../../../support/config.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { textFile } from "../../../support/text_file.ts";

/** The feature with a file, and the name that pages have. */
function featureOf({ path }: { readonly path: string }) {
  const config = configOf({ BRAND_FILE: path });
  assert.equal(sectionOf(config, brandSettings).path, path);
  const feature = brand.create({ config } as FeatureParts);
  return {
    name: () => feature?.control?.brand?.()?.name,
    [Symbol.dispose]: () => feature?.life?.close?.(),
  };
}

Deno.test("without BRAND_FILE there is no such feature", () => {
  const parts = { config: configOf() } as FeatureParts;
  assert.equal(brand.create(parts), undefined);
});

Deno.test("the start tells every problem of the file", async () => {
  await using file = await textFile("help: x\nlogo: x\n");
  const env = { ...REQUIRED, BRAND_FILE: file.path };
  const result = parseConfig(env, SECTIONS);
  assert(!result.ok);
  assert.deepEqual(
    result.problems.map(({ name, allowed }) => [
      name,
      /: (\/\w+): /.exec(allowed)?.[1],
    ]),
    ["/name", "/logo", "/help"].map((place) => ["BRAND_FILE", place]),
  );
});

Deno.test("the doctor finds what is wrong with the file", async () => {
  await using file = await textFile("name: Acme\nlogo: x");
  const env = { ...REQUIRED, BRAND_FILE: file.path };
  const findings = await examine(env, realWorld);
  const [{ state, finding, hint } = assert.fail()] = findings;
  assert.deepEqual([findings.length, state], [2, "failed"]);
  assert.match(`${finding} ${hint}`, /BRAND_FILE.*\/logo: must be an SVG/s);
});

Deno.test("a changed file is in force within 5 s, and one that is no good changes nothing; both are logged once", async () => {
  using clock = fakeClock();
  await using file = await textFile("name: Acme");
  await using log = await collectLog();
  using feature = featureOf(file);
  assert.equal(feature.name(), "Acme");
  for (const text of ["name: [", "help: x", ""]) {
    await file.write(text);
    clock.pass(5000);
    assert.equal(feature.name(), "Acme", text);
  }
  await file.write('{"name": "Other"}');
  clock.pass(5000);
  clock.pass(5000);
  assert.equal(feature.name(), "Other");
  const refused = "brand refused, old kept";
  assert.deepEqual(log.records().map(({ message }) => message), [
    "brand read",
    refused,
    refused,
    refused,
    "brand read",
  ]);
});
