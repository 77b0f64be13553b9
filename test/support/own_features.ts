/** Features of the tests' own, which gateways have besides those of the source. */
import type { FeatureModule } from "../../src/gateway/feature_module.ts";
import { FEATURES } from "../../src/modules.ts";

const own: FeatureModule[] = [];

/** Has every test gateway that this process starts from now on have this one. */
export function addFeature(feature: FeatureModule): void {
  own.push(feature);
}

/** All features of a test gateway that starts now. */
export function testFeatures(): readonly FeatureModule[] {
  return [...FEATURES, ...own];
}
