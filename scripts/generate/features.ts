/** The modules of all features in one list. */
import type { Artefact } from "./artefact.ts";
import { featureNames } from "./facts.ts";
import { formatted } from "./text.ts";

/** gen/features.ts, which src/service.ts imports. */
export const featuresModule: Artefact = {
  path: "gen/features.ts",
  produce: async () =>
    await formatted(featuresText(await featureNames()), "ts"),
};

/** The module for features of these names: `access_page` exports `accessPage`, from `access_page_feature.ts`. */
export function featuresText(names: readonly string[]): string {
  const symbols = names.map((name) =>
    name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  );
  const imports = names.map((name, index) =>
    `import { ${
      symbols[index]
    } } from "../src/features/${name}/${name}_feature.ts";\n`
  );
  return `/** Generated from the folders of src/features (\`deno task gen\`): add or delete those, and leave this file. */
${
    imports.join("")
  }import type { FeatureModule } from "../src/gateway/feature_module.ts";

/** All features. They are asked in this order, but where one says that it comes before another. */
export const FEATURES: readonly FeatureModule[] = Object.freeze([
${symbols.map((symbol) => `  ${symbol},\n`).join("")}]);
`;
}
