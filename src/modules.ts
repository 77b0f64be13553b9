/** All features, and the settings of all. */
import { FEATURES } from "../gen/features.ts";
import { SETTINGS } from "./config/config.ts";
import type { Setting } from "./config/read_settings.ts";
import type { AnySection } from "./config/section.ts";

export { FEATURES };

/** The settings of features. */
export const SECTIONS: readonly AnySection[] = FEATURES.flatMap(
  ({ settings }) => settings ?? [],
);

/** All settings: those of the core, and then of features; docs/settings.md has them by group. */
export const ALL_SETTINGS: Readonly<Record<string, Setting<unknown>>> = Object
  .assign({}, SETTINGS, ...SECTIONS.map(({ rows }) => rows));
